"""Settings into a working vault: the one place that picks implementations, clock and randomness."""

from __future__ import annotations

import os
import socket
import time

from api.config import Settings
from api.roots import open_roots
from keys.keyring import Keyring
from keys.provider import KeyStore, RootKey
from vault.maintenance import Maintenance
from vault.resources import Resources
from vault.service import Vault
from vault.store.database import Database
from vault.store.keysets import Keysets


def open_database(settings: Settings) -> Database:
    """Return the database, which is not touched yet."""
    return Database(settings.database(), time.time, time.monotonic)


def open_resources(settings: Settings) -> Resources:
    """Return database and keyring, the root keys opened; KeyFileError or SettingsError if they cannot be."""
    roots, primary_root = open_roots(settings)
    database = open_database(settings)
    keyring = OwningKeyring(Keysets(database), roots, primary_root, settings.lease_seconds)
    keyring.expire_in_time()
    return Resources(database, keyring, time.monotonic)


class OwningKeyring(Keyring):
    """A keyring that closes its roots when it forgets: nothing of them is left to cross a fork."""

    def __init__(self, store: KeyStore, roots: dict[str, RootKey], primary_root: str, lease: float) -> None:
        super().__init__(store, roots, primary_root, time.monotonic, lease)
        self._owned = tuple(roots.values())

    def forget(self) -> None:
        """Wipe every key in memory, and end the roots' threads and connections."""
        super().forget()
        for root in self._owned:
            root.close()


def open_vault(settings: Settings) -> Vault:
    """Return the vault that the doors call."""
    return Vault(open_resources(settings))


def open_maintenance(settings: Settings) -> Maintenance:
    """Return the background work of the worker process."""
    return Maintenance(open_resources(settings), f"{socket.gethostname()}:{os.getpid()}")
