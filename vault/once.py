"""Carry a request out once under its Idempotency-Key: look first, keep the reply last, all in the work's own commit."""

from __future__ import annotations

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import index
from vault.columns import Remember
from vault.store import idempotency
from vault.store.writer import Transaction


class Once:
    """One request's Idempotency-Key as keyed digests; does nothing where the request has none."""

    def __init__(self, keys: TenantKeys, tenant: int, remember: Remember | None) -> None:
        self._tenant, self._remember = tenant, remember
        if remember is not None:
            route = keys.primary(Purpose.ROUTE)
            self._key = index.request_digest(route, tenant, "idempotency key", remember.key.encode())
            self._print = index.request_digest(route, tenant, "idempotency request", remember.request)

    def check(self, transaction: Transaction) -> None:
        """Refuse with AlreadyDone or IdempotencyKeyReused if the key was used before; call it before any change."""
        if self._remember is not None:
            idempotency.check(transaction, self._tenant, self._key, self._print)

    def keep(self, transaction: Transaction, result: object) -> None:
        """Keep the reply to `result`."""
        if self._remember is not None:
            reply = self._remember.render(result)
            idempotency.keep(transaction, self._tenant, self._key, self._print, reply)
