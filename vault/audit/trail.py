"""Where a token, a person, a caller or a record occurs in a log: sorted runs of entries, cut into pages.

An entry is the first 8 bytes of a digest and the position of the leaf (8 bytes, big-endian). Digests are keyed ones of
tokens and persons, `caller_digest` of the caller's name, and the random half of the record's id. Prefixes may clash, so
whoever finds a position looks at the leaf itself. docs/format.md has the bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from vault.context import number
from vault.keyed import DIGEST_BYTES

PREFIX, ENTRY = 8, 16  # bytes
PAGE = 2_048 * ENTRY  # bytes of a full page: 32 KiB
FAN = 16  # runs of a tier that become one of the next
LARGEST = 488  # pages of a merged run: about a million entries
_ID, _AT, _ACTOR, _KEY, _TOKENS, _PERSONS = 0, 1, 3, 12, 13, 18  # parts of a leaf, see vault.audit.leaf
_LEAST = _TOKENS + 1  # parts that every format has


@dataclass(frozen=True, slots=True)
class Marks:
    """What of a leaf the log keeps beside it: its time, its audit key version, and the digests it is found by.

    A leaf that cannot be read has none of them: it is sealed as it is.
    """

    at: int = 0
    key: int | None = None
    digests: bytes = b""  # 16 bytes each, of which the first 8 count


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a run: its first and last entry, and all of them."""

    first: bytes
    last: bytes
    entries: bytes


def marks(leaf: bytes) -> Marks:
    """Return a leaf's marks; its columns of digests are taken whole."""
    parts = _parts(leaf)
    persons = parts[_PERSONS] if len(parts) > _PERSONS else b""
    if len(parts) < _LEAST or [len(parts[at]) for at in (_ID, _AT, _KEY)] != [16, 8, 8]:
        return Marks()
    at, key = (int.from_bytes(parts[place], "big") for place in (_AT, _KEY))
    if (len(parts[_TOKENS]) + len(persons)) % DIGEST_BYTES or max(at, key) >= 2**63:
        return Marks()
    known = (parts[_ID][8:], bytes(8), caller_digest(parts[_ACTOR]), parts[_TOKENS], persons)
    return Marks(at, key, b"".join(known))


def caller_digest(name: bytes) -> bytes:
    """Return what a caller is found by: the first 16 bytes of the SHA-256 of its name in UTF-8."""
    return sha256(name).digest()[:DIGEST_BYTES]


def make(first: int, column: Sequence[bytes]) -> bytes:
    """Return the sorted entries of a run.

    Args:
        first: position of the first leaf.
        column: for each leaf its digests, 16 bytes each.
    """
    digests = b"".join(column)
    positions = b"".join([number(first + at) * (len(mine) // DIGEST_BYTES) for at, mine in enumerate(column)])
    entries = bytearray(len(digests))
    for at in range(PREFIX):  # a column of bytes at a time: the prefix, and the position behind it
        entries[at::ENTRY] = digests[at::DIGEST_BYTES]
        entries[PREFIX + at :: ENTRY] = positions[at::8]
    return _joined(sorted(set(_texts(entries))))  # a leaf may name a token twice


def pages(entries: bytes) -> list[Page]:
    """Cut sorted entries into pages."""
    return [_page(entries[at : at + PAGE]) for at in range(0, len(entries), PAGE)]


def merge(runs: Sequence[Iterable[bytes]]) -> Iterator[Page]:
    """Merge runs into one, a page of each in memory at a time.

    Args:
        runs: the entries of each run, page by page.
    """
    waiting = [iter(run) for run in runs]
    heads = [next(run, b"") for run in waiting]
    left = b""
    while any(heads):
        bound = min(head[-ENTRY:] for head in heads if head)  # nothing smaller can come any more
        cuts = [_before(head, bound + b"\0") * ENTRY for head in heads]
        left += _joined(sorted(_texts(b"".join([head[:cut] for head, cut in zip(heads, cuts, strict=True)]))))
        for at, cut in enumerate(cuts):
            heads[at] = heads[at][cut:] or next(waiting[at], b"")
        while len(left) >= PAGE:
            yield _page(left[:PAGE])
            left = left[PAGE:]
    if left:
        yield _page(left)


def mergeable(runs: Sequence[tuple[int, int]]) -> slice | None:
    """Return which runs next to each other become one, the oldest first; None if there is nothing to do.

    Args:
        runs: tier and pages of each run, in the order of their positions.
    """
    start = 0
    for at, (tier, size) in enumerate(runs):
        if size > LARGEST // 2:
            start = at + 1  # it stays as it is
        elif runs[start][0] != tier:
            start = at
        elif at - start + 1 == FAN:
            return slice(start, start + _fitting([pages for _, pages in runs[start : at + 1]]))
    return None


def find(entries: bytes, digest: bytes, below: int) -> list[int]:
    """Return the positions in a page's entries where a digest may occur, those before `below`, ascending."""
    prefix = digest[:PREFIX]
    first, last = _before(entries, prefix), _before(entries, prefix + number(below))
    return [
        int.from_bytes(entries[at + PREFIX : at + ENTRY], "big")
        for at in range(first * ENTRY, last * ENTRY, ENTRY)
    ]


def bounds(digest: bytes, below: int) -> tuple[bytes, bytes]:
    """Return the least entry that a digest may have, and the one before which all its entries for `below` lie."""
    return digest[:PREFIX] + bytes(8), digest[:PREFIX] + number(below)


def _fitting(sizes: Sequence[int]) -> int:
    """Return how many of the runs, whose pages these are, fit into the largest."""
    total = 0
    for at, size in enumerate(sizes):
        total += size
        if total > LARGEST:
            return at
    return len(sizes)


def _before(entries: bytes, entry: bytes) -> int:
    """Return how many of the sorted entries are smaller."""
    count = len(entries) // ENTRY
    return bisect_left(range(count), entry, key=lambda at: entries[at * ENTRY : (at + 1) * ENTRY])


def _texts(entries: bytes | bytearray) -> list[str]:
    """Return entries as texts of one byte a character, which sort in half the time that bytes take."""
    text = entries.decode("latin-1")
    return [text[at : at + ENTRY] for at in range(0, len(text), ENTRY)]


def _joined(texts: Sequence[str]) -> bytes:
    return "".join(texts).encode("latin-1")


def _page(entries: bytes) -> Page:
    return Page(entries[:ENTRY], entries[-ENTRY:], entries)


def _parts(leaf: bytes) -> list[bytes]:
    parts, at = [], 1
    while at < len(leaf):
        size = int.from_bytes(leaf[at : at + 4], "big")
        parts.append(leaf[at + 4 : at + 4 + size])
        at += 4 + size
    return parts
