"""After a restore: the database's log ends, and the next one names the last checkpoint outside and what is lost."""

from __future__ import annotations

from collections.abc import Sequence

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault.audit import checkpoints, notes, tiles
from vault.audit.checkpoints import Checkpoint
from vault.audit.faults import AuditFault
from vault.audit.signing import signer
from vault.errors import InvalidCheckpoint, LogNotBehind
from vault.store.auditlog import Log, Signer


def number_of(tenant: int, origin: str) -> int:
    """Return the number of the tenant's log that a checkpoint names; InvalidCheckpoint if it is none of its logs."""
    number = origin.rpartition("/")[2]
    if not number.isdecimal() or len(number) > 9 or checkpoints.log_name(tenant, int(number)) != origin:
        raise InvalidCheckpoint("the checkpoint is of no log of this tenant", "/checkpoint")
    return int(number)


def read(tenant: int, note: str, signers: Sequence[Signer], keys: TenantKeys) -> tuple[int, Checkpoint]:
    """Return the number of the log that a checkpoint from outside is of, and what it says.

    Its signature is of an audit keyset version: one that a log of this database had, or one that opens now, since the
    restored database may not have seen that log at all. Raises InvalidCheckpoint if it is of none.
    """
    try:
        parsed = notes.parse(note)
        found = checkpoints.read(parsed.text)
        number = number_of(tenant, found.origin)
        public = {one.public for one in signers if one.public}
        public |= {signer(key, tenant, number).public for key in keys.by_age(Purpose.AUDIT)}
        known = [notes.Verifier(notes.vkey(found.origin, key)) for key in public]
        return number, checkpoints.opened(parsed, found.origin, known)
    except AuditFault as error:
        raise InvalidCheckpoint(f"not a checkpoint of this tenant's log: {error}", "/checkpoint") from None


def following(
    tenant: int, log: Log | None, number: int, found: Checkpoint, note: str, now: int, read: tiles.Read
) -> Log:
    """Return the log that follows; LogNotBehind if the database has as many records as the checkpoint covers.

    Args:
        log: the newest of the database; None if it has none.
        number, found: of the checkpoint from outside.
        read: reads the log's tiles.
    """
    known = log.size if log is not None and log.log == number else 0
    if 0 < found.size <= known and tiles.frontier(found.size, read).root() != found.root:
        raise LogNotBehind(
            "the log went on after the restore and is another one than the checkpoint's: it is forked"
        )
    if (log is not None and log.log > number) or found.size <= known:
        raise LogNotBehind("the checkpoint is not ahead of the log: nothing of it is lost")
    return Log(tenant, number + 1, now, None, 0, 0, note, known, found.size - 1)
