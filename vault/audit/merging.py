"""Runs of a log's trail become fewer and longer, so that a look-up reads few pages; see `vault.audit.trail`."""

from __future__ import annotations

from collections.abc import Callable

from vault.audit import trail
from vault.store import auditruns
from vault.store.auditgrowth import replace_runs
from vault.store.auditlog import Log
from vault.store.database import Database
from vault.store.writer import Transaction


def merge(database: Database, log: Log, hold: Callable[[Transaction], None]) -> bool:
    """Merge runs of one tier into one of the next, in one commit; return whether there was anything to merge.

    Args:
        hold: raises Refused if the log is another sealer's by now: nobody else writes runs.
    """
    with database.snapshot(), database.read() as connection:
        runs = auditruns.runs(connection, log)
        part = trail.mergeable([(run.tier, run.pages) for run in runs])
        if part is None:
            return False
        streams = [auditruns.pages(connection, log, run) for run in runs[part]]
        pages = [(page.first, page.last, page.entries) for page in trail.merge(streams)]

    def work(transaction: Transaction) -> None:
        hold(transaction)
        replace_runs(transaction, log, runs[part], pages)

    database.write(work)
    return True
