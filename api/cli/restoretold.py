"""What `strongroom restore` says: how far it is, what became of it, what is to be done next; an exit code a kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from api.cli.failure import USAGE, Failure, explain
from api.cli.screen import Screen

if TYPE_CHECKING:
    from vault.recovery.restored import Restored

GENERAL, UNREACHABLE, NOT_EMPTY, DAMAGED, PARTLY, LOCKED = 1, 3, 4, 5, 6, 7  # in the numbers of all commands
NEXT = (
    "start the service, and look at it with `strongroom doctor`",
    "API keys that were revoked, and callers that were frozen, after this backup are as they were before: look at them",
    "its manifest keys are new: `strongroom backup keys`, for the recovery record and the drill host",
    "make a first backup of it: `strongroom backup create`; then `strongroom drill`",
    "when that is held, `strongroom backup prune --former`: nobody else prunes what it was restored from",
)
_HINTS = {
    "backup_locked": "the root key that the service had, --identity, or custodians with --with-shares open it",
    "backup_untrusted": "does --trust name the service's manifest keys, as the custodians' record does? Then it is no "
    "file of the service's: another target has the same backups, and --pass-over-damaged takes an older one",
    "key_file_error": "put the copy of the key file back; or custodians open it without one: --with-shares",
    "store_unavailable": "STRONGROOM_DATABASE_URL names a database that answers, has room, and is used by nobody",
    "database_not_empty": "STRONGROOM_DATABASE_URL names the database; a restore never writes over one",
    "keyring_too_old": "another target may have a newer keyring",
    "backup_damaged": "another target may have a good copy; --backup N or --pass-over-damaged take an older one",
    "backup_from_newer": "restore with the version of strongroom that made the backup, or a later one",
    "target_failed": "another target has the same backups: --from URL",
}


@contextmanager
def told_apart() -> Iterator[None]:
    """Give each kind of failure its exit code."""
    failed: Failure | click.exceptions.Exit | None = None
    try:
        yield
    except (click.exceptions.Exit, BrokenPipeError, click.exceptions.Abort):
        raise
    except Exception as error:  # noqa: BLE001 - told below
        failed = _named(error)
    if failed is not None:
        raise failed from None


def _named(error: Exception) -> Failure | click.exceptions.Exit:
    from vault.errors import BackupDamaged

    failed = explain(error)
    if not isinstance(failed, Failure) or isinstance(error, click.ClickException):
        return failed
    code = getattr(error, "code", "")
    text, details = failed.message, dict(failed.details)
    if isinstance(error, BackupDamaged) and error.file:
        where = error.file if error.chunk is None else f"{error.file} (chunk {error.chunk})"
        text, details = f"{where}: {text}", {**details, "file": error.file, "chunk": error.chunk}
    return Failure(text, _HINTS.get(code, failed.hint), _code(error), details)


def _code(error: Exception) -> int:
    from api.errors import SettingsError
    from keys.errors import KeyProblem
    from vault.errors import (
        BackupDamaged,
        BackupFromNewer,
        BackupLocked,
        DatabaseNotEmpty,
        InvalidRequest,
        TargetFailed,
    )

    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int], ...] = (
        (DatabaseNotEmpty, NOT_EMPTY), (TargetFailed, UNREACHABLE), ((BackupLocked, KeyProblem), LOCKED),
        ((BackupDamaged, BackupFromNewer), DAMAGED), ((SettingsError, InvalidRequest), USAGE),
    )  # fmt: skip
    return next((code for kind, code in kinds if isinstance(error, kind)), GENERAL)


def tell(screen: Screen, done: Restored, dry_run: bool) -> None:
    """Say what became of a restore; exit with 6 if not all of it is as it was."""
    if screen.json:
        screen.data(_data(done, dry_run))
    else:
        _say(screen, done, dry_run)
    if not done.whole:
        sys.exit(PARTLY)


def _say(screen: Screen, done: Restored, dry_run: bool) -> None:
    rows, tokens = sum(done.counts.values()), done.counts.get("token", 0)
    did = "verified" if dry_run else "restored"
    screen.say(
        f"{did} backup {done.number} of {done.installation}, as it was at {_time(done.taken_at)}, with keyring "
        f"{done.keyring}: {rows:,} rows, {tokens:,} tokens"
    )
    if done.left_out:
        screen.say(f"deleted or erased since, and left out: {_counted(done.left_out)}")
    phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in done.phases.items())
    screen.say(f"{sum(done.phases.values()):.1f} s: {phases}")
    for path in done.passed_over:
        screen.note(f"warning: {path} was passed over: it is damaged, or what it builds on is")
    if done.unreadable:
        screen.note(f"warning: does not open, its key is gone: {_counted(done.unreadable)}")
    for log in done.logs:
        for kind, reason in log.damage:
            screen.note(f"warning: the audit of {log.tenant:016x} is damaged, {reason} ({kind})")
    if dry_run:
        screen.note("nothing was written")
        return
    screen.say(f"it is installation {done.made} now; {done.new_keys} keysets have new primaries")
    for step in NEXT:
        screen.note(f"next: {step}")


def _data(done: Restored, dry_run: bool) -> Mapping[str, object]:
    logs = [
        {
            "tenant": f"{log.tenant:016x}", "log": log.log, "follows": log.former or None, "lost_from": log.lost_from,
            "lost_to": log.lost_to, "damage": [{"kind": kind, "detail": reason} for kind, reason in log.damage],
        }
        for log in done.logs
    ]  # fmt: skip
    return {
        "dry_run": dry_run, "installation": done.installation, "number": done.number,
        "taken_at": datetime.fromtimestamp(done.taken_at / 1e6, UTC), "keyring": done.keyring,
        "made": None if dry_run else done.made, "whole": done.whole, "seconds": done.phases, "rows": done.counts,
        "left_out": dict(done.left_out), "unreadable": dict(done.unreadable), "new_keys": done.new_keys, "logs": logs,
        "passed_over": list(done.passed_over),
    }  # fmt: skip


@contextmanager
def bar(screen: Screen) -> Iterator[Callable[[str, int, int], None]]:
    """Show how far each phase is on standard error; nothing where that is no terminal, or --json is said."""
    if screen.json or not sys.stderr.isatty():
        yield lambda _phase, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    looks = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*looks, console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=None)

        def progress(phase: str, done: int, total: int) -> None:
            shown.update(task, description=phase, completed=done, total=max(total, done) or None)

        yield progress


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(found.items()))


def _time(micros: int) -> str:
    return f"{datetime.fromtimestamp(micros / 1e6, UTC):%Y-%m-%dT%H:%M:%SZ}"
