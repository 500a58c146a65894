"""How custodians hand in their shares of the recovery key: typed unseen, one after the other, or as lines of a file."""

from __future__ import annotations

import os
import resource
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from api.cli.failure import Failure
from api.cli.screen import Screen

if TYPE_CHECKING:
    from keys.secret import Secret
    from keys.shares import Share

R = TypeVar("R")


def shares_file_option(command: Callable[..., R]) -> Callable[..., R]:
    """Add --shares-file."""
    return click.option(
        "--shares-file", "source", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True),
        help="Take the shares from a file that only you can read, one a line; - for standard input.",
    )(command)  # fmt: skip


def keep_to_memory() -> None:
    """Let this process leave no memory behind in a core file, for it is about to hold shares."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def quorum(screen: Screen, source: str | None) -> list[Share]:
    """Return as many shares as make the key: of the lines of `source`, or typed until there are enough.

    Raises Failure where there is neither a source nor a terminal, KeyProblem if lines are no shares of one set.
    """
    keep_to_memory()
    if source is not None:
        return read(lines(source))
    found: list[Share] = []
    while not found or len(found) < found[0].threshold:
        of = f" of {found[0].threshold}" if found else ""
        if one := typed(screen, f"Share {len(found) + 1}{of}", found):
            found.append(one)
    return found


def recovery_key(screen: Screen, source: str | None) -> Secret:
    """Return the key that shares make, and say its check value, which the custodians' sheets have; as `quorum`."""
    from keys import identity, shares

    secret = shares.combined(quorum(screen, source))
    value = shares.check_value(identity.recipient(secret))
    screen.note(f"the shares make the recovery key whose check value is {value}")
    return secret


def read(given: Sequence[Secret]) -> list[Share]:
    """Return the shares; ShareInvalid, ShareOfAnotherSet and ShareRepeated name the first that is wrong."""
    from keys import shares

    found = [shares.read(words, number) for number, words in enumerate(given, 1)]
    shares.fit(found)
    return found


def lines(source: str) -> list[Secret]:
    """Return the shares of a file, or of standard input for "-": a line each, # remarks and empty ones between."""
    from keys.secret import Secret

    text = sys.stdin.buffer.read() if source == "-" else _private(Path(source))
    found = [Secret(line) for line in text.splitlines() if line.strip() and not line.strip().startswith(b"#")]
    if not found:
        raise Failure("there is no share in what was given", "one a line")
    return found


def typed(screen: Screen, title: str, known: Sequence[Share] = ()) -> Share | None:
    """Return the share that somebody types unseen, in as many lines as they like; None for an empty line at its start.

    Asks again until it is whole, and of one set with those that are known.
    """
    from keys import shares
    from keys.errors import ShareInvalid

    if not sys.stdin.isatty():
        raise Failure("shares are typed on a terminal, and this is none", "--shares-file takes them as lines")
    while (words := _words(screen, title)) is not None:
        try:
            found = shares.read(words)
            shares.fit([*known, found])
        except ShareInvalid as refused:
            screen.note(f"this share {refused.reason}; type it again")
        else:
            return found
    return None


def _words(screen: Screen, title: str) -> Secret | None:
    """Return the words that are typed, all of them of the list; None for an empty line at the start."""
    from keys import shares
    from keys.secret import Secret

    found: list[str] = []
    while len(found) < shares.WORDS:
        line = click.prompt(
            f"{title}, word {len(found) + 1} and on",
            hide_input=True,
            default="",
            show_default=False,
            err=True,
        ).split()
        if not line and not found:
            return None
        known = [shares.word(text) for text in line]
        good = known.index(None) if None in known else len(known)
        found += [word for word in known[:good] if word]
        if good < len(known):
            screen.note(f"word {len(found) + 1} is not of the list; go on from there")
    return Secret(" ".join(found).encode())


def _private(path: Path) -> bytes:
    """Return what is in a file; raise Failure if others could have read it."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        if stat.S_ISREG(found.st_mode) and found.st_mode & 0o077:
            raise Failure(f"{path} may be read by others, so its shares may be known", f"chmod 600 {path}")
        return file.read()
