"""Files that the commands of the recovery key read: its record, and the keys of the service to trust."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.failure import Failure

if TYPE_CHECKING:
    from vault.audit.notes import Verifier
    from vault.recovery.record import Record

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TRUST_HELP = "File with the service's manifest keys, as `strongroom backup keys` prints them."
LONGEST = 1_048_576  # bytes of such a file


def record_of(path: Path) -> Record:
    """Return the recovery record in a file; raise Failure if it is none."""
    from vault.errors import InvalidLines
    from vault.recovery import record

    try:
        return record.read(_text(path))
    except InvalidLines as wrong:
        why = str(wrong)
    raise Failure(f"{path}: {why}", "`strongroom recovery init` writes a recovery record")


def trusted(path: Path | None) -> tuple[Verifier, ...]:
    """Return the keys in a file, none for None; raise Failure if a line is none."""
    from vault.errors import InvalidLines
    from vault.recovery import trust

    if path is None:
        return ()
    try:
        return tuple(trust.read(_text(path)))
    except InvalidLines as wrong:
        why = str(wrong)
    raise Failure(f"{path}: {why}", "`strongroom backup keys` prints a service's manifest keys")


def _text(path: Path) -> str:
    with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as file:
        found = file.read(LONGEST + 1)
    try:
        text = found.decode()
    except UnicodeDecodeError:
        text = None
    if text is None or len(found) > LONGEST:
        raise Failure(f"{path} is no such file: it is too long, or not UTF-8")
    return text
