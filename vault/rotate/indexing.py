"""Everything that an older version of the index keyset finds comes under its primary; tokens stay what they are.

An entry moves from the old key to the new one in one commit with its token's row. A writer looks under the old
versions first and claims under the primary then, so it meets the entry on either side of the move, and one value keeps
one token.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from keys.errors import UnknownKey
from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import index
from vault.columns import Actor
from vault.errors import UnreadableValue
from vault.resources import open_values
from vault.rotate.run import Run
from vault.rotate.sealing import BATCH, readable
from vault.store import stale
from vault.store.tokens import entry_tie
from vault.store.writer import Transaction


@dataclass(frozen=True, slots=True, repr=False)
class _Move:
    """A token's row and the digest of its value under the primary."""

    row: stale.Indexed
    digest: bytes


def entries(run: Run) -> bool:
    """Move the next index entries; what does not open is left where it is, and counted."""
    keys, database = run.keys(), run.resources.database
    primary = keys.primary(Purpose.INDEX)
    with database.read() as connection:
        found = stale.entries(connection, run.tenant, primary.id, run.job.place, BATCH)
    if not found:
        return True
    good, values = _values(run, keys, found)
    moves = _moves(run, keys, good, values)

    def work(transaction: Transaction) -> None:
        _move(run.tenant, primary.id, moves, transaction)

    run.commit(
        work, keys=keys, place=stale.place_of(found[-1]), done=run.job.done + len(good),
        skipped=run.job.skipped + len(found) - len(good),
    )  # fmt: skip
    return False


def _values(
    run: Run, keys: TenantKeys, found: Sequence[stale.Indexed]
) -> tuple[Sequence[stale.Indexed], list[bytes]]:
    """Return the rows that open, and their values."""
    actor = Actor(run.tenant, "live", run.job.actor, run.job.request_id)

    def opened(rows: Sequence[stale.Indexed]) -> list[bytes]:
        sealed = [row.sealed or b"" for row in rows]
        return open_values(run.resources, keys, actor, "value", rows, sealed).values

    try:
        return found, opened(found)
    except (UnreadableValue, UnknownKey):
        good = readable(found, lambda row: opened([row]))
        return good, opened(good)


def _moves(run: Run, keys: TenantKeys, good: Sequence[stale.Indexed], values: Sequence[bytes]) -> list[_Move]:
    primary = keys.primary(Purpose.INDEX)
    columns: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, row in enumerate(good):
        columns[row.field, row.scope].append(at)
    moves = []
    for (field, scope), places in columns.items():
        texts = [values[at].decode() for at in places]
        digests = index.digests(primary, run.tenant, field, scope, texts)
        moves += [_Move(good[at], digest) for at, digest in zip(places, digests, strict=True)]
    return moves


def _move(tenant: int, primary: int, moves: Sequence[_Move], transaction: Transaction) -> None:
    """Let the rows name their new entries, then move the entries of those rows that were still there."""
    connection, dialect = transaction.connection, transaction.dialect
    changed = dialect.change(
        connection, "token", ("index_key", "digest", "epoch"), ("bucket", "token", "index_key"), tenant,
        [(primary, one.digest, transaction.epoch, one.row.bucket, one.row.token, one.row.index_key)
         for one in moves],
    )  # fmt: skip
    moved = [one for one in moves if (one.row.bucket, one.row.token, one.row.index_key) in changed]
    old, new = [], []
    for one in moved:
        row = one.row
        tie = entry_tie(row.kind, bool(row.deterministic), row.token)
        old.append((row.index_bucket, row.index_key, row.digest, tie))
        where = (row.index_bucket, tenant, primary, one.digest, tie)
        new.append((*where, row.bucket, row.token, transaction.epoch))
    dialect.delete(connection, "index_entry", ("bucket", "key", "digest", "tie"), tenant, old)
    dialect.insert(connection, "index_entry", new)
