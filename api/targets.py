"""Settings into the servers that backups go to: their names, and what reaches them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from api.config import Settings
from api.errors import SettingsError
from api.outside import s3_keys
from vault.errors import InvalidRequest

if TYPE_CHECKING:
    from vault.recovery.targets.bounded import Bounded
    from vault.recovery.targets.opening import Surroundings


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)

TARGETS = "STRONGROOM_BACKUP_TARGETS"


def names(settings: Settings) -> tuple[str, ...]:
    """Return the targets' names, in the order of the settings; SettingsError, without the URL, if one cannot be meant.

    Nothing is opened, and no library that reaches a server is loaded.
    """
    from vault.recovery.targets import places

    return tuple(place.name for place in _each(settings, places.parse))


def open_targets(settings: Settings) -> list[Bounded]:
    """Return the targets (`vault.recovery.targets.protocol.Target`) in the order of the settings.

    No server is asked yet. Raises SettingsError, without the URL, if one cannot be meant, or misses a key.
    """
    if not names(settings):
        return []
    from vault.recovery.targets.opening import open_target

    around = _around(settings)
    return _each(settings, lambda url: open_target(url, around))


def open_one(settings: Settings, url: str | None) -> Bounded:
    """Return the target of a URL, or of the settings' first; no server is asked yet.

    Raises SettingsError if there is none or it misses a key, InvalidRequest if the URL cannot be meant.
    """
    from vault.recovery.targets.opening import open_target

    if url is not None:
        return open_target(url, _around(settings))
    if not names(settings):
        raise SettingsError(f"{TARGETS}: names no target")
    return open_target(settings.backup_targets.split()[0], _around(settings))


def _around(settings: Settings) -> Surroundings:
    from vault.recovery.targets.opening import Surroundings

    keys = s3_keys(settings.backup_s3_access_key_file, settings.backup_s3_secret_key_file, "BACKUP_S3")
    return Surroundings(time.monotonic, settings.backup_ssh_key_file, settings.backup_known_hosts, keys)


def _each(settings: Settings, work: Callable[[str], T]) -> list[T]:
    done: list[T] = []
    for number, url in enumerate(settings.backup_targets.split(), 1):
        try:
            done.append(work(url))
        except InvalidRequest as error:
            raise SettingsError(f"{TARGETS}: number {number}: {error}") from None
    if len({one.name for one in done}) < len(done):
        raise SettingsError(f"{TARGETS}: one of them is listed twice")
    return done
