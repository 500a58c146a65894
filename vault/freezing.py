"""Callers frozen: whoever is may do nothing until another person lets them again."""

from __future__ import annotations

import re

from keys.openkeys import TenantKeys
from vault.alarms import raise_alarm
from vault.audit import journal
from vault.columns import Actor
from vault.errors import InvalidRequest, SelfApproval, UnknownCaller, VaultError
from vault.store import frozen, lineage
from vault.store.writer import Refused, Transaction

LONGEST = 512  # characters of a caller's name
_REASON = re.compile(r"[\w.:/ -]{1,200}")  # letters and digits of any script


def freeze(
    transaction: Transaction, keys: TenantKeys, actor: Actor, caller: str, reason: str, *, policy: int = 0
) -> bool:
    """Freeze a caller, in the commit that found why; False if it is frozen already.

    Args:
        actor: who does it; the caller itself where the policy has it frozen for what it did.
        reason: a stable code, or words of whoever freezes it.
        policy: the version of the policy in force, for the audit record.
    """
    by = "policy" if actor.name == caller else actor.name
    if not frozen.add(transaction, actor.tenant, caller, reason, by):
        return False
    raise_alarm(transaction, actor, "caller_frozen", {"frozen": caller, "by": by})
    _note(transaction, keys, actor, "freeze_caller", caller, "ok", policy)
    return True


def unfreeze(
    transaction: Transaction, keys: TenantKeys, actor: Actor, caller: str, *, policy: int = 0
) -> None:
    """Let a caller again; Refused with UnknownCaller, or SelfApproval where it made whoever asks."""
    error: VaultError | None = None
    everybody = lineage.read(transaction.connection, actor.tenant, transaction.now)
    if everybody.stands_for(actor.name, caller):
        error = SelfApproval("nobody lets themselves again, or a caller that made them")
    elif not (_is_name(caller) and frozen.remove(transaction, actor.tenant, caller)):
        error = UnknownCaller("no caller of that name is frozen")
    result = "ok" if error is None else str(error.code)
    # What is no caller's name may hold anything, and stays out of the audit.
    known = isinstance(error, SelfApproval) or error is None
    _note(transaction, keys, actor, "unfreeze_caller", caller if known else "", result, policy)
    if error is not None:
        raise Refused(error)


def checked(caller: str, reason: str) -> None:
    """Raise InvalidRequest unless these can be a caller's name and a reason."""
    if not _is_name(caller):
        raise InvalidRequest("a caller's name is one printable line", "/caller")
    if not _REASON.fullmatch(reason):
        raise InvalidRequest("a reason has 1 to 200 letters, digits, spaces or _.:/-", "/reason")


def _is_name(caller: str) -> bool:
    return 1 <= len(caller) <= LONGEST and caller.isprintable() and caller.strip() == caller


def _note(
    transaction: Transaction, keys: TenantKeys, actor: Actor, operation: str, caller: str, result: str, policy: int
) -> None:  # fmt: skip
    row = journal.row(
        keys, actor, transaction.now, operation,
        result=result, count=int(result == "ok"), refused=int(result != "ok"), target=caller, policy=policy,
    )  # fmt: skip
    transaction.append("audit_record", [row])
