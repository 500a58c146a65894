"""What one running application holds besides Flask's own: vault, hasher, known callers, log and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from api.auth import Callers
    from api.config import Settings
    from api.logs import RequestLog
    from api.metrics import Metrics
    from vault.passwords.hasher import Hasher
    from vault.service import Vault

EXTENSION = "strongroom"


@dataclass(slots=True)
class State:
    """One a process and application.

    Attributes:
        clock: seconds since 1970 (UTC).
        draining: the process is about to stop and should get no new requests.
        document: the OpenAPI document, once drawn.
    """

    settings: Settings
    vault: Vault
    hasher: Hasher
    callers: Callers
    log: RequestLog
    metrics: Metrics
    clock: Callable[[], float]
    draining: bool = False
    document: bytes | None = None


def state() -> State:
    """Return the state of the application that serves the current request."""
    return cast("State", current_app.extensions[EXTENSION])


def vault() -> Vault:
    """Return the vault of the application that serves the current request."""
    return state().vault
