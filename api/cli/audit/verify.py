"""`strongroom audit verify`: read a whole log and hold it against its tree, its checkpoints and its copies, here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.audit.trust import trust_options, trusted
from api.cli.connection import Connect, reachable
from api.cli.failure import DAMAGED, REFUSED, REFUSED_ROWS, UNREACHABLE, Failure, explain
from api.cli.screen import Screen

if TYPE_CHECKING:
    from api.cli.audit.archives import Archive
    from api.cli.audit.outside import Outside
    from api.cli.audit.verdict import Verdict
    from vault.audit.notes import Verifier

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@reachable
@click.option("--log", type=click.IntRange(1), help="Which log; default all.")
@click.option(
    "--checkpoint", "checkpoints", multiple=True, type=_FILE, metavar="FILE",
    help="A checkpoint kept outside. Repeatable.",
)  # fmt: skip
@click.option(
    "--sink", "sinks", multiple=True, type=_FILE, metavar="FILE",
    help="A file that a sink wrote: the log is held against its records and checkpoints. Repeatable.",
)  # fmt: skip
@click.option(
    "--archive", type=_FOLDER, metavar="FOLDER", help="Archived records, which come before those of the service."
)  # fmt: skip
@click.option(
    "--alone", is_flag=True, help="Ask no service: verify the archive or the sinks' files by themselves."
)
@trust_options
def verify(
    screen: Screen, connect: Connect, /, *, log: int | None, checkpoints: tuple[Path, ...], sinks: tuple[Path, ...],
    archive: Path | None, alone: bool, vkeys: tuple[str, ...], trust: Path | None,
) -> None:  # fmt: skip
    """Read the audit's records and verify here that none was edited, inserted, removed, moved or cut off.

    The log is read from the service, which is not believed: every record is hashed here and held against signed
    checkpoints, and against what is kept outside. With --alone no service is asked.

    Exits 0 if all is intact, 1 if it could not be verified (no service, no key that is known), 5 if there is damage:
    then the first bad record is named.
    """
    from api.cli.audit import archives, outside
    from api.cli.audit.alone import of_files
    from api.cli.audit.verdict import as_data, show

    keys = trusted(vkeys, trust)
    if alone and not keys:
        raise Failure("without a service, nobody tells the log's keys", "give --key or --trust")
    if alone and archive is None and not sinks:
        raise Failure("nothing is to be verified", "give --archive or --sink, or leave --alone out")
    kept, stored = outside.read(checkpoints, sinks), None if archive is None else archives.read(archive)
    if alone:
        verdicts = of_files(keys, kept, stored, log)
    else:
        if not keys:
            screen.note(
                "no --key: the service's own word for its keys is taken; a service that lies shows with them"
            )
        verdicts = _served(connect, keys, kept, stored, log)
    if screen.json:
        screen.data(as_data(verdicts))
    else:
        for one in verdicts:
            show(screen, one)
    states = {one.state for one in verdicts}
    if states != {"intact"}:
        sys.exit(DAMAGED if "damaged" in states else REFUSED_ROWS)


def _served(
    connect: Connect, keys: Sequence[Verifier], kept: Outside, stored: Archive | None, log: int | None
) -> list[Verdict]:
    """Verify what the service has; that it cannot be asked is no verdict on the log."""
    from api.cli.audit.examining import of_service

    failed = None
    try:
        with connect() as client:
            return of_service(client, keys, kept, stored, log)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - told below
        failed = explain(error)
    if isinstance(failed, Failure) and failed.code in {UNREACHABLE, REFUSED}:
        failed.code = REFUSED_ROWS
    raise failed
