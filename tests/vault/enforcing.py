"""Policies put in force without the second person that a caller needs, and audit records of what came of it."""

from __future__ import annotations

import hashlib

from tests.vault.conftest import Shop
from vault.audit import leaf
from vault.audit.leaf import Record
from vault.columns import Actor
from vault.policy.document import read
from vault.store import policies
from vault.store.policies import Taken
from vault.store.writer import Transaction


def enforce(shop: Shop, text: str, *, broken: bool = False) -> int:
    """Put a policy in force, which must be one unless it is to be `broken`; return its version."""
    whose = shop.actor.tenant
    if not broken:
        read(text)
    with shop.resources.database.read() as connection:
        version = (policies.newest(connection, whose) or (0, ""))[0] + 1

    def work(transaction: Transaction) -> None:
        digest = hashlib.sha256(text.encode()).digest()
        policies.add(transaction, whose, Taken(version, text, digest, "key_0", None, transaction.now))

    shop.resources.database.write(work)
    shop.resources.policies.forget(whose)
    return version


def records(shop: Shop, operation: str | None = None, actor: Actor | None = None) -> list[Record]:
    """Return the audit records of a caller, the oldest first."""
    name = (actor or shop.actor).name
    with shop.resources.database.read() as connection:
        found = connection.exec_driver_sql("SELECT leaf FROM audit_record ORDER BY id")
        told = [leaf.decode(bytes(row[0])) for row in found]
    return [one for one in told if one.actor == name and operation in {None, one.operation}]
