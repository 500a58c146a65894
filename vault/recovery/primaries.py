"""New primaries after a restore: whoever has a copy of the old database reads nothing that is stored from then on.

How many messages a version sealed after the backup was taken is not known, either, so none of them seals again
(SP 800-38D, section 8.3).
"""

from __future__ import annotations

from collections.abc import Sequence

from keys.keyring import Keyring
from keys.keyset import OF_SERVICE, SERVICE, TURNS, State, new_key_id, wrapping_context
from keys.secret import Secret
from vault.recovery.keysin import KeyRow

_LIVE = frozenset({State.ACTIVE.value, State.SUSPENDED.value, State.DEACTIVATED.value})
_TENANTS, _SERVICES = frozenset(one.value for one in TURNS), frozenset(one.value for one in OF_SERVICE)


def renewed(rows: Sequence[KeyRow], keyring: Keyring, now: int) -> tuple[list[KeyRow], int]:
    """Return the key versions with a new primary for each keyset that turns, and how many are new.

    Former primaries open only; planned destructions stay; versions that were to become primaries never do. A keyset
    whose primary was not in the escrow has one again. The new ones are wrapped by the primary root, in one call.

    Args:
        now: microseconds since 1970 (UTC).
    """
    kept = [_former(row, now) if _turns(row) else row for row in rows]
    live = {(row["tenant"], row["purpose"]) for row in rows if _turns(row) and row["state"] in _LIVE}
    keysets = sorted(live)
    ids = [new_key_id() for _ in keysets]
    contexts = [
        wrapping_context(tenant, purpose, key) for (tenant, purpose), key in zip(keysets, ids, strict=True)
    ]
    root = keyring.root(keyring.primary_root)
    wrapped = root.wrap([Secret.random() for _ in ids], contexts) if ids else []
    made = [
        {
            "tenant": tenant, "id": key, "purpose": purpose, "state": State.ACTIVE.value, "root": root.name,
            "wrapped": blob, "messages": 0, "created_at": now, "epoch": 0, "activated_at": now,
            "deactivated_at": None, "destroy_at": None,
        }
        for (tenant, purpose), key, blob in zip(keysets, ids, wrapped, strict=True)
    ]  # fmt: skip
    return [*kept, *made], len(made)


def _turns(row: KeyRow) -> bool:
    return row["purpose"] in (_SERVICES if row["tenant"] == SERVICE else _TENANTS)


def _former(row: KeyRow, now: int) -> KeyRow:
    if row["state"] == State.ACTIVE:
        return {**row, "state": State.DEACTIVATED.value, "deactivated_at": now}
    if row["state"] == State.PRE_ACTIVE:
        return {**row, "state": State.DESTROYED.value, "wrapped": b"", "destroy_at": None}
    return row
