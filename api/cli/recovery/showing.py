"""Shares on a terminal: each on a screen of its own, which leaves no line behind when it is cleared."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from api.cli.failure import Failure

COLUMNS, WIDEST = 3, 8  # words have 4 to 8 letters (SLIP-39, "Wordlist")
# Another buffer than the one that scrolls back, emptied when it is left (xterm control sequences: 1049, ED 2 and 3).
_ENTER, _CLEAR, _LEAVE = "\x1b[?1049h", "\x1b[2J\x1b[3J\x1b[H", "\x1b[?1049l"


def demand_terminal() -> None:
    """Raise Failure unless a person sits here: what goes through a pipe may be kept by whatever reads it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure(
            "shares are shown on a terminal alone, and this is none", "--pages writes sheets to print"
        )


@contextmanager
def own_screen() -> Iterator[None]:
    """Show what is printed on a screen of its own, and nothing of it after."""
    click.echo(_ENTER + _CLEAR, nl=False)
    try:
        yield
    finally:
        click.echo(_CLEAR + _LEAVE, nl=False)


def show(lines: list[str], question: str) -> None:
    """Show lines on a screen of their own until Enter."""
    with own_screen():
        click.echo("\n".join(lines))
        click.prompt(f"\n{question}", default="", show_default=False, prompt_suffix=" ")


def columns(words: str) -> list[str]:
    """Return numbered words, in columns from top to bottom."""
    numbered = [f"{number:>4} {word:<{WIDEST}}" for number, word in enumerate(words.split(), 1)]
    rows = -(-len(numbered) // COLUMNS)
    return ["   ".join(numbered[row::rows]).rstrip() for row in range(rows)]
