"""Rows of a restored database counted: none may be missing that the manifest says there were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault.backup import layout
from vault.backup.model import Manifest
from vault.errors import BackupDamaged
from vault.store import replay
from vault.store.loading import Loader
from vault.store.streams import TABLES

_OUT = {"token": "tokens", "password": "passwords", "subject": "persons"}  # as what rows of these stay out


def require(
    manifest: Manifest, found: Mapping[str, int], left_out: Mapping[str, int], *, exact: bool
) -> None:
    """Return unless rows of a manifest's state are missing, or there are others; BackupDamaged names the table.

    Args:
        found: rows of each table.
        left_out: rows that stayed out, some perhaps counted twice.
        exact: nothing was deleted between this state and the keyring's, so that no token may be out or too many.
    """
    hows = TABLES[manifest.stream]
    for table, count in manifest.counts.items():
        here = found.get(table)
        if here is None or table not in hows:
            continue  # of an older version
        out = 0 if exact and table == "token" else left_out.get(_OUT.get(table, ""), 0)
        most = count if hows[table] == "whole" or (exact and table == "token") else None
        if here + out < count or (most is not None and here > most):
            path = layout.manifest(manifest.installation, manifest.stream, manifest.number)
            raise BackupDamaged(
                f"table {table} has {here} rows, and not the {count} that were backed up", path
            )


def unreadable(loader: Loader, keys: Mapping[int, TenantKeys]) -> Counter[str]:
    """Return how many passwords and persons are under a key version that is no more."""
    found: Counter[str] = Counter()
    asked = (
        ("password", "seal_key", Purpose.PASSWORD, "passwords"),
        ("subject", "wrap_key", Purpose.SEAL, "persons"),
    )
    for table, column, purpose, name in asked:
        for tenant, key, count in replay.under_keys(loader.connection, table, column):
            held = keys.get(tenant)
            if held is None or key not in held.versions.get(purpose, {}):
                found[name] += count
    return found
