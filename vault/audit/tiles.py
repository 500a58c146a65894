"""A tree's hashes in tiles of 256 (C2SP tlog-tiles): which tiles change as it grows, and its nodes read from them.

Level 0 holds leaf hashes; a hash of a level above is the root over one full tile of the level below. Tile `number` of
`level` is stored whole, or partial while it is the last of its level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vault.audit.faults import TileDamaged
from vault.audit.merkle import HASH_BYTES, Frontier, Node, complete, parents

WIDTH = 256  # hashes of a full tile
_HEIGHT = 8  # levels of the tree from one level of tiles to the next
_FULL = WIDTH * HASH_BYTES

Place = tuple[int, int]  # level and number of a tile
Tile = tuple[int, int, bytes]  # and its hashes, one behind the other
Read = Callable[[Sequence[Place]], Mapping[Place, bytes]]  # the tiles that there are; one call reads a column


def grow(size: int, hashes: Sequence[bytes], read: Read) -> list[Tile]:
    """Return the tiles that are new or longer once leaf hashes are appended to a tree of `size` leaves.

    Raises TileDamaged if a partial tile of the old tree is not what a tree of that size has.
    """
    edge = [
        (level, (size >> _HEIGHT * level) // WIDTH)
        for level in _levels(size + len(hashes))
        if (size >> _HEIGHT * level) % WIDTH
    ]
    found = read(edge) if hashes else {}
    changed: list[Tile] = []
    column, level = list(hashes), 0
    while column:
        number, width = divmod(size >> _HEIGHT * level, WIDTH)
        old = _prefix(found, (level, number), width) if width else b""
        packed = old + b"".join(column)
        changed += [
            (level, number + at // _FULL, packed[at : at + _FULL]) for at in range(0, len(packed), _FULL)
        ]
        column = _roots(packed[: len(packed) - len(packed) % _FULL], _HEIGHT)
        level += 1
    return changed


def nodes(size: int, read: Read) -> Callable[[Sequence[Node]], list[bytes]]:
    """Return what reads nodes of the tree of `size` leaves, for `merkle.inclusion_proof` and `consistency_proof`.

    A column of nodes is one call of `read`. It raises TileDamaged if a tile is missing or too short.
    """

    def hashes_of(asked: Sequence[Node]) -> list[bytes]:
        spans = [_span(node) for node in asked]
        found = read(list(dict.fromkeys(place for place, _, _ in spans)))
        return [
            _roots(_prefix(found, place, end)[start * HASH_BYTES :], (end - start).bit_length() - 1)[0]
            for place, start, end in spans
        ]

    def within(asked: Sequence[Node]) -> list[bytes]:
        if any((index + 1) << level > size for level, index in asked):
            raise ValueError("the tree has no such complete subtree")
        return hashes_of(asked) if asked else []

    return within


def frontier(size: int, read: Read) -> Frontier:
    """Return the right edge of the tree of `size` leaves; raise TileDamaged if its tiles are not there."""
    return Frontier(size, nodes(size, read)(complete(0, size)))


def _levels(size: int) -> range:
    return range(size.bit_length() // _HEIGHT + 1)


def _span(node: Node) -> tuple[Place, int, int]:
    """Return the tile that holds the hashes below a node, and from where to where."""
    level, index = divmod(node[0], _HEIGHT)[0], node[1] << node[0] % _HEIGHT
    number, start = divmod(index, WIDTH)
    return (level, number), start, start + (1 << node[0] % _HEIGHT)


def _prefix(found: Mapping[Place, bytes], place: Place, width: int) -> bytes:
    """Return the first `width` hashes of a tile, which may have grown since."""
    hashes = found.get(place, b"")
    if len(hashes) < width * HASH_BYTES or len(hashes) > _FULL or len(hashes) % HASH_BYTES:
        raise TileDamaged(f"tile {place[1]} of level {place[0]} is missing or has not its hashes")
    return hashes[: width * HASH_BYTES]


def _roots(packed: bytes, height: int) -> list[bytes]:
    """Return the roots over every 2**height hashes."""
    column = [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]
    for _ in range(height):
        column = parents(column)
    return column
