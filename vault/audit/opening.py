"""What a log says of itself: that it was opened, and after which one; that its sealer took over, or ended in order."""

from __future__ import annotations

from keys.openkeys import TenantKeys
from vault.audit import checkpoints, journal, notes
from vault.columns import Actor
from vault.store.auditlog import Log

OPENED, STARTED, STOPPED = "log_opened", "log_started", "log_stopped"  # PCI DSS v4.0.1, 10.2.1.6
NAME = "sealer"  # whom these records name


def first(log: Log, keys: TenantKeys, now: int) -> tuple[bytes, bytes]:
    """Return id and leaf of the record at position 0 of a log.

    After a restore its target names the last checkpoint outside and what was lost: the former log's name, size and root
    as in the checkpoint, then the first position that the restored log does not have and the last, joined by spaces.
    """
    target = "" if log.previous is None else lost(log)
    _, _, record_id, leaf = row(log, keys, now, OPENED, target)
    return record_id, leaf


def row(log: Log, keys: TenantKeys, now: int, operation: str, target: str = "") -> journal.Row:
    """Return the record of one of these; by default its target is the log's name."""
    actor = Actor(log.tenant, "live", NAME, NAME)
    return journal.row(
        keys, actor, now, operation, target=target or checkpoints.log_name(log.tenant, log.log)
    )


def lost(log: Log) -> str:
    """Return the target of the first record of a log that follows another."""
    body = notes.parse(log.previous or "").text
    return " ".join([*body.split("\n")[:3], str(log.lost_from), str(log.lost_to)])
