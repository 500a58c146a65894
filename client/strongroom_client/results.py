"""What the vault answers: columns in the order asked, and descriptions; none prints a token, value or key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from msgspec import Struct

from strongroom_client.errors import ItemsRefused

Kind = Literal["opaque", "shaped", "one_way"]
Metadata = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ItemError:
    """One refused item of a column.

    Attributes:
        index: its place in the column that was given, from 0.
        code: stable name of the cause.
        detail: a sentence without the value.
        pointer: the same place as a JSON pointer (RFC 6901), such as "/values/3".
    """

    index: int
    code: str
    detail: str
    pointer: str


@dataclass(slots=True, repr=False)
class Answers:
    """Root of the column replies: what was refused; the leaves hold what was not."""

    errors: list[ItemError] = field(default_factory=list, kw_only=True)

    def __len__(self) -> int:
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return counts only."""
        return f"<{type(self).__name__}: {len(self)} items, {len(self.errors)} refused>"

    def raise_for_errors(self) -> None:
        """Raise ItemsRefused if any item was refused."""
        if self.errors:
            first = self.errors[0]
            counts = f"{len(self.errors)} of {len(self)} items refused"
            raise ItemsRefused(f"{counts}; the first, item {first.index}: {first.detail}", self.errors)


@dataclass(slots=True, repr=False)
class TokenColumn(Answers):
    """Tokens in the order of the values; None where a value was refused or was None."""

    tokens: list[str | None]

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(slots=True, repr=False)
class ValueColumn(Answers):
    """Values, or masks of them, in the order of the tokens; None where a token was refused or was None.

    `metadata` is as long as `values` if it was asked for, else empty.
    """

    values: list[str | None]
    metadata: list[Metadata | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(slots=True, repr=False)
class ComparedColumn(Answers):
    """Whether each token stands for the value beside it; None where it was refused, or one of them was None."""

    matches: list[bool | None]

    def __len__(self) -> int:
        return len(self.matches)


@dataclass(slots=True, repr=False)
class DescriptionColumn(Answers):
    """Descriptions in the order of the tokens; None where a token was refused or was None."""

    tokens: list[Description | None]

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(slots=True, repr=False)
class MatchColumn(Answers):
    """For each value its tokens, oldest first; None where the value was refused or was None."""

    matches: list[list[str] | None]

    def __len__(self) -> int:
        return len(self.matches)


@dataclass(slots=True, repr=False)
class Deletion(Answers):
    """How many of the tokens asked for were deleted."""

    deleted: int
    asked: int

    def __len__(self) -> int:
        return self.asked


class Description(Struct, frozen=True, rename={"classification": "class"}):
    """What may be said of a token without its value.

    Attributes:
        scope: the space of a deterministic token.
        source: the channel or partner the value came from.
        subject, metadata: whether there is one.
        classification: C1 to C3 (JR/T 0171-2020, section 4).
        created_at, expires_at: UTC.
        key: which key sealed the value.
        tags: words that the policy may ask for.
    """

    token: str
    field: str
    kind: Kind
    deterministic: bool
    created_at: datetime
    scope: str | None = None
    source: str | None = None
    subject: bool = False
    metadata: bool = False
    classification: str | None = None
    expires_at: datetime | None = None
    key: str | None = None
    tags: list[str] = []

    def __repr__(self) -> str:
        """Return everything but the token."""
        made = self.created_at.isoformat(timespec="seconds")
        return f"<Description: {self.kind} token of a {self.field}, created {made}>"


class Erasure(Struct, frozen=True):
    """A person's erasure: its id in the ledger, and how many tokens went with the key."""

    erasure: str
    tokens: int


class FieldType(Struct, frozen=True, rename={"classification": "class"}):
    """A field type the server knows; `sample` is made up, `masked` is its mask."""

    name: str
    sample: str
    masked: str
    lookup: bool
    shapable: bool
    classification: str | None = None
    check_digit: bool = False
    options: list[str] = []


class FieldTypes(Struct, frozen=True):
    """The field types, and the names of what no field may hold: card data (PCI DSS v4.0.1, 3.3.1), passwords."""

    fields: list[FieldType]
    never_stored: list[str] = []


class ApiKey(Struct, frozen=True, kw_only=True):
    """What is known of an API key; times in UTC; `fields` None for all; `roles` of the policy.

    `made_by` is the caller that made it; after a rotation two, a space between: the key before it, and who did it.
    """

    id: str
    name: str
    operations: list[str]
    mode: str | None = None
    fields: list[str] | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    roles: list[str] = []
    made_by: str | None = None


class NewApiKey(ApiKey, frozen=True, kw_only=True):
    """A new API key with its secret, which the server shows this once, and which never prints."""

    key: str

    def __repr__(self) -> str:
        """Return everything but the secret."""
        return f"<NewApiKey: id {self.id!r}, name {self.name!r}>"
