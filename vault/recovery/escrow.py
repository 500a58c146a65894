"""Keysets for the custodians alone: a tenant's plain keys, sealed in the age format to the recovery recipients.

A blob is an age file of a MessagePack array with an array of three for each key version that is not destroyed: its id
(an integer of 63 bits), the purpose of its keyset, and its 32 bytes. It is what a restore needs where the root is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock

import msgspec

from keys.errors import KeyProblem
from keys.keyring import Keyring
from keys.openkeys import TenantKeys
from keys.secret import KEY_BYTES, Secret
from vault.backup import age
from vault.store.streams import ESCROW, Block

COLUMNS = ("tenant", "blob")
Held = dict[int, tuple[str, Secret]]


class Escrow:
    """Makes blobs, and keeps them while keysets and recipients stay as they are. Thread-safe."""

    def __init__(self, keyring: Keyring, recipients: Sequence[str]) -> None:
        """Args: `recipients` are those of the recovery key."""
        self._keyring, self._recipients = keyring, tuple(recipients)
        self._blobs: dict[int, tuple[int, bytes]] = {}
        self._lock = Lock()

    def block(self, generations: Mapping[int, int]) -> tuple[Block, dict[int, str]]:
        """Return the rows of all tenants, and why a tenant's keys are not among them, by tenant: a code.

        A tenant whose root does not answer keeps the blob that it had, if there is one.

        Args:
            generations: the generation of each tenant's keysets that a blob has at least.
        """
        with self._lock:
            return self._block(generations)

    def _block(self, generations: Mapping[int, int]) -> tuple[Block, dict[int, str]]:
        missing: dict[int, str] = {}
        rows = []
        for tenant, generation in sorted(generations.items()):
            try:
                blob = self._blob(tenant, generation)
            except KeyProblem as problem:
                missing[tenant] = problem.code
                blob = self._blobs[tenant][1] if tenant in self._blobs else b""
            if blob:
                rows.append((tenant, blob))
        self._blobs = {tenant: known for tenant, known in self._blobs.items() if tenant in generations}
        return Block(ESCROW, COLUMNS, rows), missing

    def _blob(self, tenant: int, generation: int) -> bytes:
        known = self._blobs.get(tenant)
        if known is not None and known[0] >= generation:
            return known[1]
        keys = self._keyring.whole(tenant)
        blob = age.sealed(packed(keys), self._recipients)
        self._blobs[tenant] = keys.generation, blob
        return blob


def packed(keys: TenantKeys) -> bytes:
    """Return what a blob holds of a tenant's keys."""
    found = [
        (key.id, purpose.value, key.secret.expose())
        for purpose, versions in keys.versions.items()
        for key in versions.values()
    ]
    return msgspec.msgpack.encode(found)


def opened(blob: bytes, identities: Sequence[Secret]) -> Held:
    """Return purpose and key by key id; age.NoIdentity, age.NotOpened. `identities` are of the recovery key."""
    try:
        found = _decoder.decode(age.opened(blob, identities))
    except msgspec.DecodeError:
        raise age.NotOpened("an escrow holds no keys") from None
    if any(len(key) != KEY_BYTES for _, _, key in found):
        raise age.NotOpened("an escrow holds a key of another length")
    return {key_id: (purpose, Secret(key)) for key_id, purpose, key in found}


_decoder = msgspec.msgpack.Decoder(list[tuple[int, str, bytes]])
