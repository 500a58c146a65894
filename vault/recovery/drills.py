"""What the service does with reports of drills: verified, kept, told of; and whether one is missed."""

from __future__ import annotations

from vault.alarms import raise_alarm
from vault.audit.notes import Verifier
from vault.backup import layout
from vault.backup.plan import Plan
from vault.columns import Actor
from vault.errors import BackupsNotConfigured, InvalidReport, InvalidRequest
from vault.permitting import permit
from vault.recovery import reports
from vault.recovery.reports import Report
from vault.resources import Resources
from vault.store import drills as rows
from vault.store.catalogue import known_installation
from vault.store.drills import Drill
from vault.store.writer import Transaction

AHEAD = 300_000_000  # microseconds that a drill host's clock may be ahead: a report of the future keeps alarms quiet
MAX_LIMIT = 1_000


def take_report(resources: Resources, actor: Actor, note: str) -> Drill:
    """Keep a drill's report, note at its backup that it was restored, and raise an alarm if the drill failed.

    A report that was taken before is no failure, and changes nothing.

    Raises:
        BackupsNotConfigured: the recipients name no drill host that signs reports.
        InvalidReport: none of them signed it, it is of another service, or of the future.
    """
    given = permit(resources, actor, "backups")
    report = _read(resources, note)
    made = Drill(
        report.id, report.target, report.number, report.passed, report.begun_at, report.taken_at, round(report.rto),
        note,
    )  # fmt: skip
    keys = resources.keyring.keys(actor.tenant)

    def work(transaction: Transaction) -> None:
        if not rows.add_drill(transaction, made):
            return
        if not report.passed:
            raise_alarm(transaction, None, "drill_failed", _detail(report), cause=report.target)
        result = "ok" if report.passed else "drill_failed"
        row = given.row(
            keys, transaction.now, operation="report_drill", target=report.id, count=1, result=result
        )
        transaction.append("audit_record", [row])

    resources.database.write(work, deadline=actor.deadline)
    return made


def drills(resources: Resources, actor: Actor, limit: int = 100) -> list[Drill]:
    """Return the newest drills (1 to 1,000), the newest first."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidRequest("limit must be 1 to 1,000", "/limit")
    permit(resources, actor, "backups")
    with resources.database.read() as connection:
        return rows.drills(connection, limit)


def missed(plan: Plan, newest: int | None, now: int) -> bool:
    """Whether it is too long since a drill passed.

    Args:
        newest: microseconds since 1970 (UTC), when the newest drill that passed began; before the first, when the first
            backup was made; None where there is none, and so nothing to be drilled.
    """
    return plan.drilled > 0 and newest is not None and now - newest > plan.drilled * 1e6


def _read(resources: Resources, note: str) -> Report:
    known = [Verifier(vkey) for vkey in resources.backups.recipients.reporters]
    if not known:
        raise BackupsNotConfigured(
            "the recipients name no drill host: `strongroom drill init` prints the line"
        )
    report = reports.read(note, known)
    if report.begun_at > resources.database.now() + AHEAD:
        raise InvalidReport("the report is of the future: the drill host's clock is ahead of this one's")
    with resources.database.read() as connection:
        mine = known_installation(connection)
    if report.installation and (mine is None or report.installation != layout.installation(mine[0])):
        raise InvalidReport("the report is of another service's backups")
    return report


def _detail(report: Report) -> dict[str, str | int]:
    """Return what an alarm says: names and codes."""
    failed = report.failed[:8]
    return {
        "drill": report.id, "target": report.target, "backup": report.number,
        "failed": " ".join(f"{check.name}:{check.code}" for check in failed) or "restored",
    }  # fmt: skip
