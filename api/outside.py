"""Settings into what is told outside: sinks of the audit, hooks of alarms, and the gate that the sinks keep."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from api.config import Settings, read_secret
from api.errors import SettingsError
from vault.errors import InvalidRequest
from vault.gatekeeping import AuditGate, Gate, OpenGate

if TYPE_CHECKING:
    from vault.hooks import Hook
    from vault.sinks.protocol import Sink
    from vault.store.database import Database


def open_sinks(settings: Settings) -> list[Sink]:
    """Return the sinks that the settings list; SettingsError, without the URL, if one cannot be meant."""
    if not settings.audit_sinks.split():
        return []
    from vault.sinks.opening import Surroundings, open_sink  # its libraries are none of a serving process's

    keys = s3_keys(settings.audit_s3_access_key_file, settings.audit_s3_secret_key_file, "AUDIT_S3")
    around = Surroundings(time.time, time.monotonic, keys)
    sinks: list[Sink] = []
    for number, url in enumerate(settings.audit_sinks.split(), 1):
        try:
            sinks.append(open_sink(url, around))
        except InvalidRequest as error:
            raise SettingsError(f"STRONGROOM_AUDIT_SINKS: number {number}: {error}") from None
    if len({sink.name for sink in sinks}) < len(sinks):
        raise SettingsError("STRONGROOM_AUDIT_SINKS: one of them is listed twice")
    return sinks


def open_gate(settings: Settings, database: Database) -> Gate:
    """Return what keeps the doors shut while no sink takes records; open where none is to hold them."""
    holding = [url for url in settings.audit_sinks.split() if not url.startswith("witness+")]
    return AuditGate(database, time.monotonic) if holding else OpenGate()


def open_hooks(settings: Settings) -> list[Hook]:
    """Return the ways to tell people of alarms; SettingsError if one cannot be meant."""
    from vault.hooks import Mail, Webhook, secret_of

    hooks: list[Hook] = []
    addresses = settings.alarm_webhooks.split()
    if addresses and settings.alarm_webhook_secret_file is None:
        raise SettingsError("STRONGROOM_ALARM_WEBHOOKS: STRONGROOM_ALARM_WEBHOOK_SECRET_FILE is missing")
    try:
        if settings.alarm_webhook_secret_file is not None:
            secret = secret_of(
                _text(settings.alarm_webhook_secret_file, "STRONGROOM_ALARM_WEBHOOK_SECRET_FILE")
            )
            hooks += [Webhook(address, secret, time.time) for address in dict.fromkeys(addresses)]
        if (settings.alarm_mail_to is None) != (settings.alarm_mail_from is None):
            raise SettingsError(
                "STRONGROOM_ALARM_MAIL_TO and STRONGROOM_ALARM_MAIL_FROM: set both, or neither"
            )
        if settings.alarm_mail_to is not None and settings.alarm_mail_from is not None:
            hooks.append(Mail(settings.alarm_sendmail, settings.alarm_mail_from, settings.alarm_mail_to))
    except InvalidRequest as error:
        raise SettingsError(f"STRONGROOM_ALARM_…: {error}") from None
    return hooks


def s3_keys(access: Path | None, secret: Path | None, name: str) -> tuple[str, str] | None:
    """Return the access key and the secret key of S3; None where no files are named.

    Args:
        name: of the settings, such as AUDIT_S3.
    """
    names = f"STRONGROOM_{name}_ACCESS_KEY_FILE", f"STRONGROOM_{name}_SECRET_KEY_FILE"
    if access is None and secret is None:
        return None
    if access is None or secret is None:
        raise SettingsError(f"{names[0]} and {names[1]}: set both, or neither")
    return _text(access, names[0]), _text(secret, names[1])


def _text(path: Path, name: str) -> str:
    try:
        return read_secret(path).decode("ascii")
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: the file holds more than ASCII") from None
