"""Tokens looked up for a caller: the rows that it may read, and why each of the others is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from keys.openkeys import TenantKeys
from vault import fields
from vault.columns import MAX_ITEMS
from vault.errors import ExpiredToken, InvalidRequest, MalformedToken, UnknownToken, VaultError, WrongMode
from vault.permitting import Permit
from vault.resources import look_up, parse_column, strays
from vault.store.tokens import Place, Sealed, Stored, Watched, buried

T = TypeVar("T", bound=Stored | Sealed | Watched)

MISSES = (MalformedToken, UnknownToken, WrongMode)  # what one gets who tries tokens out


@dataclass(slots=True, repr=False)
class Reading(Generic[T]):
    """A column of tokens, as far as the caller may read it.

    Attributes:
        places: of each token, None where its text is none.
        rows: those that may be read, by stored token.
        errors: why the others may not, by index.
        former: how many of them name a token that there was: who has its text tries nothing out.
    """

    keys: TenantKeys
    places: list[Place | None]
    rows: dict[bytes, T]
    errors: dict[int, VaultError]
    former: int

    def good(self) -> list[bytes | None]:
        """Return the stored token of each item that may be read, None for the others, in the order of the request."""
        return [
            None if place is None or at in self.errors else place[1] for at, place in enumerate(self.places)
        ]

    def touched(self) -> list[T]:
        """Return the row of each item that may be read, in the order of the request."""
        return [self.rows[token] for token in self.good() if token is not None]

    def misses(self) -> int:
        """Return how many items named no token that there is, or was."""
        return misses(self.errors) - self.former


def read(permits: Sequence[Permit], texts: Sequence[object], field: str | None, kind: type[T]) -> Reading[T]:
    """Return the rows of tokens that every one of `permits` lets the caller read.

    Args:
        texts: at most 10,000 public tokens.
        field: the field type of shaped tokens.
        kind: what is read of each: what the permits' `kind` has, at least.
    """
    if len(texts) > MAX_ITEMS:
        raise InvalidRequest(f"at most {MAX_ITEMS} tokens go into one request", "/tokens")
    if field is not None:
        fields.get(field)
    resources, actor = permits[0].resources, permits[0].actor
    keys = resources.keyring.keys(actor.tenant)
    places, errors = parse_column(keys, actor, texts, field)
    rows = look_up(resources, actor, places, kind)
    refused = barred(permits, list(rows.values()), resources.database.now())
    wrong = strays(resources, actor, places, len(rows))
    for at, place in enumerate(places):
        if place is not None and (place[1] not in rows or place in wrong):
            errors[at] = UnknownToken("no such token")
        elif place is not None and place[1] in refused:
            errors[at] = refused[place[1]]
    for token in refused:
        del rows[token]

    def find(wanted: Sequence[Place]) -> set[bytes]:
        with resources.database.read() as connection:
            return buried(connection, resources.database.dialect, actor.tenant, wanted)

    return Reading(keys, places, rows, errors, former(places, errors, find))


def barred(permits: Sequence[Permit], rows: Sequence[T], now: int) -> dict[bytes, VaultError]:
    """Return why some of the rows may not be read at `now` (microseconds), by stored token."""
    refused: dict[bytes, VaultError] = {}
    for one in permits:
        refused |= one.judge(rows)
    over = ExpiredToken("the token's time to live is over")
    for row in rows:
        if row.expires_at is not None and row.expires_at <= now:
            hidden = isinstance(refused.get(row.token), UnknownToken)
            refused[row.token] = refused[row.token] if hidden else over
    return refused


def former(
    places: Sequence[Place | None],
    errors: Mapping[int, VaultError],
    find: Callable[[Sequence[Place]], set[bytes]],
) -> int:
    """Return how many of the errors are those of tokens that were deleted, erased or have expired.

    A caller that kept some, or meets a person who was just erased, is none who sweeps.

    Args:
        find: tells which of some places held such a token; not asked if no token is unknown.
    """
    unknown = [places[at] for at, error in errors.items() if isinstance(error, UnknownToken)]
    wanted = {place for place in unknown if place is not None}
    gone = find(list(wanted)) if wanted else set[bytes]()
    return sum(place is not None and place[1] in gone for place in unknown)


def misses(errors: Mapping[int, VaultError]) -> int:
    """Return how many of the errors are those of tokens that there are not."""
    return sum(isinstance(error, MISSES) for error in errors.values())
