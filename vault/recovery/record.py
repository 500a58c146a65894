"""The recovery record: what is public of a recovery key and its shares (docs/format.md).

The custodians print and keep it. Who restores believes the manifest keys that it names, so it must come from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from keys import identity, shares
from vault.audit.faults import KeyMalformed
from vault.audit.notes import Verifier
from vault.errors import InvalidLines

FORMAT = "strongroom-recovery/1"
MANIFEST_KEY = "manifest-key"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_HEX = re.compile("[0-9a-f]{16}")
_COUNT = re.compile("[1-9][0-9]?")


@dataclass(frozen=True, slots=True)
class Record:
    """What is public of a recovery key.

    Attributes:
        made_at: seconds since 1970 (UTC).
        threshold: how many of the shares make the key.
        recipient: whom backups are sealed to, `age1…`.
        digests: of the shares, in the order of their numbers (`shares.share_digest`).
        keys: of the service, which sign its manifests.
    """

    made_at: int
    threshold: int
    recipient: str
    digests: tuple[str, ...]
    keys: tuple[Verifier, ...] = ()

    @property
    def check_value(self) -> str:
        """What a custodian compares to know the key again."""
        return shares.check_value(self.recipient)


def write(record: Record) -> str:
    """Return the record's text, which ends in a line feed."""
    lines = [
        FORMAT,
        f"made-at {datetime.fromtimestamp(record.made_at, UTC):{_TIME}}",
        f"shares {len(record.digests)}",
        f"threshold {record.threshold}",
        f"recipient {record.recipient}",
        f"check-value {record.check_value}",
        *(f"share {number} {digest}" for number, digest in enumerate(record.digests, 1)),
        *(f"{MANIFEST_KEY} {key.vkey}" for key in record.keys),
    ]
    return "".join(f"{line}\n" for line in lines)


def is_record(text: str) -> bool:
    """Whether a text means to be a record: its first line says so."""
    return text.split("\n", 1)[0].strip() == FORMAT


def read(text: str) -> Record:
    """Return the record of a text; InvalidLines says in which line it is none.

    Empty lines, and white space at an end of a line, are passed over: somebody may have typed it from paper.
    """
    lines = _Lines(text)
    lines.expect(FORMAT, f"the first line is not {FORMAT}")
    made_at = _time(lines)
    count, threshold = _count(lines, "shares"), _count(lines, "threshold")
    if not shares.LEAST <= threshold <= count <= shares.MOST:
        raise lines.wrong("there cannot be a key of so many shares")
    recipient = lines.member("recipient")
    if not identity.is_recipient(recipient):
        raise lines.wrong("it is no age recipient: mistyped, or of another kind")
    if lines.member("check-value") != shares.check_value(recipient):
        raise lines.wrong("the check value is not the recipient's: one of the two is mistyped")
    digests = tuple(_digest(lines, number) for number in range(1, count + 1))
    return Record(made_at, threshold, recipient, digests, tuple(_keys(lines)))


class _Lines:
    """The lines of a text that hold something, one after the other."""

    def __init__(self, text: str) -> None:
        numbered = enumerate((line.strip() for line in text.split("\n")), 1)
        self.left = [(number, line) for number, line in numbered if line]
        self.at = 0

    def next(self) -> str:
        """Return the next line; InvalidLines if there is none."""
        if not self.left:
            raise InvalidLines("the record ends too early", self.at + 1)
        self.at, line = self.left.pop(0)
        return line

    def expect(self, line: str, reason: str) -> None:
        """Go past a line; InvalidLines if it is another."""
        if self.next() != line:
            raise self.wrong(reason)

    def member(self, name: str) -> str:
        """Return what follows the name in the next line."""
        found, _, rest = self.next().partition(" ")
        if found != name:
            raise self.wrong(f"there should be a line `{name} …` here")
        return rest.strip()

    def wrong(self, reason: str) -> InvalidLines:
        """Return the error of the line that was read last."""
        return InvalidLines(reason, self.at)


def _time(lines: _Lines) -> int:
    text = lines.member("made-at")
    try:
        return int(datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise lines.wrong("it is no time such as 2026-01-31T12:00:00Z") from None


def _count(lines: _Lines, name: str) -> int:
    text = lines.member(name)
    if not _COUNT.fullmatch(text):
        raise lines.wrong("it is no number of shares")
    return int(text)


def _digest(lines: _Lines, number: int) -> str:
    found, _, digest = lines.member("share").partition(" ")
    if found != str(number) or not _HEX.fullmatch(digest):
        raise lines.wrong(f"it is not the digest of share {number}: `share {number}` and 16 hex digits")
    return digest


def _keys(lines: _Lines) -> Iterator[Verifier]:
    while lines.left:
        text = lines.member(MANIFEST_KEY)
        try:
            yield Verifier(text)
        except KeyMalformed as fault:
            raise lines.wrong(str(fault)) from None
