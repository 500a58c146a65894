"""Whose hand signs a log: the Ed25519 key that an audit keyset version gives it."""

from __future__ import annotations

from keys.openkeys import OpenKey
from vault.audit.checkpoints import log_name
from vault.audit.notes import Signer
from vault.context import derivation
from vault.keyed import expand


def signer(key: OpenKey, tenant: int, log: int) -> Signer:
    """Return what signs a tenant's log under an audit keyset version; it goes with the key's lease."""
    use = derivation("audit signer", tenant)
    return key.derived((use, log), lambda secret: Signer(log_name(tenant, log), expand(secret, use)))
