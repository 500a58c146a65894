"""Texts that must not be arguments, and answers to "are you sure"."""

from __future__ import annotations

import sys

import click

from api.cli.failure import Failure


def lines(prompt: str) -> list[str]:
    """Return what the user types, unseen, or the lines of standard input; raise Failure if there are none."""
    if sys.stdin.isatty():
        return [click.prompt(prompt, hide_input=True, err=True)]
    try:
        given = [line.rstrip("\r\n") for line in sys.stdin]
    except UnicodeDecodeError:
        given = None
    if given is None:
        raise Failure("standard input is not UTF-8")
    if not any(given):
        raise Failure("standard input is empty", "one value a line")
    return given


def line(prompt: str, *, twice: bool = False) -> str:
    """Return what the user types, unseen, or the next line of standard input; raise Failure if there is none.

    Args:
        twice: ask again on a terminal, for nobody sees what was mistyped.
    """
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True))
    try:
        given = sys.stdin.readline()
    except UnicodeDecodeError:
        given = None
    if given is None:
        raise Failure("standard input is not UTF-8")
    text = given.removesuffix("\n")
    if not text:
        raise Failure("standard input is empty", f"one line with the {prompt.lower()}")
    return text


def last_line(prompt: str, *, twice: bool = False) -> str:
    """Return the same where nothing may follow: of a text of several lines, the first alone is not what was meant."""
    text = line(prompt, twice=twice)
    if not sys.stdin.isatty() and sys.stdin.read(1):
        raise Failure(f"standard input goes on after the line with the {prompt.lower()}")
    return text


def arguments_or_lines(given: tuple[str, ...], what: str) -> list[str]:
    """Return the arguments, or the lines of standard input if the only one is "-"."""
    return [line for line in lines(what) if line] if given == ("-",) else list(given)


def confirm(question: str, yes: bool) -> None:
    """Ask on a terminal unless `yes`; raise Failure where nobody can answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure("this cannot be undone, and nobody is here to ask", "say --yes")
    if not click.confirm(question, err=True):
        raise Failure("nothing was done")
