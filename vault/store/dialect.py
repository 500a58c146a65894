"""What differs between databases on the hot path: bulk statements, locks, lanes; all else is SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from sqlalchemy import Connection

from vault.store import tables

Row = tuple[Any, ...]
Lock = Literal["", "share", "update"]

PIECE = 256  # rows that are read from the database at once where a whole table is

COLUMNS = {
    name: [str(column.name) for column in table.columns] for name, table in tables.metadata.tables.items()
}


class Dialect(Protocol):
    """The hot statements of one kind of database."""

    lanes: int  # write transactions at once in one process
    snapshot: str  # begins a transaction that reads one state, on a connection in autocommit
    patience: Sequence[str]  # lets a transaction that has begun take hours

    def turn(self) -> AbstractContextManager[None]:
        """Give a context in which this process may write."""
        ...

    def guard(self, connection: Connection, tenants: set[int]) -> tuple[int, dict[int, int]]:
        """Return the current epoch, and the key generation of each tenant, which may not change before the commit."""
        ...

    def exclude(self, connection: Connection, tenant: int) -> None:
        """Wait for those who hold the tenant's generation, and let nobody else hold it before the transaction ends."""
        ...

    def insert(self, connection: Connection, table: str, rows: Sequence[Row]) -> None:
        """Insert whole rows, if there are any, in the order of the table's columns; a clash raises IntegrityError."""
        ...

    def match(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], tenant: int,
        keys: Sequence[Row], lock: Lock = "",
    ) -> list[Row]:  # fmt: skip
        """Return `columns` of the rows of `table` whose `on` columns equal one of `keys`, in any order.

        `lock`: until the transaction ends, "share" keeps others from changing them, "update" also from sharing them.
        """
        ...

    def look_up(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], keys: Sequence[Row]
    ) -> list[Row]:  # fmt: skip
        """Return `columns` of the rows whose `on` columns equal one of `keys`, whosever they are; in any order."""
        ...

    def stream(self, connection: Connection, statement: str, *, alone: bool = False) -> Generator[list[Row]]:
        """Yield a query's rows as the driver makes them, up to `PIECE` at a time, within a transaction.

        Others of the same transaction may be open. `alone`: nothing else is asked of the connection before this one
        ends or is closed, so that a server may work ahead.
        """
        ...

    def anywhere(
        self, connection: Connection, table: str, columns: Sequence[str], tenant: int, equal: dict[str, Any]
    ) -> list[Row]:
        """Return `columns` of the tenant's rows with these values, whichever bucket they lie in."""
        ...

    def claim(self, connection: Connection, table: str, key: Sequence[str], rows: Sequence[Row]) -> set[Row]:
        """Insert whole rows whose `key` is not there yet; return the keys of those inserted."""
        ...

    def put(self, connection: Connection, table: str, key: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert whole rows, each in the place of the one with its `key`, if there is one; `key` is the primary one."""
        ...

    def delete(
        self, connection: Connection, table: str, on: Sequence[str], tenant: int, keys: Sequence[Row]
    ) -> None:
        """Delete the tenant's rows of `table` whose `on` columns equal one of `keys`."""
        ...

    def change(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], tenant: int,
        rows: Sequence[Row],
    ) -> set[Row]:  # fmt: skip
        """Set `columns` of the tenant's rows whose `on` columns are as said; return the `on` values that were there.

        Each of `rows` holds the new values and then the values of `on`, which name at least the primary key.
        """
        ...

    def checkpoint(self, connection: Connection) -> None:
        """Leave nothing that was deleted in a log beside the database, as far as the database lets one."""
        ...

    def serialize(self, connection: Connection, name: str) -> None:
        """Let one transaction at a time past this point, until it ends."""
        ...

    def worth_retrying(self, error: BaseException) -> bool:
        """Whether the same work may succeed when tried again."""
        ...


def quoted(columns: Iterable[str]) -> str:
    """Return the names of columns as SQL takes them: one of them is a word of its own (window)."""
    return ", ".join(f'"{name}"' for name in columns)


def flat(rows: Sequence[Row]) -> Row:
    """Return the values of all rows in one tuple, as one statement binds them."""
    return tuple(value for row in rows for value in row)
