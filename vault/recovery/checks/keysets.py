"""Whether every key of the restored keyring opens: keyset versions, suspended ones too, and person keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keys.errors import KeyProblem
from keys.keyset import OF_TENANTS, Keyset, Purpose, State, wrapping_context
from keys.openkeys import TenantKeys
from vault.errors import VaultError
from vault.recovery.checks.scratch import PAGE, Found, Scratch
from vault.resources import Resources, open_person_key
from vault.store import stale
from vault.store.keysets import Keysets
from vault.store.stale import Person
from vault.store.streams import ESCROW

LATER = frozenset(
    {Purpose.PASSWORD}
)  # keysets that a tenant of an older version gets when it first needs them


def check(scratch: Scratch) -> Found:
    """Open every key of every tenant, and find each that the manifest says rows are under."""
    checked, held = 0, set[int]()
    for tenant in scratch.tenants:
        _, keysets = Keysets(scratch.resources.database).load(tenant.id)
        if missing := set(OF_TENANTS) - LATER - keysets.keys():
            return Found(checked, len(missing), "keyset_missing")
        for keyset in keysets.values():
            checked += _opened(scratch.resources, keyset)
            held |= {version.id for version in keyset.versions}
        people, bad = _people(scratch.resources, scratch.resources.keyring.keys(tenant.id))
        checked += people
        if bad:
            return Found(checked, bad, "person_key_unreadable")
    lacking = _not_escrowed(scratch)
    if lacking > 0:
        return Found(checked, lacking, "escrow_missing")
    named = {int(key, 16) for manifest in scratch.data for key in manifest.keys}
    lost = len(named - held)
    return Found(checked + len(named), lost, "key_missing" if lost else "")


def _not_escrowed(scratch: Scratch) -> int:
    """Return for how many tenants, the service itself being one, the custodians' shares would open no keyset.

    A blob does not open here; that the keys in it are the right ones is shown by drills with the shares.
    """
    if not any(manifest.recipients.get("recovery") for manifest in scratch.keyring):
        return 0
    rows = [sum(chunk.rows.get(ESCROW, 0) for chunk in manifest.chunks) for manifest in scratch.keyring]
    return len(scratch.tenants) + 1 - next(filter(None, reversed(rows)), 0)


def _opened(resources: Resources, keyset: Keyset) -> int:
    """Open a keyset's versions under their roots; return how many there are. Raises UnwrapError."""
    there = [version for version in keyset.versions if version.state is not State.DESTROYED]
    for root in {version.root for version in there}:
        mine = [version for version in there if version.root == root]
        contexts = [wrapping_context(keyset.tenant, keyset.purpose, version.id) for version in mine]
        resources.keyring.root(root).unwrap([version.wrapped for version in mine], contexts)
    return len(there)


def _people(resources: Resources, keys: TenantKeys) -> tuple[int, int]:
    """Return how many person keys a tenant has, and how many of them do not open."""
    checked = bad = 0
    for rows in _pages(resources, keys.tenant):
        checked += len(rows)
        bad += sum(not _opens(keys, row) for row in rows)
    return checked, bad


def _pages(resources: Resources, tenant: int) -> Iterator[Sequence[Person]]:
    after, every = b"", stale.wrapped_by_another(0)
    while True:
        with resources.database.read() as connection:
            rows = stale.people(connection, tenant, every, after, PAGE)
        yield rows
        if len(rows) < PAGE:
            return
        after = stale.place_of(rows[-1])


def _opens(keys: TenantKeys, row: Person) -> bool:
    try:
        open_person_key(keys, keys.tenant, row.digest, row.key, row.wrapped, row.wrap_key)
    except (VaultError, KeyProblem):
        return False
    return True
