"""Sealing by hand, and a whole check of what was sealed with code that shares nothing with the vault's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.vault.audit import outside
from tests.vault.conftest import Shop
from vault.audit import checkpoints, notes
from vault.resources import Resources
from vault.sealer import Sealer
from vault.store import auditlog


def sealer(resources: Resources, holder: str = "test", told: Callable[[], bool] = lambda: False) -> Sealer:
    """Return a sealer that is worked by hand; what nobody expects fails the test."""

    def fail(error: Exception) -> None:
        raise error

    return Sealer(resources, holder, told, lambda _: None, fail)


def greedy(resources: Resources, holder: str) -> Sealer:
    """Return a sealer that takes the lease from whoever has it."""
    return sealer(replace(resources, gone=lambda _: True), holder)


def leaves(shop: Shop, log: int = 1) -> list[bytes]:
    """Return all leaves of the shop's log, in order; each position is there."""
    with shop.resources.database.read() as connection:
        found = auditlog.leaves(connection, shop.actor.tenant, log, 0, 1_000_000)
    assert [row.position for row in found] == list(range(len(found)))
    return [row.leaf for row in found]


def waiting(shop: Shop) -> list[bytes]:
    """Return the leaves of the shop's inbox, oldest id first."""
    with shop.resources.database.read() as connection:
        query = f"SELECT leaf FROM audit_record WHERE tenant = {shop.actor.tenant} ORDER BY id"
        return [bytes(leaf) for leaf in connection.exec_driver_sql(query).scalars()]


def check(shop: Shop, log: int = 1) -> list[bytes]:
    """Return the log's leaves if every checkpoint is signed by one of its keys and is of exactly these leaves."""
    held = leaves(shop, log)
    with shop.resources.database.read() as connection:
        kept = auditlog.checkpoints(connection, shop.actor.tenant, log, 0, len(held), 100_000)
        signers = [one for _, one in auditlog.signers(connection, shop.actor.tenant, log)]
        sizes = {one.log: one.size for one in auditlog.logs(connection, shop.actor.tenant)}
    name = checkpoints.log_name(shop.actor.tenant, log)
    keys = [notes.vkey(name, one.public) for one in signers if one.public]
    for one in kept:
        said = next(filter(None, [outside.checkpoint(one.note, key) for key in keys]))
        assert said == (name, one.size, outside.mth(held[: one.size]))
    assert sizes[log] == len(held) == (kept[-1].size if kept else 0)
    return held
