"""What a restore writes into an empty database: blocks of backups, and what it works out itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from types import TracebackType
from typing import Any, Self, cast

from sqlalchemy import Boolean, Index, delete, insert

from vault.errors import BackupFromNewer
from vault.store import departures
from vault.store.database import translating
from vault.store.dialect import COLUMNS, Row
from vault.store.held import Held
from vault.store.landing import land
from vault.store.snapshots import State
from vault.store.streams import ESCROW, TABLES, Block
from vault.store.tables import epoch, metadata

HOW = {table: how for stream in TABLES.values() for table, how in stream.items()}
WRITTEN = ("index_entry", *HOW)
_PLACE = ("bucket", "tenant", "token")

_DEPARTED = (
    "DELETE FROM {table} WHERE EXISTS (SELECT 1 FROM departure d WHERE d.bucket = {table}.bucket "
    "AND d.tenant = {table}.tenant AND d.kind = {kind} AND d.id = {table}.{name} AND d.at >= {table}.created_at)"
)
_ERASED = (
    "DELETE FROM subject WHERE EXISTS (SELECT 1 FROM erasure e WHERE e.bucket = subject.bucket "
    "AND e.tenant = subject.tenant AND e.subject = subject.digest AND e.key = subject.key)"
)
_BURIED = (
    "DELETE FROM token WHERE (bucket, tenant, token) IN (SELECT bucket, tenant, token FROM tombstone)",
    "DELETE FROM index_entry "
    "WHERE (token_bucket, tenant, token) IN (SELECT bucket, tenant, token FROM tombstone)",
)


class Loader:
    """Loads backups into the empty database at `url`; leaving it without `finish` leaves the database empty.

    Of each stream the manifests are loaded in order, and the keyring before the data: `layer`, then `put` for every
    block, for each. The tables have no indexes but their primary keys before `finish`.

    Attributes:
        connection, dialect: of the open transaction, for what reads `vault.store`.
        database: the same as a database, for what takes one; its `write` writes into the transaction.
    """

    def __init__(self, url: str, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._url, self._clock, self._monotonic = url, clock, monotonic
        self._newest, self._upserts, self._replaced = 0, False, set[str]()

    def __enter__(self) -> Self:
        """Raises DatabaseNotEmpty, SchemaBehind, StoreUnavailable or InvalidRequest; see `landing.land`."""
        self._landing = land(self._url, self._clock, self._monotonic)
        self.connection, self.dialect = self._landing.connection, self._landing.database.dialect
        self.database = Held(self.connection, self.dialect, self._clock, lambda: self.epoch)
        try:
            with translating():
                self._each_index(lambda index: index.drop(self.connection))
        except BaseException:
            self.abort()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    @property
    def epoch(self) -> int:
        """Return that of what is written beside the blocks: later than that of any row that was put."""
        return self._newest + 1

    def layer(self, *, full: bool) -> None:
        """Begin another manifest; `full`: the first of its stream, whose rows come once and find none."""
        self._upserts, self._replaced = not full, set()

    def put(self, block: Block) -> None:
        """Write rows, each in the place of the one with its primary key.

        The first block of a manifest that has rows of a table that travels whole takes the place of all its rows.
        Columns that the block lacks become null; those that the table has no more are left out. Escrowed keys are no
        rows.
        Raises BackupFromNewer if there is no such table, or a column is lacking that cannot be null, StoreConflict
        if rows clash, StoreUnavailable if the database fails.
        """
        if block.table == ESCROW:
            return
        if block.table not in WRITTEN:
            raise BackupFromNewer(
                f"the backup has rows of {block.table[:40]!r}, which this version does not know"
            )
        rows = self._fitted(block) if block.rows else []
        with translating():
            if HOW.get(block.table) == "whole" and block.table not in self._replaced:
                self._replaced.add(block.table)
                self.connection.execute(delete(metadata.tables[block.table]))
            if not rows:
                return
            if "epoch" in COLUMNS[block.table]:
                newest = max(map(itemgetter(COLUMNS[block.table].index("epoch")), rows))
                self._newest = max(self._newest, newest)
            if self._upserts and HOW[block.table] != "whole":
                self.dialect.put(self.connection, block.table, _key(block.table), rows)
            else:
                self.dialect.insert(self.connection, block.table, rows)

    def entries(self, rows: Sequence[Row]) -> None:
        """Write index entries, each in the place of the one with its primary key.

        Args:
            rows: without their epoch: bucket, tenant, key, digest, tie, token_bucket, token.
        """
        made = sorted((*row, self.epoch) for row in rows)
        with translating():
            self.dialect.put(self.connection, "index_entry", _key("index_entry"), made)

    def alive(self, block: Block) -> Block:
        """Return the block without the tokens, persons and passwords that the keyring says are gone."""
        gone = self._gone(block)
        if not gone:
            return block
        return Block(block.table, block.columns, [row for at, row in enumerate(block.rows) if at not in gone])

    def _gone(self, block: Block) -> set[int]:
        """Return which rows of a block the keyring says are gone, by number."""
        if block.table == "token":
            place = _picker(block, "bucket", "tenant", "token")
            found = self._look_up("tombstone", _PLACE, _PLACE, map(place, block.rows))
            buried = set(found)
            return {at for at, row in enumerate(block.rows) if place(row) in buried} if buried else set()
        kind = next((kind for kind in departures.KINDS if kind == block.table), None)
        if kind is None:
            return set()
        place = _picker(block, "bucket", "tenant", departures.NAMED[kind])
        on, number = ("kind", "bucket", "tenant", "id"), departures.KINDS[kind]
        found = self._look_up("departure", (*on[1:], "at"), on, ((number, *place(row)) for row in block.rows))
        departed, created = {row[:3]: row[3] for row in found}, _picker(block, "tenant", "created_at")
        return {at for at, row in enumerate(block.rows) if created(row)[1] <= departed.get(place(row), -1)}

    def _look_up(
        self, table: str, columns: Sequence[str], on: Sequence[str], keys: Iterable[Row]
    ) -> list[Row]:
        with translating():
            return self.dialect.look_up(self.connection, table, columns, on, list(keys))

    def replay(self) -> dict[str, int]:
        """Delete the tokens with their index entries, the persons and the passwords that went; return how many of each.

        Once the keyring is loaded, so that nobody finds a person that went; and at the end.
        """
        gone = dict[str, int]()
        with translating():
            for kind, number in departures.KINDS.items():
                statement = _DEPARTED.format(table=kind, kind=number, name=departures.NAMED[kind])
                gone[kind] = self._run(statement)
            gone["subject"] += self._run(_ERASED)
            gone["token"] = self._run(_BURIED[0])
            if gone["token"]:
                self._run(_BURIED[1])
        return gone

    def state(self) -> State:
        """Return what there is now, to be read as a snapshot is."""
        return State(self.connection, self.dialect)

    def finish(self) -> None:
        """Make the indexes, let the epochs go on behind those that were loaded, and let all be seen, durably.

        Raises StoreConflict if rows clash, StoreUnavailable if the database fails; then nothing is there.
        """
        with translating():
            self._each_index(lambda index: index.create(self.connection))
            self.connection.execute(delete(epoch))
            self.connection.execute(insert(epoch).values(id=self.epoch, opened_at=self.database.now()))
        self._landing.finish()

    def abort(self) -> None:
        """Leave nothing; after `finish` it does nothing."""
        self._landing.abort()

    def _run(self, statement: str) -> int:
        return self.connection.exec_driver_sql(statement).rowcount

    def _each_index(self, work: Callable[[Index], None]) -> None:
        for table in WRITTEN:
            for index in sorted(metadata.tables[table].indexes, key=lambda index: str(index.name)):
                work(index)

    def _fitted(self, block: Block) -> Sequence[Row]:
        """Return the rows with the columns of this version's table."""
        columns, rows = metadata.tables[block.table].columns, cast("Sequence[Row]", block.rows)
        if list(block.columns) != COLUMNS[block.table]:
            known = {name: at for at, name in enumerate(block.columns)}
            lacking = [column.name for column in columns if column.name not in known and not column.nullable]
            if lacking:
                raise BackupFromNewer(f"the backup's rows of {block.table} lack {lacking[0]}")
            places = [known.get(name) for name in COLUMNS[block.table]]
            rows = [tuple([None if at is None else row[at] for at in places]) for row in rows]
        flags = [at for at, column in enumerate(columns) if isinstance(column.type, Boolean)]
        return _flagged(rows, flags) if flags and self.connection.dialect.name == "postgresql" else rows


def _flagged(rows: Sequence[Row], flags: Sequence[int]) -> Sequence[Row]:
    """Return rows with these columns as truth values, which PostgreSQL does not take integers for."""
    values: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for at in flags:
        values[at] = map(bool, values[at])
    return list(zip(*values, strict=True))


def _key(table: str) -> Sequence[str]:
    return metadata.tables[table].primary_key.columns.keys()


def _picker(block: Block, *columns: str) -> Callable[[Sequence[Any]], Row]:
    """Return what gives these columns of the block's rows, two or more."""
    names = list(block.columns)
    return itemgetter(*[names.index(name) for name in columns])
