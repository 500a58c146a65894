"""One state of a database, read for backups while others write on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from operator import itemgetter
from time import sleep
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from vault.index import BUCKETS
from vault.store import auditlog, epochs, revision
from vault.store.database import Database
from vault.store.dialect import COLUMNS, Dialect, Row
from vault.store.extracts import Extracts, Sizes
from vault.store.failures import translating
from vault.store.streams import TABLES, Block, Stream
from vault.store.tables import metadata

ROWS, BYTES = 8_192, 4 * 1_024 * 1_024  # of a block: full at either
LONG = ("sealed", "metadata", "wrapped", "leaf", "hashes", "note", "document", "detail", "notes")
FLAT = 16  # bytes that any other value counts as
WAIT, NAP = (
    0.2,
    0.01,
)  # seconds: for transactions that may still write into the epoch before, and between two looks

_KEYS = (
    "SELECT seal_key, count(*) FROM token WHERE subject IS NULL AND seal_key IS NOT NULL GROUP BY seal_key",
    "SELECT index_key, count(*) FROM token WHERE sealed IS NULL AND index_key IS NOT NULL GROUP BY index_key",
    "SELECT wrap_key, count(*) FROM subject GROUP BY wrap_key",
    "SELECT seal_key, count(*) FROM password GROUP BY seal_key",
)
_CHECKPOINTS = (
    "SELECT l.tenant, c.note FROM audit_log l JOIN audit_checkpoint c "
    f"ON c.bucket = (l.tenant % {BUCKETS} + l.size / {auditlog.BLOCK}) % {BUCKETS} "
    "AND c.tenant = l.tenant AND c.log = l.log AND c.size = l.size "
    "WHERE l.log = (SELECT max(n.log) FROM audit_log n WHERE n.tenant = l.tenant) ORDER BY l.tenant"
)


class State:
    """What a connection sees in one transaction.

    Attributes:
        until: the newest epoch that was closed before: nothing of it, or of those before it, can be missing.
        schema: the revision of the database.
    """

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection, self._dialect = connection, dialect
        self._streams: WeakSet[Generator[list[Row]]] = WeakSet()
        self._extracts = Extracts(connection.dialect.name == "postgresql")
        closed = "SELECT max(id) FROM epoch WHERE closed_at IS NOT NULL"
        self.until: int = self._rows(closed)[0][0] or 0
        self.schema = revision.current(connection) or ""

    def blocks(self, stream: Stream, since: int, sizes: Sizes) -> Iterator[Block]:
        """Yield a stream's rows, each table's together, in the order of `streams.TABLES`.

        Rows of a block are in the order of the primary key; of a table in full, those of all its blocks are. A table
        that goes whole has a block even if it has no rows. While all rows are read, nothing else is asked of this.

        Args:
            since: epochs up to this one are the base's; -1 for all rows there are.
            sizes: of the audit logs in the base, by tenant and number; empty for all of them.
        Raises StoreUnavailable if the database fails.
        """
        for table, how in TABLES[stream].items():
            if since < 0 or how == "whole":
                whole = [self._extracts.whole(table)]
                yield from self._blocks(table, whole, empty=how == "whole", alone=since < 0)
            elif how == "epoch":
                yield from self._blocks(table, [self._extracts.since(table, since)], sort=True)
            else:
                logs = auditlog.logs(self._connection)
                find = self._extracts.leaves if table == "audit_leaf" else self._extracts.tiles
                yield from self._blocks(table, find(logs, sizes))

    def table(self, name: str) -> Iterator[Block]:
        """Yield all rows of one table, as `blocks` does."""
        yield from self._blocks(name, [self._extracts.whole(name)])

    def counts(self, stream: Stream) -> dict[str, int]:
        """Return how many rows each table of a stream has; reads all of them."""
        return {table: self._rows(self._extracts.count(table))[0][0] for table in TABLES[stream]}

    def keys(self) -> dict[str, int]:
        """Return how many rows each keyset version seals or wraps, or finds although they have no value.

        By its id in 16 hex digits; reads all tokens. Versions of the audit keyset are not among them: without one,
        only the search for tokens in old records is lost.
        """
        found = dict[str, int]()
        for query in _KEYS:
            for key, count in self._rows(query):
                found[f"{key:016x}"] = found.get(f"{key:016x}", 0) + count
        return dict(sorted(found.items()))

    def checkpoints(self) -> list[str]:
        """Return the newest signed checkpoint of each tenant's current log, as far as it has one."""
        return [note for _, note in self._rows(_CHECKPOINTS)]

    def sizes(self) -> dict[tuple[int, int], int]:
        """Return how many leaves each log has, by tenant and number."""
        return {(log.tenant, log.log): log.size for log in auditlog.logs(self._connection)}

    def _rows(self, statement: str) -> list[Row]:
        return [row for piece in self._stream(statement) for row in piece]

    def _stream(self, statement: str, *, alone: bool = False) -> Iterator[list[Row]]:
        rows = self._dialect.stream(self._connection, statement, alone=alone)
        self._streams.add(rows)
        with translating():
            yield from rows

    def _blocks(
        self, table: str, statements: Iterable[str], *, sort: bool = False, empty: bool = False, alone: bool = False
    ) -> Iterator[Block]:  # fmt: skip
        columns = COLUMNS[table]
        key = _key(table) if sort else None
        long = [at for at, name in enumerate(columns) if name in LONG]
        held: list[Row] = []
        size = 0
        for statement in statements:
            for piece in self._stream(statement, alone=alone):
                for part, weight in _parts(piece, long):
                    if held and (size + weight > BYTES or len(held) + len(part) > ROWS):
                        yield Block(table, columns, sorted(held, key=key) if key else held)
                        held, size = [], 0
                    held += part
                    size += weight
        if held or empty:
            yield Block(table, columns, sorted(held, key=key) if key else held)


class Snapshot(State):
    """The state of a database at one moment, for the thread that enters it; writers go on.

    While it is open, SQLite's write-ahead log grows, and PostgreSQL keeps the row versions it may read.

    Attributes:
        taken_at: microseconds since 1970 (UTC); what was committed before is in it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Self:
        """Raises StoreUnavailable if the database does not answer."""
        connection = self._database.connect()
        try:
            with translating():
                self.taken_at = self._database.now()
                for statement in (self._database.dialect.snapshot, *self._database.dialect.patience):
                    connection.exec_driver_sql(statement).close()
                super().__init__(connection, self._database.dialect)
        except BaseException:
            connection.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(DBAPIError):
            for rows in list(
                self._streams
            ):  # one that was left halfway must not end later, in others' transactions
                rows.close()
            self._connection.exec_driver_sql("ROLLBACK").close()
        self._connection.close()


def prepare(database: Database) -> int:
    """Open a new epoch, and close those before it as far as that takes no longer than others' short transactions.

    What is written after this, and before the snapshot, is in the snapshot too, and again in the one that follows.
    Returns the newest closed epoch.
    """
    newest = epochs.advance(database)
    closed, waited = epochs.close(database), 0.0
    while closed < newest - 1 and waited < WAIT:
        sleep(NAP)
        waited += NAP
        closed = epochs.close(database)
    return closed


def _parts(piece: list[Row], long: Sequence[int]) -> Iterator[tuple[list[Row], int]]:
    """Cut rows, if they are too many bytes for one block, into parts that are not, but for single rows."""
    weight = FLAT * len(piece) * len(piece[0])
    for at in long:
        weight += sum(map(len, filter(None, map(itemgetter(at), piece))))
    if weight <= BYTES or len(piece) == 1:
        yield piece, weight
        return
    middle = len(piece) // 2
    yield from _parts(piece[:middle], long)
    yield from _parts(piece[middle:], long)


def _key(table: str) -> Callable[[Sequence[Any]], Any]:
    names = metadata.tables[table].primary_key.columns.keys()
    return itemgetter(*[COLUMNS[table].index(name) for name in names])
