"""Verifiers sealed under the password keyset, each bound to its tenant and account; and that keyset's first version."""

from __future__ import annotations

from collections.abc import Sequence

from keys.errors import KeysetChanged
from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import cipher
from vault.passwords.verifier import Verifier, from_bytes, to_bytes
from vault.resources import Resources
from vault.store.keysets import Keysets
from vault.store.passwords import Password

FIELD, SLOT = "password", "verifier"  # what the ciphertext is bound to besides tenant, account and key


def keys_of(resources: Resources, tenant: int) -> TenantKeys:
    """Return the tenant's open keys, the password keyset made first if the tenant is from before there was one."""
    keys = resources.keyring.keys(tenant)
    if keys.versions.get(Purpose.PASSWORD):
        return keys
    store = Keysets(resources.database)
    generation, held = store.load(tenant)
    if Purpose.PASSWORD not in held:
        made = resources.keyring.create(tenant, Purpose.PASSWORD, resources.database.clock())
        try:
            store.save(tenant, made, generation)
        except KeysetChanged:  # another process was quicker, or turned another keyset
            return keys_of(resources, tenant)
    return resources.keyring.reload(tenant)


def seal_column(keys: TenantKeys, accounts: Sequence[bytes], verifiers: Sequence[Verifier]) -> list[bytes]:
    """Seal verifiers under the primary; the caller has counted the messages (`Keyring.spend`)."""
    plain = [to_bytes(verifier) for verifier in verifiers]
    return cipher.seal(keys.primary(Purpose.PASSWORD), keys.tenant, FIELD, SLOT, accounts, plain)


def open_column(keys: TenantKeys, rows: Sequence[Password]) -> list[Verifier]:
    """Open the verifiers of rows; UnreadableValue if one was altered or moved, or its key is not held here."""
    opened = cipher.open_column(
        keys.tenant, SLOT, [FIELD] * len(rows), [row.account for row in rows], [row.sealed for row in rows],
        lambda key_id: keys.version(Purpose.PASSWORD, key_id), {},
    )  # fmt: skip
    return [from_bytes(text) for text in opened]


def seal_one(resources: Resources, keys: TenantKeys, account: bytes, verifier: Verifier) -> tuple[bytes, int]:
    """Count and seal one verifier; return it and the key version that sealed it."""
    primary = keys.primary(Purpose.PASSWORD)
    resources.keyring.spend(keys.tenant, primary, 1)
    return seal_column(keys, [account], [verifier])[0], primary.id
