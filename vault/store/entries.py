"""The blind index written all at once from the rows of tokens, which say where each one's entry lies."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from vault.index import BUCKETS

AT_ONCE = 2_000_000  # rows that SQLite sorts in memory: some 100 bytes each

_WRITE = (
    "INSERT {either} INTO index_entry (bucket, tenant, key, digest, tie, token_bucket, token, epoch) "
    "SELECT index_bucket, tenant, index_key, digest, CASE WHEN deterministic THEN {kind} ELSE token END, bucket, "
    "token, {epoch} FROM token WHERE digest IS NOT NULL{part} ORDER BY 1, 2, 3, 4, 5 {otherwise}"
)
# The tie of deterministic tokens is one byte, their kind: see `tokens.entry_tie`.
_SQLITE = {"either": "OR IGNORE", "kind": "CAST(char(kind) AS BLOB)", "otherwise": ""}
_POSTGRESQL = {
    "either": "",
    "kind": "set_byte('\\x00'::bytea, 0, kind)",
    "otherwise": "ON CONFLICT DO NOTHING",
}


def write(connection: Connection, epoch: int, tokens: int) -> None:
    """Write the entries of all tokens that name one, in the order of their key; there are none before.

    Where two name the same, which cannot be, the first has it.

    Args:
        epoch: of the entries.
        tokens: how many there are.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_WRITE.format(epoch=int(epoch), part="", **_POSTGRESQL))
        return
    for first, last in _parts(tokens):
        part = f" AND index_bucket BETWEEN {first} AND {last}"
        connection.exec_driver_sql(_WRITE.format(epoch=int(epoch), part=part, **_SQLITE))


def _parts(tokens: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of buckets that are sorted at once; the table is read for each."""
    step = max(1, BUCKETS * AT_ONCE // max(tokens, AT_ONCE))
    for first in range(0, BUCKETS, step):
        yield first, min(first + step, BUCKETS) - 1
