"""What still needs a key version: it cannot go before that has gone, or been put under another."""

from __future__ import annotations

from sqlalchemy import Connection

from keys.keyset import Keyset, KeyVersion, Purpose, State
from vault.errors import KeyInUse
from vault.store import catalogue, jobs, stale


def needs(
    connection: Connection, keyset: Keyset, version: KeyVersion, now: int, *, backups: bool = True
) -> dict[str, int]:
    """Return how much there is of each thing that needs the version, where there is any; `now` in microseconds.

    Args:
        backups: count those that could not be restored in full without it, too.
    """
    tenant, found = keyset.tenant, dict[str, int]()
    if version.state is State.ACTIVE:
        found["new_writes"] = 1
    if version.state is State.PRE_ACTIVE:
        found["jobs"] = jobs.unfinished(connection, tenant, jobs.target_of(keyset.purpose))
    if keyset.purpose is Purpose.SEAL:
        found |= stale.under_seal(connection, tenant, version.id)
    elif keyset.purpose is Purpose.INDEX:
        found |= stale.under_index(connection, tenant, version.id)
    elif keyset.purpose is Purpose.PASSWORD:
        found |= stale.under_password(connection, tenant, version.id)
    elif keyset.purpose is Purpose.AUDIT and version.activated_at is not None:
        until = now if version.deactivated_at is None else int(version.deactivated_at * 1e6)
        found |= stale.under_audit(connection, tenant, version.id, int(version.activated_at * 1e6), until)
    if backups:
        found["backups"] = catalogue.needing(connection, version.id)
    return {name: count for name, count in found.items() if count}


def require_none(found: dict[str, int]) -> None:
    """Raise KeyInUse, which says what, if anything needs the version."""
    if found:
        told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found.items())
        raise KeyInUse(f"the key version is needed by {told}")
