"""Whole logs made in memory, with tiles and signed checkpoints, and how they are examined."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from vault.audit import checkpoints, leaf, merkle, tiles
from vault.audit.evidence import Batch, Evidence
from vault.audit.findings import Report
from vault.audit.notes import Signer, Verifier
from vault.audit.verifying import verify

TENANT = 0x1234
ORIGIN = checkpoints.log_name(TENANT, 1)
SIGNER, THIEF = Signer(ORIGIN, bytes(range(32))), Signer(ORIGIN, bytes(32))
KEYS = (Verifier(SIGNER.vkey),)


def record(number: int, draw: random.Random, **parts: Any) -> bytes:
    """A record as requests leave it."""
    count = draw.choice((1, 1, 1, 2, 5))
    at = 1_800_000_000_000_000 + number
    plain = leaf.Record(
        id=at.to_bytes(8, "big") + draw.randbytes(8), at=at, tenant=TENANT,
        actor=f"key_{draw.randrange(5):016x}", request_id=f"req-{draw.getrandbits(64):016x}",
        operation="reveal", field="bank_card", purpose="settle", view="masked", result="ok",
        count=count, refused=0, key=9, tokens=draw.randbytes(16 * count), origin=f"10.0.0.{draw.randrange(256)}",
        policy=3, persons=draw.randbytes(16), whose=b"\0\1" * count,
    )  # fmt: skip
    return leaf.encode(replace(plain, **parts))


@cache
def records(count: int, seed: int = 0) -> tuple[bytes, ...]:
    """So many records, always the same ones; each has its own id and time, and the other parts of one of 64."""
    draw = random.Random(seed)
    models = [record(number, draw) for number in range(64)]
    times = [(1_800_000_000_000_000 + number).to_bytes(8, "big") for number in range(count)]
    return tuple([
        model[:5] + at + draw.randbytes(8) + model[21:25] + at + model[33:]
        for at, model in zip(times, models * (count // 64 + 1), strict=False)
    ])  # fmt: skip


@dataclass
class Log:
    """What lies in a database, and beside it; a mutation changes parts of a copy."""

    leaves: list[bytes | None]
    hashes: list[bytes]  # of level-0 tiles
    inside: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def copy(self) -> Log:
        return Log([*self.leaves], [*self.hashes], [*self.inside], [*self.outside])

    def batches(self, size: int = 1_024, tiled: bool = True) -> Iterator[Batch]:
        for at in range(0, max(len(self.leaves), len(self.hashes) if tiled else 0), size):
            packed = b"".join(self.hashes[at : at + size]) if tiled else None
            yield Batch(at, self.leaves[at : at + size], packed)

    def examine(self, size: int = 1_024, tiled: bool = True, **evidence: Any) -> Report:
        against = Evidence(ORIGIN, TENANT, KEYS, self.inside, self.outside, **evidence)
        return verify(against, self.batches(size, tiled))

    def retile(self) -> None:
        """Make the tiles anew from the records."""
        self.hashes = merkle.leaf_hashes(there for there in self.leaves if there is not None)


@cache
def _whole(count: int, every: int) -> Log:
    leaves = records(count)
    hashes = merkle.leaf_hashes(leaves)
    return Log([*leaves], hashes, chain(hashes, [*range(every, count, every), count]))


def whole(count: int, every: int = 100) -> Log:
    """A log as it should be, with a checkpoint for every so many records and one for all."""
    return _whole(count, every).copy()


def signed(hashes: Sequence[bytes], size: int, signer: Signer = SIGNER) -> str:
    """The checkpoint of the first `size` hashes."""
    return checkpoints.sign(signer, size, merkle.root_of(hashes[:size]))


def chain(hashes: Sequence[bytes], sizes: Sequence[int], signer: Signer = SIGNER) -> list[str]:
    """The checkpoints of several sizes, which are in order."""
    frontier, notes = merkle.Frontier(), []
    for size in sizes:
        frontier.extend(hashes[frontier.size : size])
        notes.append(checkpoints.sign(signer, size, frontier.root()))
    return notes


class Store:
    """Tiles in memory, which counts how they are read."""

    def __init__(self) -> None:
        self.tiles: dict[tiles.Place, bytes] = {}
        self.reads: list[list[tiles.Place]] = []

    def read(self, places: Sequence[tiles.Place]) -> Mapping[tiles.Place, bytes]:
        self.reads.append([*places])
        return {place: self.tiles[place] for place in places if place in self.tiles}

    def grow(self, size: int, hashes: Sequence[bytes]) -> list[tiles.Tile]:
        changed = tiles.grow(size, hashes, self.read)
        self.tiles.update({(level, number): packed for level, number, packed in changed})
        return changed
