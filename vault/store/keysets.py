"""Keysets and tenants in the database: the `keys.KeyStore` of this product."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from sqlalchemy import bindparam, insert, select, update

from keys.errors import KeysetChanged
from keys.keyset import Keyset, KeyVersion, Purpose, State
from vault.errors import InvalidRequest, StoreConflict
from vault.store.database import Database
from vault.store.tables import key_version, tenant
from vault.store.writer import Refused, Transaction


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
                version = KeyVersion(row.id, State(row.state), row.root, row.wrapped, row.created_at / 1e6)
                versions.setdefault(Purpose(row.purpose), []).append(version)
        keysets = {purpose: Keyset(tenant_id, purpose, tuple(held)) for purpose, held in versions.items()}
        return generation, keysets

    def save(self, tenant_id: int, keyset: Keyset, expected: int) -> int:
        """Store the keyset's versions; raise KeysetChanged unless the tenant's generation was `expected`."""

        def work(transaction: Transaction) -> int:
            raised = transaction.connection.execute(
                update(tenant)
                .where(tenant.c.id == tenant_id, tenant.c.generation == expected)
                .values(generation=expected + 1)
            )
            if raised.rowcount != 1:
                raise Refused(KeysetChanged("somebody else changed the keyset first"))
            _put(transaction, [keyset])
            return expected + 1

        return self._database.write(work)

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

    def tenants(self, name: str) -> dict[str, int]:
        """Return the ids of a business's tenants by mode; empty if there is none of that name."""
        with self._database.read() as connection:
            found = connection.execute(select(tenant.c.mode, tenant.c.id).where(tenant.c.name == name))
            return {row.mode: row.id for row in found}


def new_tenant_id() -> int:
    """Return a random tenant id, 1 to 2**63 - 1."""
    return secrets.randbelow(2**63 - 1) + 1


def _put(transaction: Transaction, keysets: Sequence[Keyset]) -> None:
    """Update the versions that are there, insert those that are not."""
    connection = transaction.connection
    for keyset in keysets:
        known = set(
            connection.execute(
                select(key_version.c.id).where(
                    key_version.c.tenant == keyset.tenant, key_version.c.purpose == keyset.purpose
                )
            ).scalars()
        )
        rows = [
            {
                "b_tenant": keyset.tenant, "b_id": version.id, "purpose": keyset.purpose.value,
                "state": version.state.value, "root": version.root, "wrapped": version.wrapped,
                "created_at": int(version.created_at * 1e6), "epoch": transaction.epoch,
            }
            for version in keyset.versions
        ]  # fmt: skip
        changed = [row for row in rows if row["b_id"] in known]
        if changed:
            connection.execute(
                update(key_version).where(
                    key_version.c.tenant == bindparam("b_tenant"), key_version.c.id == bindparam("b_id")
                ),
                changed,
            )
        added = [row for row in rows if row["b_id"] not in known]
        for row in added:
            row["tenant"], row["id"] = row.pop("b_tenant"), row.pop("b_id")
        if added:
            connection.execute(insert(key_version).values(messages=0), added)
