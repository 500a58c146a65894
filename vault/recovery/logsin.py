"""The audit logs of all tenants after a restore: which checkpoint is the newest known of each, and what follows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault.audit import checkpoints, journal, notes, reopening
from vault.audit.checkpoints import Checkpoint
from vault.audit.faults import AuditFault
from vault.columns import Actor
from vault.errors import BackupDamaged, InvalidCheckpoint, UnknownBackup
from vault.recovery import relogging
from vault.recovery.archive import Archive
from vault.recovery.choosing import Choice
from vault.recovery.restored import Reopened
from vault.store import auditgrowth, auditlog
from vault.store.auditlog import Log
from vault.store.loading import Loader
from vault.store.writer import Transaction

NAME = "restore"  # the operation that is put on record, and in whose name
Known = tuple[int, Checkpoint, str]  # the number of a log, what a checkpoint of it says, and its note


@dataclass(frozen=True, slots=True)
class Ending:
    """A tenant's logs as they were restored, the one that follows, and what is told of it."""

    former: Sequence[Log]
    new: Log
    told: Reopened


def newest_known(archive: Archive, choice: Choice) -> list[str]:
    """Return the checkpoints of the newest data backup at the target that can be read, chosen or not."""
    chosen = choice.data[-1]
    for number in reversed(archive.numbers(chosen.installation, "data")):
        if number <= chosen.number:
            break
        try:
            newest, _ = archive.manifest(chosen.installation, "data", number)
        except (BackupDamaged, UnknownBackup):
            continue
        if newest.checkpoints:
            return list(newest.checkpoints)
    return list(chosen.checkpoints)


def by_tenant(given: Sequence[str]) -> dict[int, list[str]]:
    """Return checkpoints by the tenant whose log they name; InvalidCheckpoint if one names none."""
    found: dict[int, list[str]] = defaultdict(list)
    for note in given:
        try:
            parts = checkpoints.read(notes.parse(note).text).origin.split("/")
            found[int(parts[1], 16)].append(note)
        except (AuditFault, ValueError, IndexError):
            raise InvalidCheckpoint("a checkpoint is of no tenant's audit log", "/checkpoint") from None
    return found


def has_log(keys: TenantKeys) -> bool:
    """Whether a tenant has an audit log: all but the service itself."""
    return Purpose.AUDIT in keys.versions


def require_known(outside: Mapping[int, Sequence[str]], keys: Mapping[int, TenantKeys]) -> None:
    """Return if all checkpoints are of tenants that the backup has; InvalidCheckpoint."""
    if any(tenant not in keys or not has_log(keys[tenant]) for tenant in outside):
        raise InvalidCheckpoint("a checkpoint is of a tenant that the backup does not have", "/checkpoint")


def examine(
    loader: Loader, keys: TenantKeys, outside: Sequence[str], now: int, progress: Callable[[int], None]
) -> Ending:
    """Examine a tenant's logs, enter their trail, and return what is to follow them.

    Args:
        outside: checkpoints of the tenant's logs that are kept elsewhere.
        now: microseconds since 1970 (UTC).
        progress: hears how many records were read.
    Raises InvalidCheckpoint if none of the tenant's keys signed one of these.
    """
    tenant, connection = keys.tenant, loader.connection
    held = auditlog.logs(connection, tenant)
    signers = [one for _, one in auditlog.signers(connection, tenant)]
    known: list[Known] = [(*reopening.read(tenant, note, signers, keys), note) for note in outside]
    damage: list[tuple[str, str]] = []
    for log, later in zip(held, [*held[1:], None], strict=False):
        mine = [note for number, found, note in known if number == log.log and found.size <= log.size]
        report = relogging.examine(loader, log, later, mine, progress)
        damage += [(one.kind, f"log {log.log}: {one.reason}") for one in report.findings if one.tampering]
    inside = [(log.log, found) for log in held[-1:] if (found := _last(loader, log)) is not None]
    known += [(number, checkpoints.read(notes.parse(note).text), note) for number, note in inside]
    new = relogging.following(tenant, held, relogging.newest(known), now)
    return Ending(held, new, _told(new, damage))


def begin(loader: Loader, keys: TenantKeys, mode: str, ending: Ending, target: str) -> None:
    """End a tenant's log, open the next, and put on record that this is a restore.

    Args:
        target: what was restored: an installation and the number of its backup.
    """
    former = next((log for log in ending.former if log.closed_at is None), None)
    actor = Actor(keys.tenant, "test" if mode == "test" else "live", NAME, NAME, kind="local")

    def work(transaction: Transaction) -> None:
        auditgrowth.follow(transaction, former, ending.new)
        row = journal.row(keys, actor, transaction.now, NAME, target=target, count=1)
        transaction.append("audit_record", [row])

    loader.database.write(work)


def _last(loader: Loader, log: Log) -> str | None:
    """Return the checkpoint of all that is in a log; None if nothing is, or it cannot be read."""
    found = auditlog.checkpoint(loader.connection, log.tenant, log.log, log.size)
    try:
        if found is not None:
            checkpoints.read(notes.parse(found.note).text)
            return found.note
    except AuditFault:  # told as what is wrong with the log
        pass
    return None


def _told(new: Log, damage: Sequence[tuple[str, str]]) -> Reopened:
    former = "" if new.previous is None else checkpoints.read(notes.parse(new.previous).text).origin
    return Reopened(
        new.tenant, new.log, former, new.lost_from or 0, -1 if new.lost_to is None else new.lost_to, damage
    )
