"""Rows and tiles of a database, put together into the batches that an examination takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from vault.audit.evidence import Batch
from vault.audit.merkle import HASH_BYTES
from vault.audit.tiles import WIDTH

Rows = Sequence[tuple[int, bytes]]  # position and leaf
Tiles = Callable[[range], Mapping[int, bytes]]  # level-0 tiles by number, those that there are


def batches(pages: Iterable[Rows], tiles: Tiles, start: int, end: int) -> Iterator[Batch]:
    """Yield what is from `start` to at least before `end`: records, None where one is missing, and tiles' hashes.

    Args:
        pages: of rows in order of position, none before `start`; a page becomes a batch.
        tiles: reads a column of tiles.
        start: records before it were archived.
        end: leaves that the log or its newest checkpoint says there are; rows may be fewer or more.
    """
    at = start
    for page in pages:
        if page:
            until = page[-1][0] + 1
            yield _batch(at, until, page, tiles)
            at = until
    while at < end:
        until = min(end, at + WIDTH * WIDTH)
        yield _batch(at, until, (), tiles)
        at = until


def _batch(first: int, until: int, rows: Rows, tiles: Tiles) -> Batch:
    leaves: list[bytes | None] = [leaf for _, leaf in rows]
    if len(rows) < until - first:
        there = dict(rows)
        leaves = [there.get(at) for at in range(first, until)]
    return Batch(first, leaves, _hashes(first, until, tiles))


def _hashes(first: int, until: int, tiles: Tiles) -> bytes:
    """Return the tiles' hashes from `first` on, up to where a tile is missing or ends too early."""
    numbers = range(first // WIDTH, (until - 1) // WIDTH + 1)
    found, packed = tiles(numbers), []
    for number in numbers:
        tile = found.get(number, b"")[: WIDTH * HASH_BYTES]
        packed.append(tile)
        if len(tile) < WIDTH * HASH_BYTES:
            break
    skipped = first % WIDTH
    return b"".join(packed)[skipped * HASH_BYTES : (skipped + until - first) * HASH_BYTES]
