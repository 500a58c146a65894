"""How tokens are to be made: the arguments that every tokenizing call takes, and their form on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from strongroom_client.results import Kind, Metadata

View = Literal["masked", "full", "last4", "fingerprint", "plain"]  # plain: full, as it was called
# service, settle, verify-identity, notify, market, risk, statistics, audit, legal, support, subject-request, and what
# the tenant's policy adds.
Purpose = str


class TokenOptions(TypedDict, total=False):
    """All optional.

    Attributes:
        kind: "opaque" (default), "shaped" (keeps length and alphabet), or "one_way" (never reveals).
        deterministic: the same value in the same scope gets the same token.
        scope: 1 to 64 of a-z 0-9 _ . : -; default the field's own.
        ttl_seconds: 1 to 3,155,760,000; default for ever.
        source: the channel or partner the values came from; 1 to 64 of A-Z a-z 0-9 _ . : -.
        keep_first: leading characters that a shaped token keeps, 0 to 8.
        keep_last: trailing characters that a shaped token keeps, 0 to 4.
        check: whether shaped tokens fail ("invalid", default) or pass ("valid") the field's check digit.
        lookalike: shaped tokens may look real where a field has neither check digit nor reserved prefix.
        options: what the field type lets the caller say: luhn (bank_card), region (phone).
        tags: words that the policy may ask for, each 1 to 32 of a-z 0-9 _ . : -; at most 8.
    """

    kind: Kind
    deterministic: bool
    scope: str | None
    ttl_seconds: int | None
    source: str | None
    keep_first: int
    keep_last: int
    check: Literal["invalid", "valid"]
    lookalike: bool
    options: Mapping[str, bool | str]
    tags: Sequence[str]


class Grounds(TypedDict, total=False):
    """What a request names beside its purpose, each recorded; all optional.

    Attributes:
        case: reference of a case, which the purpose legal needs; 1 to 64 of A-Z a-z 0-9 _ . : / -.
        consent: reference of the person's consent, which the purpose market needs; in the same form.
        subject: your own id of the person; tokens of anybody else are refused.
    """

    case: str | None
    consent: str | None
    subject: str | None


class Item(TokenOptions, total=False):
    """One value among mixed ones; `field` and `value` are required."""

    field: str
    value: str
    subject: str | None
    metadata: Metadata | None


def wire(given: Mapping[str, object]) -> dict[str, object]:
    """Return arguments as members of a body: none that is None, and the kept parts in one object."""
    members = {name: value for name, value in given.items() if value is not None}
    keep = {end: members.pop(f"keep_{end}", 0) for end in ("first", "last")}
    return {**members, "keep": keep} if any(keep.values()) else members
