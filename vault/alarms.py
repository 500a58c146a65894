"""Raise an alarm: a row in the transaction that found the reason, which the worker's alerter tells people about."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from vault.columns import Actor
from vault.store import alarms
from vault.store.writer import Transaction

KINDS: Mapping[str, str] = {
    "audit_sink_failed": "A place outside of the database does not take the audit's records.",
    "audit_sink_recovered": "A place outside of the database takes the audit's records again.",
    "audit_paused": "No place outside takes the audit's records, so every request is refused.",
    "audit_resumed": "A place outside takes the audit's records again, so requests are served.",
    "audit_behind": "Records of the audit have waited long to be sealed or copied outside.",
    "audit_damaged": "The audit's log is not what its checkpoints say.",
    "decoy_revealed": "Somebody revealed a token that nobody has a reason to know.",
    "sweep": "A caller names many tokens that do not exist, as one does who tries them out.",
    "budget_exceeded": "A caller has revealed as many values as it may in this time.",
    "caller_frozen": "A caller was stopped and may do nothing until somebody lets it again.",
    "policy_taken": "Another policy is in force.",
    "backup_target_failed": "A target of backups takes none.",
    "backup_target_recovered": "A target of backups takes them again.",
    "backup_failed": "A backup was not made.",
    "backup_late": "What was stored lately lies at too few targets of backups.",
    "backup_damaged": "A target's copy of a backup was damaged or missing, or it showed an old state.",
    "drill_failed": "A backup was restored for a trial, and something about it was wrong.",
    "drill_missed": "No backup was restored for a trial for too long.",
}
QUIET_SECONDS = 60  # in which the same alarm is counted and not raised again


def raise_alarm(
    transaction: Transaction,
    who: Actor | int | None,
    kind: str,
    detail: Mapping[str, str | int] | None = None,
    *,
    cause: str = "",
) -> str:
    """Raise an alarm with this transaction's commit; return its id.

    The same kind for the same tenant and caller within a minute is counted in the alarm that is there.

    Args:
        who: the caller who is the cause; or a tenant that it concerns; or None where it is nobody's alone.
        kind: of KINDS.
        detail: names, codes and counts; no value, token or key. `count` is ours.
        cause: what stands in the caller's place where none is the cause, such as a sink's name.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of alarm")
    tenant = who.tenant if isinstance(who, Actor) else who
    caller, request_id = (who.name, who.request_id) if isinstance(who, Actor) else (cause, "")
    said = dict(detail or {})
    # An alarm of the future was raised before the clock was set back: it keeps no other one quiet.
    since = transaction.now - QUIET_SECONDS * 1_000_000
    known = alarms.newest_like(transaction, tenant, kind, caller, since)
    if known is not None:
        alarm_id, before = known
        alarms.say_more(transaction, alarm_id, {**before, **said, "count": int(before.get("count", 1)) + 1})
        return alarm_id
    made = alarms.Alarm(
        f"alm_{secrets.token_hex(8)}", tenant, "", "", kind, said, caller, request_id, transaction.now
    )
    alarms.add(transaction, made)
    return made.id
