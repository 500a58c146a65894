"""How tokens are to be made: the arguments that every tokenizing call takes, and their form on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict

from strongroom_client.results import Kind, Metadata

View = Literal["masked", "plain"]
Purpose = Literal[
    "service", "verification", "notification", "marketing", "risk_control",
    "statistics", "audit", "legal", "support", "subject_request",
]  # fmt: skip


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
