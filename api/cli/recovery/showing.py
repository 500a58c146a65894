"""Shares on a terminal: each on a screen of its own, which leaves no line behind when it is cleared."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from api.cli.failure import Failure

COLUMNS, WIDEST = 3, 8  # words have 4 to 8 letters (SLIP-39, "Wordlist")
ROOM = 72, 20  # columns and lines of a terminal that shows a share of 33 words, and what is asked, at once
# Another buffer than the one that scrolls back, emptied when it is left (xterm control sequences: 1049, ED 2 and 3).
_ENTER, _CLEAR, _LEAVE = "\x1b[?1049h", "\x1b[2J\x1b[3J\x1b[H", "\x1b[?1049l"


def demand_terminal() -> None:
    """Raise Failure unless a person sits here: what goes through a pipe may be kept by whatever reads it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure(
            "shares are shown on a terminal alone, and this is none", "--pages writes sheets to print"
        )


def demand_room() -> None:
    """Raise Failure if the terminal says that it is too small: what scrolls off a screen of its own is gone."""
    there = os.get_terminal_size(sys.stdout.fileno())
    if 0 < there.columns < ROOM[0] or 0 < there.lines < ROOM[1]:
        raise Failure(
            f"a share needs a terminal of {ROOM[0]} columns and {ROOM[1]} lines, and this one has "
            f"{there.columns} and {there.lines}", "make its window larger",
        )  # fmt: skip


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
