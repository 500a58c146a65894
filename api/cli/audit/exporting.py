"""`strongroom audit export`, `checkpoint` and `reopen`: what is taken outside, and what comes back after a restore."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from api.cli import outfile
from api.cli.audit.status import log_option, tell
from api.cli.connection import online
from api.cli.failure import REFUSED_ROWS, Failure
from api.cli.screen import Screen
from api.cli.stdin import confirm
from api.cli.times import since_option, until_option

if TYPE_CHECKING:
    from strongroom_client import Client

_TAIL = 65_536 * 4  # bytes; the last line has a checkpoint and a signature
_out = click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write; default stdout.")
_force = click.option("--force", is_flag=True, help="Replace the file if it exists.")


@click.command()
@online
@_out
@_force
@click.option("--format", "form", type=click.Choice(["ndjson", "csv"]), default="ndjson", show_default=True)
@log_option
@click.option("--from", "first", type=click.IntRange(0), help="Position of the first record.")
@click.option("--to", "end", type=click.IntRange(0), help="Position before which the records end.")
@since_option
@until_option
def export(
    screen: Screen, client: Client, /, *, out: Path | None, force: bool, form: Literal["ndjson", "csv"],
    log: int | None, first: int | None, end: int | None, since: datetime | None, until: datetime | None,
) -> None:  # fmt: skip
    """Write a signed file of records: all that are here, or by position or time.

    `strongroom audit verify --alone --archive FOLDER` verifies it.
    """
    if out is not None:
        outfile.check(out, force)
    last = b""

    with outfile.created(out, force) as file:

        def write(piece: bytes) -> None:
            nonlocal last
            file.buffer.write(piece)
            last = (last + piece)[-_TAIL:]

        client.export_audit(write, form=form, log=log, first=first, end=end, since=since, until=until)
        if not _whole(form, last):
            raise Failure("the export was cut off", "try again", REFUSED_ROWS)
        file.buffer.flush()
    screen.note(f"written: {out}" if out else "written")


@click.command()
@online
@log_option
@click.option("--size", type=click.IntRange(0), help="Of how many records; default all.")
@_out
@_force
def checkpoint(
    screen: Screen, client: Client, /, *, log: int | None, size: int | None, out: Path | None, force: bool
) -> None:
    """Print the signed checkpoint (C2SP): keep it elsewhere, and `verify --checkpoint` will hold the log to it."""
    if out is not None:
        outfile.check(out, force)
    note = client.audit_checkpoint(log=log, size=size)
    if screen.json:
        screen.data({"checkpoint": note})
        return
    if out is None:
        for line in note.removesuffix("\n").split("\n"):
            screen.say(line)
        return
    with outfile.created(out, force) as file:
        file.write(note)


@click.command()
@online
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--yes", is_flag=True, help="Do not ask.")
def reopen(screen: Screen, client: Client, /, file: str, yes: bool) -> None:
    """After a restore: end the log and open the next, which names the outside checkpoint in FILE and what is lost.

    FILE holds the newest checkpoint that is kept outside; "-" is standard input.
    """
    if file == "-" and not yes:
        raise Failure("standard input holds the checkpoint, so nobody can be asked", "say --yes")
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        note = raw.decode()
    except UnicodeDecodeError:
        note = ""
    if not note:
        raise Failure(f"{file} holds no checkpoint")
    confirm("End this log and open the next one? Its records behind the restore are named as lost.", yes)
    found = client.reopen_audit(note)
    screen.data(found) if screen.json else tell(screen, found)


def _whole(form: str, tail: bytes) -> bool:
    """Whether a file ends with the line that has its signature; whether that is good is for `verify`."""
    from vault.audit import archive
    from vault.audit.faults import FileDamaged

    known = archive.CSV if form == "csv" else archive.NDJSON
    try:
        known.read_last(tail.removesuffix(known.end).rpartition(b"\n")[2].decode())
    except (FileDamaged, UnicodeDecodeError):
        return False
    return tail.endswith(known.end)
