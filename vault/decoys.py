"""Decoys: tokens that nobody has a reason to use; whoever turns one into a value, or compares it, is told of.

Nothing stored beside the value says which they are: the mark is inside its seal (`marking`). The audit record of their
making is that of any other token, for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from keys.openkeys import TenantKeys
from vault.alarms import raise_alarm
from vault.columns import Actor
from vault.freezing import freeze
from vault.store.writer import Transaction


def touched(
    transaction: Transaction, keys: TenantKeys, actor: Actor, operation: str, fields: Sequence[str], *,
    purpose: str = "", stop: bool = False, policy: int = 0,
) -> None:  # fmt: skip
    """Raise the alarm for decoys that a request revealed or compared, in the commit that serves it.

    Args:
        operation: reveal or compare.
        fields: the field type of each decoy that was touched; nothing happens if there is none.
        stop: freeze the caller, too: `Policy.decoys_freeze`. The request is still answered, plausibly.
        policy: the version of the policy in force, for the audit record.
    """
    if not fields:
        return
    named = " ".join(sorted(set(fields)))
    detail: dict[str, str | int] = {
        "operation": operation,
        "fields": named,
        "purpose": purpose,
        "decoys": len(fields),
    }
    raise_alarm(transaction, actor, "decoy_revealed", detail)
    if stop:
        freeze(transaction, keys, actor, actor.name, "decoy_revealed", policy=policy)
