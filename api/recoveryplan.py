"""Settings into what is done about backups: where they go, for whom, how often, and how many are kept."""

from __future__ import annotations

from pathlib import Path

from api import targets
from api.config import Settings
from api.errors import SettingsError
from vault.backup.plan import Keep, Plan, Recipients
from vault.errors import InvalidLines, InvalidRequest

USUAL_QUORUM = 2
_HOUR = 3_600.0


def plan(settings: Settings) -> Plan:
    """Return the plan; one without targets where the settings name none.

    Raises SettingsError: a target cannot be meant, the quorum is more than there are targets, the recipients cannot be
    read or have no recovery key, or what is kept cannot be read.
    """
    recipients, keep = _recipients(settings.backup_recipients), _keep(settings.backup_keep)
    names = targets.names(settings)
    if names and not recipients.recovery:
        raise SettingsError(
            "STRONGROOM_BACKUP_RECIPIENTS: must name a file with a recovery key, where there are targets"
        )
    return Plan(
        targets=names, quorum=_quorum(settings.backup_quorum, len(names)), journal=settings.backup_journal_seconds,
        full=settings.backup_full_hours * _HOUR, incremental=settings.backup_incremental_hours * _HOUR,
        keyring=settings.backup_keyring_hours * _HOUR, keyrings=settings.backup_keyrings, keep=keep,
        recipients=recipients, drilled=settings.drill_hours * _HOUR,
    )  # fmt: skip


def _quorum(asked: int | None, there: int) -> int:
    if asked is None:
        return min(USUAL_QUORUM, there)
    if there and asked > there:
        raise SettingsError("STRONGROOM_BACKUP_QUORUM: must be at most as many as there are targets")
    return asked


def _recipients(path: Path | None) -> Recipients:
    if path is None:
        return Recipients()
    from vault.recovery import recipients

    try:
        return recipients.read(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError("STRONGROOM_BACKUP_RECIPIENTS: the file cannot be read") from None
    except InvalidLines as error:
        raise SettingsError(f"STRONGROOM_BACKUP_RECIPIENTS: {error}") from None


def _keep(text: str) -> Keep:
    from vault.recovery import retention

    try:
        return retention.parse(text)
    except InvalidRequest as error:
        raise SettingsError(f"STRONGROOM_BACKUP_KEEP: {error}") from None
