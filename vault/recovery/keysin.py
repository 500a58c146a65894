"""How a restore gets at the keys: by the root keys, or out of the escrow that the custodians' shares open."""

from __future__ import annotations

from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keys.errors import KeyProblem, UnknownRoot
from keys.keyring import Keyring
from keys.keyset import OPENS, SERVICE, Purpose, State, wrapping_context
from keys.openkeys import OpenKey, TenantKeys
from keys.secret import Secret
from vault.backup import age, manifests
from vault.backup.model import Manifest, RootWrapped
from vault.errors import BackupDamaged, BackupLocked
from vault.recovery import escrow
from vault.recovery.restored import Means

KeyRow = dict[str, Any]  # of table key_version, by column

_KNOWN = frozenset(purpose.value for purpose in Purpose)
_OPENS = frozenset(state.value for state in OPENS)


def identities(chain: Sequence[Manifest], keyring: Keyring, means: Means) -> list[Secret]:
    """Return what opens the chunks of a keyring: what is given, else what the roots have of it.

    Raises BackupLocked if nothing does, KeyProblem if a root that may have it does not answer.
    """
    given = [*means.identities, *filter(None, [means.recovery])]
    if given:
        return given
    wrapped = {one.id: one for manifest in chain for one in manifest.roots if one.root in keyring.roots}
    found, failed = list[Secret](), list[KeyProblem]()
    for one in wrapped.values():
        try:
            found.append(_unwrapped(one, keyring))
        except KeyProblem as error:
            failed.append(error)
    if failed and not found:
        raise failed[0]
    if not found:
        raise BackupLocked("none of the root keys of the settings opens this backup")
    return found


def _unwrapped(one: RootWrapped, keyring: Keyring) -> Secret:
    try:
        key_id, wrapped = int(one.id, 16), b64decode(one.wrapped, validate=True)
    except ValueError:
        raise UnknownRoot("the manifest names a root's key in a way that cannot be read") from None
    context = wrapping_context(SERVICE, Purpose.BACKUP, key_id)
    return keyring.root(one.root).unwrap([wrapped], [context])[0]


def of_service(keys: Mapping[int, TenantKeys]) -> list[Secret]:
    """Return the identities of all that backups were ever sealed to for the root's sake."""
    service = keys.get(SERVICE)
    return [] if service is None else [key.secret for key in service.by_age(Purpose.BACKUP)]


def digest_key(keys: Mapping[int, TenantKeys], manifest: Manifest) -> bytes | None:
    """Return the key of a manifest's digests; None if its version opens no more."""
    service = keys.get(SERVICE)
    held = {} if service is None else service.versions.get(Purpose.MANIFEST, {})
    key = held.get(int(manifest.digest_key or "0", 16))
    return None if key is None else manifests.digest_key(key)


def forget(keys: Mapping[int, TenantKeys]) -> None:
    """Wipe the keys."""
    for tenant in keys.values():
        for versions in tenant.versions.values():
            for key in versions.values():
                key.forget()


def escrowed(blobs: Mapping[int, bytes], recovery: Secret) -> dict[int, escrow.Held]:
    """Return the keys that are in the escrow, by tenant and id; BackupLocked if the recovery key is another one's.

    Raises BackupDamaged if a blob is not what was put there.
    """
    found: dict[int, escrow.Held] = {}
    try:
        for tenant, blob in blobs.items():
            found[tenant] = escrow.opened(blob, [recovery])
    except age.NoIdentity:
        raise BackupLocked("the keysets are not in escrow for this recovery key") from None
    except age.NotOpened:
        raise BackupDamaged("the keysets in escrow do not open", "") from None
    return found


def rewrapped(
    rows: Sequence[KeyRow], held: Mapping[int, escrow.Held], keyring: Keyring, now: int
) -> tuple[list[KeyRow], int]:
    """Return the key versions wrapped by the primary root, which need not be the one that they had, and what is lost.

    A version that is not in the escrow stays as it is. One that opened is suspended: nobody has the root that wraps it,
    and the others' owner is not to be kept waiting for it. The number returned is that of those.
    """
    plain = [held.get(row["tenant"], {}).get(row["id"]) for row in rows]
    wanted = [(row, key) for row, key in zip(rows, plain, strict=True) if key is not None]
    root = keyring.root(keyring.primary_root)
    contexts = [_context(row) for row, _ in wanted]
    wrapped = root.wrap([key for _, (_, key) in wanted], contexts) if wanted else []
    fresh = {(row["tenant"], row["id"]): blob for (row, _), blob in zip(wanted, wrapped, strict=True)}
    found, lost = list[KeyRow](), 0
    for row in rows:
        blob = fresh.get((row["tenant"], row["id"]))
        if blob is not None:
            found.append({**row, "root": root.name, "wrapped": blob})
        elif row["state"] in _OPENS:
            lost += 1
            found.append({**row, "state": State.SUSPENDED.value, "deactivated_at": now})
        else:
            found.append(row)
    return found, lost


def resumed(rows: Sequence[KeyRow], chain: Sequence[Manifest]) -> list[KeyRow]:
    """Return the key versions; those that data backups name open again, though they were suspended since.

    A version may be suspended that nothing needs: these data do. What is not to open again is destroyed instead.
    """
    named = {name for manifest in chain for name in manifest.keys}
    return [
        {**row, "state": State.DEACTIVATED.value}
        if row["state"] == State.SUSPENDED and f"{row['id']:016x}" in named else row
        for row in rows
    ]  # fmt: skip


def opened(rows: Iterable[KeyRow], keyring: Keyring) -> dict[int, TenantKeys]:
    """Return the keys of all tenants, unwrapped in one call to each root.

    Raises BackupLocked if one is under a root that the settings do not list, KeyProblem if its root does not open it.
    """
    by_root: dict[str, list[KeyRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["created_at"]):  # in the order in which versions are tried
        if row["state"] in _OPENS and row["purpose"] in _KNOWN:  # another is of a newer release
            by_root[row["root"]].append(row)
    missing = sorted(set(by_root) - set(keyring.roots))
    if missing:
        raise BackupLocked(f"the settings do not list the root key {missing[0]}, which wraps keysets of it")
    found: dict[int, dict[Purpose, dict[int, OpenKey]]] = defaultdict(lambda: defaultdict(dict))
    for name, held in by_root.items():
        secrets = keyring.root(name).unwrap([row["wrapped"] for row in held], list(map(_context, held)))
        for row, secret in zip(held, secrets, strict=True):
            since = None if row["activated_at"] is None else row["activated_at"] / 1e6
            key = OpenKey(row["id"], secret, State(row["state"]), since)
            found[row["tenant"]][Purpose(row["purpose"])][row["id"]] = key
    return {tenant: TenantKeys(tenant, 0, dict(held), float("inf")) for tenant, held in found.items()}


def _context(row: KeyRow) -> bytes:
    return wrapping_context(row["tenant"], row["purpose"], row["id"])
