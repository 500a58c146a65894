"""The blind index worked out anew while tokens are loaded: values opened by the column, digested under the new primary.

A token's row says where its entry lies, so the entries themselves are written last, all at once (`store.entries`).

Nothing here asks the database, so that it may be done by another process than the one that loads.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import NamedTuple

from keys.errors import UnknownKey
from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import cipher, fields, index
from vault.errors import UnknownField, UnreadableValue
from vault.marking import is_turned, turned
from vault.resources import open_person_key
from vault.store.dialect import COLUMNS
from vault.store.streams import Row
from vault.store.subjects import Wrapped

Persons = Mapping[tuple[int, bytes], Wrapped]  # person keys by tenant and subject digest

_AT = {name: at for at, name in enumerate(COLUMNS["token"])}
_BUCKET, _TENANT, _TOKEN, _FIELD, _KIND = (
    _AT[name] for name in ("bucket", "tenant", "token", "field", "kind")
)
_FIXED, _SCOPE, _SUBJECT, _SEALED = (_AT[name] for name in ("deterministic", "scope", "subject", "sealed"))
_COLUMN = itemgetter(_FIELD, _SCOPE)
_PLACE, _KEY, _DIGEST = (_AT[name] for name in ("index_bucket", "index_key", "digest"))


class _Columns(NamedTuple):
    """What of rows is opened, column by column."""

    fields: Sequence[str]
    tokens: Sequence[bytes]
    sealed: Sequence[bytes]

    def part(self, rows: slice) -> _Columns:
        """Return the same of some rows."""
        return _Columns(self.fields[rows], self.tokens[rows], self.sealed[rows])


@dataclass(slots=True, repr=False)
class Indexed:
    """Rows of `token` as they go into the database, and how many do not open."""

    rows: list[Row] = field(default_factory=list)
    unreadable: Counter[str] = field(default_factory=Counter)


class Reindexer:
    """Works on blocks of rows of any tenants."""

    def __init__(self, keys: Mapping[int, TenantKeys]) -> None:
        """Args: `keys` of all tenants, with the new primaries."""
        self._keys = keys

    def work(self, rows: Sequence[Row], persons: Persons) -> Indexed:
        """Return whole rows of `token` with their index columns made anew, in the same order.

        What does not open stays as it is, without an entry; a one-way token keeps its digest.

        Args:
            persons: the keys of all subjects that the rows name, of those who have one.
        """
        by_tenant: dict[int, list[int]] = defaultdict(list)
        for at, row in enumerate(rows):
            by_tenant[row[_TENANT]].append(at)
        done, made = list(rows), Indexed()
        for tenant, places in by_tenant.items():
            mine = [rows[at] for at in places]
            for at, row in zip(places, self._tenant(tenant, mine, persons, made), strict=True):
                done[at] = row
        made.rows = done
        return made

    def _tenant(self, tenant: int, rows: Sequence[Row], persons: Persons, made: Indexed) -> list[Row]:
        keys = self._keys.get(tenant)
        values = [None] * len(rows) if keys is None else self._values(keys, rows, persons)
        one_way = [row[_SEALED] for row in rows].count(None)
        if lost := values.count(None) - one_way:
            made.unreadable["tokens"] += lost
        digests = {} if keys is None else self._digests(keys, rows, values)
        places = {} if keys is None else _places(keys, rows, values, digests)
        primary = None if not digests or keys is None else keys.primary(Purpose.INDEX).id
        fresh: list[Row] = []
        for at, row in enumerate(rows):
            if row[_SEALED] is None:  # one-way: there is no value to make another digest from
                found = (row[_PLACE], row[_KEY], row[_DIGEST])
            else:
                found = (places[at], primary, digests[at]) if at in digests else (None, None, None)
            fresh.append((*row[:_PLACE], *found, *row[_DIGEST + 1 :]))
        return fresh

    def _values(self, keys: TenantKeys, rows: Sequence[Row], persons: Persons) -> list[bytes | None]:
        """Return the plain values, without the marks of decoys; None of one-way tokens and of what does not open."""
        people = _people(keys, rows, persons)
        sealed = [at for at, row in enumerate(rows) if row[_SEALED] is not None]
        there = [rows[at] for at in sealed]
        columns = _Columns(
            [row[_FIELD] for row in there], [row[_TOKEN] for row in there], [row[_SEALED] for row in there]
        )

        def opened(part: _Columns) -> list[bytes]:
            return cipher.open_column(
                keys.tenant, "value", *part, lambda key_id: keys.version(Purpose.SEAL, key_id), people
            )

        values: list[bytes | None] = [None] * len(rows)
        for at, value in zip(sealed, _unmarked(_readable(columns, opened)), strict=True):
            values[at] = value
        return values

    def _digests(
        self, keys: TenantKeys, rows: Sequence[Row], values: Sequence[bytes | None]
    ) -> dict[int, bytes]:
        """Return the digests under the primary of values that can be looked up, by their place."""
        columns = _columns(rows, values)
        found: dict[int, bytes] = {}
        for (name, scope), places in columns.items():
            texts = [(values[at] or b"").decode() for at in places]
            digests = index.digests(keys.primary(Purpose.INDEX), keys.tenant, name, scope, texts)
            found |= zip(places, digests, strict=True)
        return found


def _columns(rows: Sequence[Row], values: Sequence[bytes | None]) -> dict[tuple[str, str], list[int]]:
    columns: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, (place, value) in enumerate(zip(map(_COLUMN, rows), values, strict=True)):
        if value is not None:
            columns[place].append(at)
    return {place: found for place, found in columns.items() if _looked_up(place[0])}


def _places(
    keys: TenantKeys, rows: Sequence[Row], values: Sequence[bytes | None], digests: Mapping[int, bytes]
) -> dict[int, int]:
    """Return where the entries lie: beside a fresh token, or where the value of a deterministic one says."""
    places = {at: rows[at][_BUCKET] for at in digests}
    fixed = [at for at in digests if rows[at][_FIXED]]
    columns = _columns([rows[at] for at in fixed], [values[at] for at in fixed])
    for (name, scope), mine in columns.items():
        texts = [(values[fixed[at]] or b"").decode() for at in mine]
        buckets = index.value_buckets(keys.primary(Purpose.ROUTE), keys.tenant, name, scope, texts)
        places |= zip([fixed[at] for at in mine], buckets, strict=True)
    return places


def _people(keys: TenantKeys, rows: Sequence[Row], persons: Persons) -> dict[int, bytes]:
    """Return the plain keys of the rows' persons by id; of those whose key opens."""
    people: dict[int, bytes] = {}
    for subject in {row[_SUBJECT] for row in rows if row[_SUBJECT] is not None}:
        wrapped = persons.get((keys.tenant, subject))
        if wrapped is None:
            continue
        try:
            people[wrapped[0]] = open_person_key(keys, keys.tenant, subject, *wrapped)
        except (UnreadableValue, UnknownKey):
            continue
    return people


def _readable(columns: _Columns, opened: Callable[[_Columns], list[bytes]]) -> list[bytes | None]:
    """Return what opens, None for the rest; where a column does not open whole, each half is tried by itself."""
    if not columns.tokens:
        return []
    try:
        return list(opened(columns))
    except UnreadableValue:
        if len(columns.tokens) == 1:
            return [None]
    middle = len(columns.tokens) // 2
    halves = columns.part(slice(middle)), columns.part(slice(middle, None))
    return [value for half in halves for value in _readable(half, opened)]


def _unmarked(values: list[bytes | None]) -> list[bytes | None]:
    """Return the values without the marks of decoys."""
    if b"".join(value for value in values if value is not None).isascii():  # nothing looks like one
        return values
    return [turned(value) if value is not None and is_turned(value) else value for value in values]


@cache
def _looked_up(name: str) -> bool:
    try:
        return fields.get(name).lookup
    except UnknownField:  # of a newer release
        return False
