"""`strongroom recovery check`: whether shares are whole and of the record, and make its key."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli import entering
from api.cli.connection import as_json
from api.cli.failure import REFUSED_ROWS
from api.cli.recovery.records import FILE, record_of
from api.cli.screen import Screen

if TYPE_CHECKING:
    from keys.errors import ShareInvalid
    from keys.shares import Share
    from vault.recovery.record import Record


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one share: its number if it is whole, and the code of what is wrong with it, if anything is."""

    number: int | None
    code: str | None
    text: str


@dataclass(slots=True)
class Checking:
    """Holds shares against a record; `good` has those that are the record's, by their numbers."""

    record: Record
    good: dict[int, Share] = field(default_factory=dict)

    def take(self, given: Share | ShareInvalid) -> Verdict:
        """Return what is to be said of the next share."""
        from keys import shares
        from keys.errors import ShareInvalid

        if isinstance(given, ShareInvalid):
            return Verdict(None, given.code, str(given))
        number, digests = given.number, self.record.digests
        known = digests[number - 1] if number <= len(digests) else None
        if shares.share_digest(given.words) != known or given.threshold != self.record.threshold:
            return Verdict(number, "share_of_another_set", "the share is whole, but it is not the record's")
        if number in self.good:
            return Verdict(number, "share_repeated", f"share {number} was checked before")
        self.good[number] = given
        return Verdict(number, None, f"share {number} of {len(digests)} is whole, and the record's: {known}")

    def key(self) -> tuple[str, str]:
        """Return whether the shares make the record's key, as a code and in words."""
        from keys import identity, shares
        from keys.errors import SharesDoNotFit, WrongRecoveryKey

        if missing := max(0, self.record.threshold - len(self.good)):
            return "not_tried", f"the key was not tried: that needs {missing} more of the shares"
        try:
            made = identity.recipient(shares.combined(list(self.good.values())))
        except SharesDoNotFit as refused:
            return refused.code, str(refused)
        if made != self.record.recipient:
            return WrongRecoveryKey.code, "the shares make a key, but not the record's"
        return "ok", f"the shares make the record's key; its check value is {self.record.check_value}"


@click.command()
@as_json
@click.argument("path", metavar="RECORD", type=FILE)
@entering.shares_file_option
@click.pass_obj
def check(screen: Screen, path: Path, source: str | None) -> None:
    """Say whether shares are whole and of the recovery RECORD; with enough of them, whether they make its key.

    Each custodian types theirs unseen: all words in a line, or in several; of each word the first four letters are
    enough. An empty line ends it. Exits with 1 if a share, or the key, is not the record's.
    """
    checking, told = Checking(record_of(path)), []
    entering.keep_to_memory()
    for given in _given(screen, checking, source):
        told.append(checking.take(given))
        if not screen.json:
            screen.say(told[-1].text)
    code, text = checking.key()
    if screen.json:
        shares = [{"number": one.number, "code": one.code} for one in told]
        screen.data({"shares": shares, "key": code, "check_value": checking.record.check_value})
    else:
        screen.say(text)
    if code not in ("ok", "not_tried") or any(one.code for one in told):
        sys.exit(REFUSED_ROWS)


def _given(screen: Screen, checking: Checking, source: str | None) -> Iterator[Share | ShareInvalid]:
    """Give the shares of `source`, or those that are typed until there are enough, or an empty line."""
    from keys import shares
    from keys.errors import ShareInvalid

    if source is None:
        needed = checking.record.threshold
        while len(checking.good) < needed:
            one = entering.typed(screen, f"Share {len(checking.good) + 1} of {needed}")
            if one is None:
                return
            yield one
        return
    for number, words in enumerate(entering.lines(source), 1):
        try:
            yield shares.read(words, number)
        except ShareInvalid as refused:
            yield refused
