"""Every way to tamper with a log, and what its examination must say."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.vault.audit.logs import THIEF, Log, chain, record


@dataclass
class Told:
    """What must be found.

    Attributes:
        kinds: that the first finding of tampering may have.
        position: of the first bad record.
        exact: whether it must be named itself, and not a range alone.
        evidence: what the log is examined with besides.
    """

    kinds: set[str]
    position: int
    exact: bool
    evidence: dict[str, Any]


Mutation = Callable[[Log, random.Random], Told]
NOTES = {"bad_signature", "note_malformed", "checkpoint_malformed", "other_log", "unknown_key"}


def told(position: int, *kinds: str, exact: bool = True, **evidence: Any) -> Told:
    return Told(set(kinds), position, exact, evidence)


def edit(log: Log, draw: random.Random) -> Told:
    """One bit of one record."""
    at = draw.randrange(len(log.leaves))
    leaf = bytearray(log.leaves[at] or b"")
    leaf[draw.randrange(len(leaf))] ^= 1 << draw.randrange(8)
    log.leaves[at] = bytes(leaf)
    return told(at, "edited")


def insert(log: Log, draw: random.Random) -> Told:
    at = draw.randrange(len(log.leaves) + 1)
    last = at == len(log.leaves) - 1  # what it pushed out is behind all that is signed: it looks like an edit
    log.leaves.insert(at, record(at, draw))
    return told(at, "inserted", *["edited"] * last)


def remove(log: Log, draw: random.Random) -> Told:
    """One record, those behind it moved up."""
    at = draw.randrange(len(log.leaves))
    del log.leaves[at]
    return told(at, "removed" if at < len(log.leaves) else "cut_tail")


def take_out(log: Log, draw: random.Random) -> Told:
    """One record, its position left empty."""
    at = draw.randrange(len(log.leaves))
    log.leaves[at] = None
    return told(at, "removed" if at < len(log.leaves) - 1 else "cut_tail")


def swap(log: Log, draw: random.Random) -> Told:
    one, two = sorted(draw.sample(range(len(log.leaves)), 2))
    log.leaves[one], log.leaves[two] = log.leaves[two], log.leaves[one]
    return told(one, "reordered")


def move(log: Log, draw: random.Random) -> Told:
    """One record up to 3,000 positions away."""
    old = draw.randrange(len(log.leaves))
    new = draw.choice(
        [at for at in range(max(0, old - 3_000), min(len(log.leaves), old + 3_000)) if at != old]
    )
    log.leaves.insert(new, log.leaves.pop(old))
    return told(min(old, new), "reordered")


def cut(log: Log, draw: random.Random) -> Told:
    """The tail of the records."""
    del log.leaves[draw.randrange(len(log.leaves)) :]
    return told(len(log.leaves), "cut_tail")


def cut_all(log: Log, draw: random.Random) -> Told:
    """The tail of records, tiles and checkpoints; the newest checkpoint is outside as well."""
    log.outside = log.inside[-1:]
    kept = draw.randrange(len(log.inside) - 1)
    del log.inside[kept + 1 :]
    size = int(log.inside[-1].split("\n")[1])
    del log.leaves[size:], log.hashes[size:]
    return told(size, "cut_tail")


def remake(log: Log, draw: random.Random) -> Told:
    """Any of these, and the tiles made anew, so that records and tiles agree."""
    count = len(log.leaves)
    happened = draw.choice([edit, insert, remove, swap, move])(log, draw)
    log.retile()
    if happened.position == count:  # only new ones behind the last checkpoint
        return told(count, "inserted")
    if len(log.leaves) < count and happened.position >= count - 1:
        return told(happened.position, "cut_tail", exact=False)
    return told(happened.position, "forked", "cut_tail", exact=False)


def remake_before_copies(log: Log, draw: random.Random) -> Told:
    """The same, where a sink has copies of all records."""
    copies = [(at, leaf) for at, leaf in enumerate(log.leaves) if leaf is not None]
    kinds = remake(log, draw)
    kinds.kinds, kinds.exact = {"edited", "inserted", "removed", "reordered", "cut_tail"}, True
    kinds.evidence["copies"] = copies
    return kinds


def fork(log: Log, draw: random.Random) -> Told:
    """Tiles and checkpoints made anew with the log's own key; the true ones are outside."""
    log.outside = log.inside
    happened = draw.choice([edit, swap, move])(log, draw)
    sizes = [int(note.split("\n")[1]) for note in log.inside]
    log.retile()
    log.inside = chain(log.hashes, sizes)
    return told(happened.position, "forked", exact=False)


def steal(log: Log, draw: random.Random) -> Told:
    """The same with another key."""
    log.outside = log.inside
    happened = draw.choice([edit, swap, move])(log, draw)
    sizes = [int(note.split("\n")[1]) for note in log.inside]
    log.retile()
    log.inside = chain(log.hashes, sizes, THIEF)
    return told(happened.position, "forked", exact=False)


def spoil_note(log: Log, draw: random.Random) -> Told:
    """One character of one checkpoint; the newest is outside as well."""
    log.outside = log.inside[-1:]
    place = draw.randrange(len(log.inside))
    note = log.inside[place]
    at = draw.randrange(len(note))
    other = draw.choice([character for character in "0123456789Aa+/=\n\x00 " if character != note[at]])
    log.inside[place] = note[:at] + other + note[at + 1 :]
    return told(-1, *NOTES)


def spoil_tile(log: Log, draw: random.Random) -> Told:
    at = draw.randrange(len(log.hashes))
    log.hashes[at] = draw.randbytes(32)
    return told(at, "tile_damaged")


def lose_tile(log: Log, draw: random.Random) -> Told:
    del log.hashes[draw.randrange(len(log.hashes)) :]
    return told(len(log.hashes), "tile_damaged")


MUTATIONS: list[Mutation] = [
    edit, insert, remove, take_out, swap, move, cut, cut_all, remake, remake_before_copies, fork, steal, spoil_note,
    spoil_tile, lose_tile,
]  # fmt: skip
