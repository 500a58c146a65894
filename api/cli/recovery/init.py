"""`strongroom recovery init`: make the recovery key, and give it away as shares."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli import ending, entering, outfile
from api.cli.failure import Failure
from api.cli.recovery import showing
from api.cli.recovery.confirming import typed_back
from api.cli.recovery.memory import is_in_memory
from api.cli.recovery.records import FILE, TRUST_HELP, trusted
from api.cli.screen import Screen

if TYPE_CHECKING:
    from keys.secret import Secret
    from vault.audit.notes import Verifier
    from vault.recovery.record import Record

NEW_FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Made:
    """A key that was just made: what is public of it, and the words of its shares."""

    record: Record
    shares: Sequence[Secret]

    def title(self, number: int) -> str:
        """Return which share it is, in words."""
        return f"Share {number} of {len(self.shares)}"


@click.command()
@click.option(
    "--shares", "count", type=click.IntRange(2, 16), default=5, show_default=True, help="How many custodians."
)
@click.option(
    "--threshold", type=click.IntRange(2, 16), default=3, show_default=True, help="How many make the key."
)
@click.option("--trust", type=FILE, help=TRUST_HELP)
@click.option(
    "--record",
    "path",
    type=NEW_FILE,
    default="recovery.txt",
    show_default=True,
    help="File to write, with all that is public.",
)
@click.option(
    "--pages", type=FOLDER, help="Write the shares as sheets to print, in a folder that is in memory (tmpfs)."
)
@click.option("--no-confirm", is_flag=True, help="Do not ask for words of each share.")
@click.option("--yes", is_flag=True, help="Write the sheets though their folder is on a disk.")
@click.pass_obj  # fmt: skip
def init(
    screen: Screen, count: int, threshold: int, trust: Path | None, path: Path, pages: Path | None,
    no_confirm: bool, yes: bool,
) -> None:  # fmt: skip
    """Make the key that opens backups when nothing else is left; it exists as shares alone, which are shown once.

    Each custodian sees theirs alone on the terminal, writes it down and types some words back; or all are written as
    sheets to print. The record, which is no secret, comes last: a command that was broken off has made no key.
    """
    from vault.recovery.record import write

    keys = trusted(trust)
    if threshold > count:
        raise click.UsageError("--threshold is more than there are --shares")
    outfile.check(path, force=False)
    if pages is None or not no_confirm:
        showing.demand_terminal()
    if pages is None:
        showing.demand_room()
    if pages is not None and not (yes or is_in_memory(pages)):
        raise Failure(
            f"{pages} is on a disk, from which nothing is removed for good",
            "take one in /dev/shm, or say --yes",
        )
    entering.keep_to_memory()
    ending.by_exception()
    made = _made(threshold, count, keys)
    with outfile.created(path) as file:
        file.write(write(made.record))
        file.flush()  # it can be written, and gets its name once the shares are given away
        if pages is not None:
            _print(screen, made, pages, no_confirm)
        else:
            _show(screen, made, no_confirm)
    _tell(screen, made.record, path)


def _made(threshold: int, count: int, keys: tuple[Verifier, ...]) -> Made:
    """Return a new key's shares and record; the key itself is wiped."""
    from keys import identity, shares
    from keys.secret import Secret
    from vault.recovery.record import Record

    secret = Secret.random()
    words = shares.split(secret, threshold, count)
    recipient = identity.recipient(secret)
    secret.wipe()
    digests = tuple(map(shares.share_digest, words))
    return Made(Record(int(time.time()), threshold, recipient, digests, keys), words)


def _show(screen: Screen, made: Made, no_confirm: bool) -> None:
    """Show each share to its custodian, again until words of it are typed back."""
    for number, secret in enumerate(made.shares, 1):
        title, words = made.title(number), secret.expose().decode()
        threshold = f"{title}, of which any {made.record.threshold} make the recovery key."
        showing.show([threshold], "Its custodian alone before the screen? Press Enter.")
        while True:
            showing.show(_written(made, number, words), "Written down? Press Enter: then it is gone.")
            if no_confirm or typed_back(screen, title, words):
                break


def _written(made: Made, number: int, words: str) -> list[str]:
    return [
        f"{made.title(number)}: write it down by hand, all words and the two numbers.",
        "",
        *showing.columns(words),
        "",
        f"     digest of this share    {made.record.digests[number - 1]}",
        f"     check value of the key  {made.record.check_value}",
    ]


def _print(screen: Screen, made: Made, folder: Path, no_confirm: bool) -> None:
    """Write a sheet for each custodian; remove them once words of each were read back from paper."""
    from api.cli.recovery.sheet import share_sheet

    paths = [
        folder / f"share-{number}-of-{len(made.shares)}.html" for number in range(1, len(made.shares) + 1)
    ]
    for path in paths:
        outfile.check(path, force=False)
    with ExitStack() as removing:
        for number, (path, secret) in enumerate(zip(paths, made.shares, strict=True), 1):
            with outfile.created(path) as file:
                file.write(share_sheet(made.record, number, secret))
            removing.callback(path.unlink, missing_ok=True)
        screen.note(
            f"{len(paths)} sheets are in {folder}, one for each custodian: print them, then delete them"
        )
        if no_confirm or not _read_back(screen, made):
            removing.pop_all()


def _read_back(screen: Screen, made: Made) -> bool:
    """Ask for words of each sheet until they are right; tell whether the sheets may be removed."""
    click.prompt("Printed? Press Enter.", default="", show_default=False, prompt_suffix=" ", err=True)
    for number, secret in enumerate(made.shares, 1):
        while not typed_back(screen, made.title(number), secret.expose().decode()):
            screen.note("look at the sheet again")
    return click.confirm("Remove the sheets?", default=True, err=True)


def _tell(screen: Screen, record: Record, path: Path) -> None:
    """Say what is to be done with the record."""
    screen.note(
        f"{path} is the record of this key: no secret, but keep it where nobody changes it, and on paper"
    )
    if not record.keys:
        screen.note(
            f"it names no manifest key yet: `strongroom backup keys | strongroom recovery keys {path} -`"
        )
    screen.note("this line belongs into the file that STRONGROOM_BACKUP_RECIPIENTS names:")
    screen.say(f"recovery {record.recipient}")
