"""What is remembered of person keys and passwords that were deleted, so that no restore brings them back.

A departure has the key of the row that went, and a time `at` that is not before the row's `created_at`. Who enters the
same person or password anew gets a row that was created after it. So a row that a backup has is left out by a restore
if, and only if, its `created_at` is not after the `at` of its departure, whichever clocks the times are of. (Epochs do
not tell the two apart: a row may go and come again within one.) Tokens are told by their tombstones alone: none comes
again. Processes of the release before remember nothing; the erasure ledger names the keys of the persons they erased.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from vault.store.dialect import Row
from vault.store.writer import Transaction

Kind = Literal["subject", "password"]
KINDS: dict[Kind, int] = {"subject": 1, "password": 2}
NAMED: dict[Kind, str] = {"subject": "digest", "password": "account"}  # the column that departures call `id`

Gone = tuple[int, bytes, int]  # bucket and id of a row, and when it was created, microseconds


def enter(transaction: Transaction, kind: Kind, tenant: int, gone: Sequence[Gone]) -> None:
    """Remember rows that this transaction deletes."""
    rows: list[Row] = [
        (bucket, tenant, KINDS[kind], one, max(transaction.now, created_at), transaction.epoch)
        for bucket, one, created_at in sorted(gone)
    ]
    transaction.dialect.put(transaction.connection, "departure", ("bucket", "tenant", "kind", "id"), rows)


def outlive(transaction: Transaction, kind: Kind, tenant: int, places: Sequence[tuple[int, bytes]]) -> None:
    """Let rows that this transaction has entered be younger than those of the same key that went before.

    They are, unless a process whose clock is ahead deleted those.
    """
    keys = [(bucket, KINDS[kind], one) for bucket, one in places]
    on = ("bucket", "kind", "id")
    found = transaction.dialect.match(
        transaction.connection, "departure", ("bucket", "id", "at"), on, tenant, keys
    )
    later = [(at + 1, bucket, one) for bucket, one, at in found if at >= transaction.now]
    transaction.dialect.change(
        transaction.connection, kind, ("created_at",), ("bucket", NAMED[kind]), tenant, later
    )
