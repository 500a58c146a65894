"""Settings into a working vault: the one place that picks implementations, clock and randomness."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from api import processes
from api.config import Settings
from api.hashing.late import LateHasher, open_pool
from api.hashing.remote import RemoteHasher
from api.outside import open_gate
from api.recoveryplan import plan
from api.roots import open_roots
from keys import resident
from keys.keyring import Keyring
from vault.passwords.hasher import Hasher
from vault.passwords.rules import Rules
from vault.presence import Presence
from vault.resources import Passwords, Records, Resources
from vault.service import Vault
from vault.store.database import Database
from vault.store.keysets import Keysets

if TYPE_CHECKING:
    from api.callers.caller import Caller
    from api.callers.directory import Directory
    from api.logs import RequestLog


def open_database(settings: Settings) -> Database:
    """Return the database, which is not touched yet."""
    return Database(settings.database(), time.time, time.monotonic)


def open_resources(settings: Settings) -> Resources:
    """Return database and keyring, the root keys opened; KeyFileError or SettingsError if they cannot be."""
    roots, primary_root = open_roots(settings)
    database = open_database(settings)
    keyring = Keyring(
        Keysets(database), roots, primary_root, time.monotonic, settings.lease_seconds,
        max_messages=settings.max_messages, cryptoperiod=settings.cryptoperiod_days * 86_400,
    )  # fmt: skip
    keyring.expire_in_time()
    return Resources(
        database, keyring, time.monotonic, processes.gone, open_passwords(settings), open_hasher(settings),
        Records(settings.audit_archive, settings.audit_days), open_gate(settings, database), plan(settings),
    )  # fmt: skip


def open_vault(settings: Settings) -> Vault:
    """Return the vault that the doors call."""
    return Vault(open_resources(settings))


def open_passwords(settings: Settings) -> Passwords:
    """Return how passwords are treated; SettingsError if that cannot be."""
    rules = Rules(
        least=settings.password_min_characters, normalize=settings.password_normalize,
        least_score=settings.password_min_score,
    )  # fmt: skip
    recorded = settings.login_record_days * 86_400
    return Passwords(settings.profile(), rules, settings.limits(), recorded)


def open_hasher(settings: Settings) -> Hasher:
    """Return what hashes passwords: the process that the settings name, or a pool in this one, made when it is used."""
    if settings.hasher_socket is not None:
        return RemoteHasher(settings.hasher_socket, settings.hashing_wait_seconds, settings.hashing_waiting)
    return LateHasher(lambda: open_pool(settings), settings.hashing_memory_mib * 1_024)


def open_directory(settings: Settings, vault: Vault) -> Directory | None:
    """Return the callers beside API keys; None where there are none. SettingsError if their file cannot be used."""
    if settings.callers_file is None:
        return None
    from api.callers import document
    from api.callers.directory import Directory

    found = document.load(settings.callers_file)

    def granted(caller: Caller) -> frozenset[str]:
        return vault.granted(caller.tenant, caller.name, caller.kind, caller.claims)

    return Directory(found, vault.find_tenant, granted)


def open_presence(resources: Resources, kind: str, log: RequestLog) -> Presence:
    """Return what keeps this process among the others; its keys stay out of swap and core dumps from now on."""
    resident.keep_out_of_files()
    return Presence(resources, kind, processes.name(), lambda error: log.failure(error, "presence"))
