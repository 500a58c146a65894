"""Background work, done by one process at a time under a lease: expired tokens, old replies, epochs, old audit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial

from keys.errors import KeyProblem
from keys.openkeys import TenantKeys
from vault import custody
from vault.audit import journal
from vault.columns import Actor
from vault.resources import Resources
from vault.retaining import Retention
from vault.store import attempts, due, epochs, idempotency, leases, presence, spending
from vault.store import tokens as rows
from vault.store.writer import Transaction

LEASE_SECONDS = 120.0
BATCH = 1_000  # expired tokens deleted in one commit


class Maintenance:
    """What the worker process does every so often; `holder` names the process in the lease."""

    def __init__(self, resources: Resources, holder: str) -> None:
        self._resources, self._holder = resources, holder
        self._retention = Retention(resources)

    def run_once(self, ending: Callable[[], bool] = lambda: False) -> dict[str, int]:
        """Do all background work that is due; return counts by name, empty if another process holds the lease.

        Args:
            ending: asked between commits; once it is true, the rest is left to the next round.
        """
        database = self._resources.database
        if leases.acquire(database, "maintenance", self._holder, LEASE_SECONDS) is None:
            return {}
        done = {"expired_tokens": 0, "idempotency_replies": 0, "attempts": 0, "spending": 0}
        with database.read() as connection:
            expired = due.buckets(connection, "token", database.now())
            replies = due.buckets(connection, "idempotency", database.now())
            forgotten = due.buckets(connection, "attempt", database.now())
            spent = due.buckets(connection, "spending", database.now())
        for bucket in expired:
            if ending() or leases.acquire(database, "maintenance", self._holder, LEASE_SECONDS) is None:
                return done
            done["expired_tokens"] += self._expire(bucket, ending)
        for bucket in replies:
            if ending():
                return done
            done["idempotency_replies"] += database.write(partial(idempotency.sweep, bucket))
        for bucket in forgotten:
            if ending():
                return done
            done["attempts"] += database.write(partial(attempts.sweep, bucket))
        for bucket in spent:
            if ending():
                return done
            done["spending"] += database.write(partial(spending.sweep, bucket))
        done["destroyed_keys"] = custody.destroy_due(self._resources)
        database.write(presence.sweep)
        with database.read() as connection:
            database.dialect.checkpoint(connection)
        epochs.advance(database)
        done["closed_epoch"] = epochs.close(database)
        done["archived_records"] = self._retention.run_once(ending)
        return done

    def release(self) -> None:
        """Give the lease back, so that another process need not wait for its end."""
        leases.release(self._resources.database, "maintenance", self._holder)

    def _expire(self, bucket: int, ending: Callable[[], bool]) -> int:
        """Delete one bucket's tokens whose time is over, with an audit record for each tenant.

        Those of a tenant whose keys do not open now are left for a later round: nobody reads them any more, and a root
        that is away must not hold up the others.
        """
        database, total, closed = self._resources.database, 0, set[int]()
        while True:
            with database.read() as connection:
                found = rows.expired(connection, bucket, database.now(), BATCH, closed)
            if not found or ending():
                return total
            keys = self._keys({tenant for tenant, _ in found})
            closed |= {tenant for tenant, _ in found} - keys.keys()
            good = [one for one in found if one[0] in keys]
            if good:
                total += database.write(partial(self._shred, bucket, good, keys))

    def _keys(self, tenants: Collection[int]) -> dict[int, TenantKeys]:
        """Return the open keys of those tenants that have any, before anybody waits for the transaction."""
        found = {}
        for tenant in tenants:
            with suppress(KeyProblem):
                found[tenant] = self._resources.keyring.keys(tenant)
        return found

    @staticmethod
    def _shred(
        bucket: int, found: list[tuple[int, bytes]], keys: dict[int, TenantKeys], transaction: Transaction
    ) -> int:
        by_tenant: dict[int, list[rows.Place]] = defaultdict(list)
        for tenant, token in found:
            by_tenant[tenant].append((bucket, token))
        for tenant, places in by_tenant.items():
            gone = rows.remove(transaction, tenant, places)
            actor = Actor(tenant, "live", "maintenance", "maintenance")
            told = list(gone.values())
            row = journal.row(
                keys[tenant], actor, transaction.now, "expire", count=len(gone), tokens=list(gone),
                persons=[one.subject for one in told], fields=[one.field for one in told],
            )  # fmt: skip
            transaction.append("audit_record", [row])
        return len(found)
