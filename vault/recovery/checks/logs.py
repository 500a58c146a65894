"""Whether every audit log is what its checkpoints say: those beside it, and those in the signed manifest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from vault.audit import checkpoints, notes
from vault.audit.faults import AuditFault
from vault.audit.gathering import examined
from vault.recovery.checks.scratch import Found, Scratch
from vault.resources import Resources
from vault.store import auditlog


def check(scratch: Scratch, seal: Callable[[Resources], object]) -> Found:
    """Seal what waits, as the service would, and examine every log.

    Args:
        seal: moves records from the inbox into the logs, and signs.
    """
    seal(scratch.resources)
    outside, checked = _outside(scratch), 0
    database = scratch.resources.database
    for tenant in scratch.tenants:
        keys = scratch.resources.keyring.keys(tenant.id)
        with database.read() as connection:
            found = auditlog.logs(connection, tenant.id)
            waiting = auditlog.pending(connection, tenant.id, 1)
        if waiting:
            return Found(checked, 1, "audit_not_sealed")
        for log, later in zip(found, [*found[1:], None], strict=True):
            kept = outside.pop(checkpoints.log_name(tenant.id, log.log), ())
            report = examined(database, log, later, keys, kept)
            checked += report.records
            if report.first is not None:
                return Found(checked, 1, f"audit_{report.first.kind}")
    return Found(checked, len(outside), "audit_log_missing" if outside else "")


def _outside(scratch: Scratch) -> dict[str, Sequence[str]]:
    """Return the checkpoints in the manifests, by the name of their log; what is none is of no log."""
    found: Mapping[str, list[str]] = defaultdict(list)
    for note in (note for manifest in scratch.data for note in manifest.checkpoints):
        try:
            name = checkpoints.read(notes.parse(note).text).origin
        except AuditFault:
            name = ""
        found[name].append(note)
    return {**found}
