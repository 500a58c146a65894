"""How a command fails: an `error:` line, a `hint:` line, an exit code; no traceback, value or key."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from api.cli.screen import Screen

REFUSED_ROWS, USAGE, UNREACHABLE, REFUSED = 1, 2, 3, 4
DAMAGED = 5  # the audit is not what was signed
INTERRUPTED = 130  # 128 + SIGINT
_HINTS = {
    "key_file_error": "`strongroom bootstrap` makes it the first time; if it is there, put its copy back",
    "key_file_passphrase": "STRONGROOM_ROOT_PASSPHRASE_FILE names the file with the passphrase",
    "root_forbidden": "docs/operations.md has the whole policy that Vault must give this service",
    "root_login_refused": "docs/operations.md says how to make a new secret id; its file is read at each login",
    "root_unavailable": "`vault status` says whether it is up and unsealed; STRONGROOM_VAULT_ADDR says where it is",
    "root_unfit": "STRONGROOM_VAULT_MOUNT and STRONGROOM_VAULT_KEY name the key; docs/operations.md makes it",
    "root_untrusted": "STRONGROOM_VAULT_CA names the PEM file of the authority that Vault's certificate is from",
    "store_unavailable": "does it run, and is it a database? STRONGROOM_DATABASE_URL says which",
    "schema_behind": "run `strongroom db upgrade`",
    "settings_error": "the README lists the settings; `strongroom doctor` checks them",
}


class Failure(click.ClickException):
    """A command cannot go on: what happened, what to do about it, and the exit code."""

    def __init__(
        self,
        text: str,
        hint: str | None = None,
        code: int = USAGE,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(text)
        self.hint, self.code, self.details = hint, code, details or {"code": "usage"}


def report(screen: Screen, error: Exception) -> int:
    """Tell the user of `error` and return the exit code."""
    failure = explain(error)
    if isinstance(failure, click.exceptions.Exit):
        return failure.exit_code
    screen.failed(failure.format_message(), failure.hint, failure.details)
    return failure.code


def explain(error: Exception) -> Failure | click.exceptions.Exit:
    """Return any exception as a Failure, or as the exit it asks for."""
    match error:
        case Failure() | click.exceptions.Exit():
            return error
        case click.exceptions.Abort():
            return Failure("interrupted", code=INTERRUPTED)
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return click.exceptions.Exit(USAGE)
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "strongroom"
            return Failure(" ".join(error.format_message().split()), f"see `{path} --help`")
        case click.ClickException():
            return Failure(error.format_message())
    return _client_failure(error) or _local_failure(error) or _unexpected(error)


@contextmanager
def going_on(again: str | None) -> Iterator[None]:
    """Add `again`, how to go on, to the hint of a failure that may pass; None where nothing can go on."""
    failed = None
    try:
        yield
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - told below
        failed = explain(error)
    if isinstance(failed, Failure) and again is not None and _may_pass(failed):
        failed.hint = f"{failed.hint}; {again}" if failed.hint else again
    if failed is not None:
        raise failed from None


def _may_pass(failed: Failure) -> bool:
    """Tell whether the same command may succeed later, once the service is there again or less busy."""
    status = failed.details.get("status", 0)
    return failed.code == UNREACHABLE or (isinstance(status, int) and status >= 500)


def _client_failure(error: Exception) -> Failure | None:
    from strongroom_client import (
        ApprovalRequired,
        BadReply,
        InvalidArgument,
        Misconfigured,
        StrongroomError,
        Unreachable,
    )

    if not isinstance(error, StrongroomError):
        return None
    hint, code = error.hint, REFUSED
    if isinstance(error, (Misconfigured, InvalidArgument)):
        code = USAGE
    elif isinstance(error, (Unreachable, BadReply)):
        code = UNREACHABLE
        hint = hint or "does the service run? `strongroom serve` starts it; STRONGROOM_URL says where it is"
    text = str(error)
    shown: tuple[str, ...] = ("code", "status", "pointer", "request_id", "retry_after")
    if isinstance(error, ApprovalRequired):
        text, shown = (
            f"{error.approved} of {error.needed}: {error}",
            (*shown, "proposal", "approved", "needed"),
        )
        hint = f"another person: strongroom approvals approve {error.proposal}; then the same with --approval"
    found = {name: getattr(error, name) for name in shown}
    return Failure(text, hint, code, {name: value for name, value in found.items() if value is not None})


def _local_failure(error: Exception) -> Failure | None:
    """Return the failure of a local command; only our own packages' texts are shown, they hold no value."""
    home = type(error).__module__.partition(".")[0]
    if home in ("api", "vault", "keys"):
        code = str(getattr(error, "code", ""))
        exit_code = UNREACHABLE if code in ("store_unavailable", "root_unavailable") else USAGE
        return Failure(str(error) or code, _HINTS.get(code), exit_code, {"code": code})
    if home in ("sqlalchemy", "psycopg", "alembic"):
        hint = _HINTS["store_unavailable"]
        return Failure(f"the database cannot be used ({type(error).__name__})", hint, UNREACHABLE)
    return None


def _unexpected(error: Exception) -> Failure:
    """Return a failure that says what and where, without the exception's own text, which may hold a value."""
    if isinstance(error, OSError) and error.strerror:
        named = (
            os.fspath(error.filename)
            if isinstance(error.filename, (str, os.PathLike))
            else "a file or connection"
        )
        return Failure(f"{named!s}: {error.strerror}")
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" in {Path(last[0].filename).name}, line {last[0].lineno}" if last else ""
    return Failure(
        f"unexpected {type(error).__name__}{where}",
        "this is a defect of strongroom: please report the line above",
    )
