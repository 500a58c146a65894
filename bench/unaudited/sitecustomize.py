"""A service without audit, to measure against: Python loads this where the bench put this folder on its path.

Nothing of the product knows of it: records are made of nothing and dropped, and nobody seals.
"""

from __future__ import annotations

from typing import Any

from vault.audit import journal
from vault.sealer import Sealer
from vault.store.writer import Transaction

_append = Transaction.append


def _kept(transaction: Transaction, table: str, rows: list[tuple[Any, ...]]) -> None:
    if table != "audit_record":
        _append(transaction, table, rows)


def _none(*_: object, **__: object) -> journal.Row:
    return 0, 0, b"", b""


def _nothing(_: Sealer) -> None:
    """Seal nothing."""


journal.row = _none
Transaction.append = _kept  # type: ignore[method-assign]
Sealer.start = Sealer.join = _nothing  # type: ignore[method-assign]
