"""What the columns of tables that travel may hold, as MessagePack carries it: integers, text, bytes or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from vault.store.streams import ESCROW, TABLES
from vault.store.tables import metadata

_KINDS: Mapping[type, Literal["integer", "flag", "text", "bytes"]] = {
    int: "integer", bool: "flag", str: "text", bytes: "bytes"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One column.

    Attributes:
        kind: integer (64 bits, signed), flag (0 or 1), text, or bytes.
        nullable: whether it may hold nothing.
        key: whether it is of the primary key, without which there is no row.
    """

    kind: Literal["integer", "flag", "text", "bytes"]
    nullable: bool
    key: bool


@cache
def columns(table: str) -> Mapping[str, Cell]:
    """Return a travelling table's columns by name, in the order of the table; KeyError if it is none.

    A column that a migration takes from a table stays known here: backups made before it still have it.
    """
    if table == ESCROW:
        return {"tenant": Cell("integer", False, True), "blob": Cell("bytes", False, False)}
    if not any(table in names for names in TABLES.values()):
        raise KeyError(table)
    return {
        str(column.name): Cell(_KINDS[column.type.python_type], bool(column.nullable), column.primary_key)
        for column in metadata.tables[table].columns
    }
