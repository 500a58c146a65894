"""What requests on policies, approvals, decoys and frozen callers hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from api.schema.asks import Ask, Field, PageQuery, Subject, TokenOptions
from vault.planting import MAX_DECOYS

Document = Annotated[str, Meta(max_length=65_536, description="TOML; docs/operations.md describes it.")]
Caller = Annotated[
    str,
    Meta(min_length=1, max_length=512, description="An API key's id, oidc:… or cert:…", examples=["key_0"]),
]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Version = Annotated[int, Meta(ge=0, le=2_147_483_646, description="0 is the built-in policy.")]


class PolicyDocument(Ask, kw_only=True):
    """A policy that is not in force."""

    document: Document


class PolicyTrial(Ask, kw_only=True):
    """A policy whose cases are run; without one, that in force."""

    document: Document | None = None


class PolicyTaking(PolicyDocument, kw_only=True):
    """A policy that is to be in force, and the version that it replaces."""

    base_version: Version


class PolicyComparison(Ask, kw_only=True):
    """Two policies: from version `old`, by default that in force, to version `new` or to a document."""

    old: Version | None = None
    new: Version | None = None
    document: Document | None = None


class PolicyQuestion(Ask, kw_only=True):
    """What somebody might ask: `caller` or `roles`; by default now, in the masked view, of a row without tags."""

    operation: Word = "reveal"
    caller: Caller | None = None
    roles: Annotated[list[Word], Meta(max_length=100)] | None = None
    field: Word | None = None
    purpose: Word | None = None
    view: Literal["match", "fingerprint", "last4", "masked", "full", "plain"] | None = None
    at: Annotated[datetime, Meta(tz=True)] | None = None
    network: Annotated[str, Meta(max_length=64, description="The address it comes from.")] | None = None
    tags: Annotated[list[Word], Meta(max_length=8)] | None = None
    age_seconds: Annotated[int, Meta(ge=0, le=3_155_760_000)] = 0
    own: bool = False


class ProposalQuery(PageQuery, kw_only=True):
    """Which page of the proposals, and in which state."""

    state: Literal["open", "used", "rejected", "withdrawn", "expired"] | None = None


class NewDecoys(TokenOptions, kw_only=True):
    """Decoys to make: as many made-up values as `count` says, or of `values`; `subjects` are as long."""

    field: Field
    count: Annotated[int, Meta(ge=1, le=MAX_DECOYS)] = 1
    values: Annotated[list[str], Meta(min_length=1, max_length=MAX_DECOYS)] | None = None
    subjects: Annotated[list[Subject | None], Meta(max_length=MAX_DECOYS)] | None = None


class Freezing(Ask, kw_only=True):
    """A caller that may do nothing any more, and why."""

    caller: Caller
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class Thawing(Ask, kw_only=True):
    """A caller that may act again."""

    caller: Caller
