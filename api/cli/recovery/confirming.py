"""Custodians type back a few words of their share, so that none is found unreadable when it is needed."""

from __future__ import annotations

from secrets import SystemRandom

import click

from api.cli.screen import Screen

ASKED = 3


def typed_back(screen: Screen, title: str, words: str) -> bool:
    """Ask for some of the words by their numbers, unseen; tell whether each was right.

    Args:
        title: whose share it is, for the prompt.
        words: of the share, one space between.
    """
    from keys import shares

    right = words.split()
    for number in sorted(SystemRandom().sample(range(1, len(right) + 1), ASKED)):
        given = click.prompt(
            f"{title}: word {number}", hide_input=True, default="", show_default=False, err=True
        )
        if shares.word(given.strip()) != right[number - 1]:
            screen.note(f"that is not word {number}")
            return False
    return True
