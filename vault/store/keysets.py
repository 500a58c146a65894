"""Keysets and tenants in the database: the `keys.KeyStore` of this product."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import insert, select, update

from keys.errors import KeysetChanged
from keys.keyset import SERVICE, Keyset, KeyVersion, Purpose, State
from vault.errors import InvalidRequest, StoreConflict
from vault.store.database import Database
from vault.store.tables import key_version, tenant
from vault.store.writer import Refused, Transaction

KNOWN = frozenset(purpose.value for purpose in Purpose)


class Keysets:
    """Keeps keysets in table `key_version`; a change of any raises its tenant's generation in the same commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, tenant_id: int) -> tuple[int, dict[Purpose, Keyset]]:
        """Return the tenant's generation and keysets; (0, {}) if there is no such tenant."""
        versions: dict[Purpose, list[KeyVersion]] = {}
        with self._database.read() as connection:
            generation = connection.execute(
                select(tenant.c.generation).where(tenant.c.id == tenant_id)
            ).scalar()
            if generation is None:
                return 0, {}
            found = connection.execute(
                select(key_version)
                .where(key_version.c.tenant == tenant_id)
                .order_by(key_version.c.created_at)
            )
            for row in found:
                if row.purpose in KNOWN:  # another is of a newer release, whose processes run beside this one
                    versions.setdefault(Purpose(row.purpose), []).append(_version(row))
        keysets = {purpose: Keyset(tenant_id, purpose, tuple(held)) for purpose, held in versions.items()}
        return generation, keysets

    def generations(self, tenants: Sequence[int]) -> dict[int, int]:
        """Return the current generation of each of these tenants."""
        if not tenants:
            return {}
        with self._database.read() as connection:
            found = connection.execute(
                select(tenant.c.id, tenant.c.generation).where(tenant.c.id.in_(tenants))
            )
            return {row.id: row.generation for row in found}

    def save(self, tenant_id: int, keyset: Keyset, expected: int) -> int:
        """Store the keyset's versions; raise KeysetChanged unless the tenant's generation was `expected`."""
        return self._database.write(partial(put, tenant_id, keyset, expected))

    def reserve(self, tenant_id: int, key_id: int, messages: int, limit: int) -> bool:
        """Count `messages` more on a key; False, and nothing counted, if that would pass `limit`."""

        def work(transaction: Transaction) -> bool:
            counted = transaction.connection.execute(
                update(key_version)
                .where(
                    key_version.c.tenant == tenant_id,
                    key_version.c.id == key_id,
                    key_version.c.messages + messages <= limit,
                )
                .values(messages=key_version.c.messages + messages)
            )
            return counted.rowcount == 1

        return self._database.write(work)

    def create_tenants(
        self,
        name: str,
        modes: Sequence[str],
        keysets: Sequence[Sequence[Keyset]],
        also: Callable[[Transaction], None],
    ) -> None:
        """Store one business's tenants, one a mode, each with its keysets, and what `also` writes, in one commit.

        Raises InvalidRequest if there is a tenant of that name.
        """

        def work(transaction: Transaction) -> None:
            for mode, held in zip(modes, keysets, strict=True):
                transaction.connection.execute(
                    insert(tenant).values(
                        id=held[0].tenant, name=name, mode=mode, generation=1, created_at=transaction.now
                    )
                )
                _put(transaction, held)
            also(transaction)

        try:
            self._database.write(work)
        except StoreConflict:
            raise InvalidRequest("there is a tenant of that name already") from None

    def create_service(self, name: str, mode: str, keysets: Sequence[Keyset]) -> None:
        """Store the service's own keysets, unless another process did so first."""

        def work(transaction: Transaction) -> None:
            transaction.dialect.serialize(transaction.connection, "service keysets")
            known = select(tenant.c.id).where(tenant.c.id == SERVICE)
            if transaction.connection.execute(known).first() is None:
                values = {"id": SERVICE, "name": name, "mode": mode, "generation": 1}
                transaction.connection.execute(
                    insert(tenant).values(values | {"created_at": transaction.now})
                )
                _put(transaction, keysets)

        self._database.write(work)

    def tenants(self, name: str) -> dict[str, int]:
        """Return the ids of a business's tenants by mode; empty if there is none of that name."""
        mine = (tenant.c.name == name) & (tenant.c.id != SERVICE)
        with self._database.read() as connection:
            found = connection.execute(select(tenant.c.mode, tenant.c.id).where(mine))
            return {row.mode: row.id for row in found}


def put(tenant_id: int, keyset: Keyset, expected: int, transaction: Transaction) -> int:
    """Store the keyset's versions in a transaction; return the new generation.

    Nobody writes under the generation before any more once this has committed: writes hold their tenant's row.
    Raises Refused, with KeysetChanged, unless the tenant's generation was `expected`.
    """
    transaction.dialect.exclude(transaction.connection, tenant_id)
    raised = transaction.connection.execute(
        update(tenant)
        .where(tenant.c.id == tenant_id, tenant.c.generation == expected)
        .values(generation=expected + 1)
    )
    if raised.rowcount != 1:
        raise Refused(KeysetChanged("somebody else changed the keyset first"))
    _put(transaction, [keyset])
    return expected + 1


def rewrap(tenant_id: int, old: KeyVersion, root: str, wrapped: bytes, transaction: Transaction) -> bool:
    """Store one version's key as another root, or another version of its root, wraps it; False if it changed meanwhile.

    The plain key is the same, so the generation is, too, and nobody has to load anything.
    """
    changed = transaction.connection.execute(
        update(key_version)
        .where(
            key_version.c.tenant == tenant_id,
            key_version.c.id == old.id,
            key_version.c.root == old.root,
            key_version.c.wrapped == old.wrapped,
        )
        .values(root=root, wrapped=wrapped, epoch=transaction.epoch)
    )
    return changed.rowcount == 1


def new_tenant_id() -> int:
    """Return a random tenant id, 1 to 2**63 - 1."""
    return secrets.randbelow(2**63 - 1) + 1


def still_wrapped(tenant_id: int, version: KeyVersion, transaction: Transaction) -> bool:
    """Whether a version is wrapped as it was read; nobody wraps it anew before the transaction ends."""
    query = select(key_version.c.root, key_version.c.wrapped).where(
        key_version.c.tenant == tenant_id, key_version.c.id == version.id
    )
    held = transaction.connection.execute(query.with_for_update()).one()
    return (held.root, held.wrapped) == (version.root, version.wrapped)


def _put(transaction: Transaction, keysets: Sequence[Keyset]) -> None:
    """Update the states of the versions that are there, insert those that are not.

    A wrapped key that is there changes by `rewrap` alone, or goes: it may have been wrapped anew since it was read.
    """
    connection = transaction.connection
    for keyset in keysets:
        known = set(
            connection.execute(
                select(key_version.c.id).where(
                    key_version.c.tenant == keyset.tenant, key_version.c.purpose == keyset.purpose
                )
            ).scalars()
        )
        for version in keyset.versions:
            values: dict[str, object] = {
                "state": version.state.value, "epoch": transaction.epoch,
                "activated_at": _micros(version.activated_at), "deactivated_at": _micros(version.deactivated_at),
                "destroy_at": _micros(version.destroy_at),
            }  # fmt: skip
            if version.id not in known:
                values |= {
                    "tenant": keyset.tenant, "id": version.id, "purpose": keyset.purpose.value, "messages": 0,
                    "root": version.root, "wrapped": version.wrapped, "created_at": _micros(version.created_at),
                }  # fmt: skip
                connection.execute(insert(key_version).values(values))
                continue
            if version.state is State.DESTROYED:
                values["wrapped"] = b""
            mine = (key_version.c.tenant == keyset.tenant) & (key_version.c.id == version.id)
            connection.execute(update(key_version).where(mine).values(values))


def _version(row: Any) -> KeyVersion:
    return KeyVersion(
        row.id, State(row.state), row.root, row.wrapped, row.created_at / 1e6, _seconds(row.activated_at),
        _seconds(row.deactivated_at), _seconds(row.destroy_at), row.messages,
    )  # fmt: skip


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / 1e6


def _micros(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1e6)
