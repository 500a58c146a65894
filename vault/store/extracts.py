"""The queries that read a table for a backup: all of it, or what an increment takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Boolean, Column, Table, Text

from vault.store.auditlog import BLOCK, TILE, Log, bucket_of
from vault.store.dialect import quoted
from vault.store.streams import TOKEN_INDEX
from vault.store.tables import metadata

Sizes = Mapping[tuple[int, int], int]  # leaves of each log, by tenant and number


class Extracts:
    """Queries for one kind of database; what they give, and its order, is the same on all of them."""

    def __init__(self, postgresql: bool) -> None:
        self._postgresql = postgresql

    def whole(self, table: str) -> str:
        """Return the query for all rows in the order of the primary key: text by its bytes in UTF-8."""
        return f"{self._select(table)}{_where(self._kept(table))} ORDER BY {self._order(table)}"

    def count(self, table: str) -> str:
        """Return the query for the number of rows that `whole` gives."""
        return f"SELECT count(*) FROM {table}{_where(self._kept(table))}"

    def since(self, table: str, epoch: int) -> str:
        """Return the query for the rows of later epochs: by the index where there is one, and then in its order."""
        order = "epoch" if by_epoch(metadata.tables[table]) else self._order(table)
        return f"{self._select(table)} WHERE epoch > {int(epoch)} ORDER BY {order}"

    def leaves(self, logs: Sequence[Log], sizes: Sizes) -> Iterator[str]:
        """Yield the queries for the leaves that the logs have behind these sizes, in the order of the primary key."""
        for bucket, log, first, end in sorted(_leaves(logs, sizes)):
            yield self._range("audit_leaf", bucket, log, f"position >= {first} AND position < {end}")

    def tiles(self, logs: Sequence[Log], sizes: Sizes) -> Iterator[str]:
        """Yield the queries for the tiles that are new or longer than they were at these sizes."""
        for bucket, log, level, first, end in sorted(_tiles(logs, sizes)):
            where = f"level = {level} AND number >= {first} AND number < {end}"
            yield self._range("audit_tile", bucket, log, where)

    def _range(self, table: str, bucket: int, log: tuple[int, int], where: str) -> str:
        mine = f"bucket = {bucket} AND tenant = {log[0]} AND log = {log[1]}"
        return f"{self._select(table)} WHERE {mine} AND {where} ORDER BY {self._order(table)}"

    def _select(self, table: str) -> str:
        columns = metadata.tables[table].columns
        return f"SELECT {', '.join(self._value(table, column) for column in columns)} FROM {table}"

    def _value(self, table: str, column: Column[object]) -> str:
        name = quoted([column.name])
        if table == "token" and column.name in TOKEN_INDEX:
            return f"CASE WHEN sealed IS NULL THEN {name} END"
        return f"{name}::integer" if self._postgresql and isinstance(column.type, Boolean) else name

    def _order(self, table: str) -> str:
        return ", ".join(self._sorted(column) for column in metadata.tables[table].primary_key)

    def _sorted(self, column: Column[object]) -> str:
        name = quoted([column.name])
        return f'{name} COLLATE "C"' if self._postgresql and isinstance(column.type, Text) else name

    @staticmethod
    def _kept(table: str) -> str:
        """Return what holds for the rows that are meant: leaves that were archived wait to be deleted."""
        if table != "audit_leaf":
            return ""
        mine = "l.tenant = audit_leaf.tenant AND l.log = audit_leaf.log"
        return f"position >= (SELECT dropped FROM audit_log l WHERE {mine})"


def by_epoch(table: Table) -> bool:
    """Whether a table has an index by epoch."""
    return any(index.columns.keys() == ["epoch"] for index in table.indexes)


def _where(condition: str) -> str:
    return f" WHERE {condition}" if condition else ""


def _leaves(logs: Sequence[Log], sizes: Sizes) -> Iterator[tuple[int, tuple[int, int], int, int]]:
    """Yield bucket, log, first position and end of the parts of logs behind these sizes that lie in one bucket."""
    for log in logs:
        place = (log.tenant, log.log)
        for first, end in _cut(max(sizes.get(place, 0), log.dropped), log.size, BLOCK):
            yield bucket_of(log.tenant, first), place, first, end


def _tiles(logs: Sequence[Log], sizes: Sizes) -> Iterator[tuple[int, tuple[int, int], int, int, int]]:
    """Yield bucket, log, level, first number and end of the tiles that got hashes since the logs had these sizes.

    A hash of level `n` covers 256**n leaves (C2SP tlog-tiles).
    """
    for log in logs:
        place, span, level = (log.tenant, log.log), 1, 0
        before = min(sizes.get(place, 0), log.size)
        while span <= log.size:
            old, new = before // span, log.size // span
            if old < new:
                for first, end in _cut(old // TILE, (new - 1) // TILE + 1, BLOCK // TILE):
                    yield bucket_of(log.tenant, first * TILE), place, level, first, end
            span, level = span * TILE, level + 1


def _cut(first: int, end: int, length: int) -> Iterator[tuple[int, int]]:
    """Cut a range at the multiples of `length`."""
    while first < end:
        edge = min(end, (first // length + 1) * length)
        yield first, edge
        first = edge
