"""The Python client of strongroom: values in, tokens out, columns first."""

from strongroom_client.client import Client
from strongroom_client.errors import (
    BadReply,
    Forbidden,
    InvalidArgument,
    ItemsRefused,
    Misconfigured,
    NotFound,
    Refused,
    StrongroomError,
    TimedOut,
    Unauthenticated,
    Unavailable,
    Unfinished,
    Unreachable,
    Untrusted,
)
from strongroom_client.jobs import Job, JobNotes
from strongroom_client.keysets import Keyset, KeyVersion, Root
from strongroom_client.options import Item, Purpose, TokenOptions, View
from strongroom_client.results import (
    ApiKey,
    Deletion,
    Description,
    DescriptionColumn,
    Erasure,
    FieldType,
    FieldTypes,
    ItemError,
    MatchColumn,
    NewApiKey,
    TokenColumn,
    ValueColumn,
)
from strongroom_client.retries import Retries
from strongroom_client.transport import Timeout

__all__ = [
    "ApiKey",
    "BadReply",
    "Client",
    "Deletion",
    "Description",
    "DescriptionColumn",
    "Erasure",
    "FieldType",
    "FieldTypes",
    "Forbidden",
    "InvalidArgument",
    "Item",
    "ItemError",
    "ItemsRefused",
    "Job",
    "JobNotes",
    "KeyVersion",
    "Keyset",
    "MatchColumn",
    "Misconfigured",
    "NewApiKey",
    "NotFound",
    "Purpose",
    "Refused",
    "Retries",
    "Root",
    "StrongroomError",
    "TimedOut",
    "Timeout",
    "TokenColumn",
    "TokenOptions",
    "Unauthenticated",
    "Unavailable",
    "Unfinished",
    "Unreachable",
    "Untrusted",
    "ValueColumn",
    "View",
]
