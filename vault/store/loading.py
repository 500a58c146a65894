"""What a restore writes into an empty database: blocks of backups, and what it works out itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from types import TracebackType
from typing import Any, Self, cast

from sqlalchemy import Boolean, Index, delete, insert

from vault.errors import BackupFromNewer
from vault.store import entries, gone
from vault.store.dialect import COLUMNS, Row
from vault.store.failures import translating
from vault.store.held import Held
from vault.store.landing import land
from vault.store.snapshots import State
from vault.store.streams import ESCROW, TABLES, Block
from vault.store.tables import epoch, metadata

HOW = {table: how for stream in TABLES.values() for table, how in stream.items()}
WRITTEN = ("index_entry", *HOW)


class Loader:
    """Loads backups into the empty database at `url`; leaving it without `finish` leaves the database empty.

    Of each stream the manifests are loaded in order, and the keyring before the data: `layer`, then `put` for every
    block, for each. The tables have no indexes but their primary keys before `finish`.

    Attributes:
        connection, dialect: of the open transaction, for what reads `vault.store`.
        database: the same for what takes a database; its `write` writes into the transaction.
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
        if block.table not in HOW:
            raise BackupFromNewer(
                f"the backup has rows of {block.table[:40]!r}, which this version does not know"
            )
        rows = self._fitted(block) if block.rows else []
        with translating():
            if HOW[block.table] == "whole" and block.table not in self._replaced:
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

    def index(self, tokens: int) -> None:
        """Write the index entries of the tokens that are there, `tokens` in number; once they all are."""
        with translating():
            entries.write(self.connection, self.epoch, tokens)

    def alive(self, block: Block) -> Block:
        """Return the block without the tokens, persons and passwords that the keyring says are gone."""
        with translating():
            return gone.alive(self.connection, self.dialect, block)

    def replay(self) -> dict[str, int]:
        """Delete the tokens with their index entries, the persons and the passwords that are gone; return how many.

        Once the keyring is loaded, so that nobody finds a person that went; and at the end.
        """
        with translating():
            return gone.replay(self.connection)

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
