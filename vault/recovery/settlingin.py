"""What makes loaded rows a database of their own: its keys, its name, and jobs that nobody carries on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vault.backup import layout
from vault.backup.model import Origin
from vault.recovery.keysin import KeyRow
from vault.store import catalogue, jobs
from vault.store.dialect import COLUMNS
from vault.store.loading import Loader
from vault.store.streams import Block

RESTORED = "restored"  # the error of jobs that a restore ended

_AT = {name: at for at, name in enumerate(COLUMNS["job"])}


def ended(block: Block, now: int) -> Block:
    """Return rows of `job` that no worker goes on with: half of what one did may be in another database alone.

    Args:
        block: with all columns of the table.
        now: microseconds since 1970 (UTC).
    """
    over = {
        "state": jobs.FAILED, "error": RESTORED, "finished_at": now, "updated_at": now, "holder": "",
        "leased_until": 0,
    }  # fmt: skip
    places = {_AT[name]: value for name, value in over.items()}
    rows = [
        row
        if row[_AT["finished_at"]] is not None
        else tuple(places.get(at, cell) for at, cell in enumerate(row))
        for row in block.rows
    ]
    return Block(block.table, block.columns, rows)


def put_keys(loader: Loader, tenants: Sequence[dict[str, object]], versions: Sequence[KeyRow]) -> None:
    """Put in key versions as they are now, and raise the generation of every tenant."""
    loader.layer(full=False)
    raised = [{**row, "generation": row["generation"] + 1} for row in tenants]  # type: ignore[operator]
    epoch = loader.epoch
    loader.put(_block("tenant", raised))
    loader.put(_block("key_version", [{**row, "epoch": epoch} for row in versions]))


def name_installation(loader: Loader, origin: Origin) -> str:
    """Give the database a name of its own, which says what it follows; return it."""
    follows = msgspec.json.encode(origin).decode()
    number = loader.database.write(lambda transaction: catalogue.enter_installation(transaction, follows))
    return layout.installation(number)


def _block(table: str, rows: Sequence[dict[str, object]]) -> Block:
    return Block(table, COLUMNS[table], [tuple(row[name] for name in COLUMNS[table]) for row in rows])
