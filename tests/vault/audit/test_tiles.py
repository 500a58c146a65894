"""Tiles: which change as a tree grows, and proofs that read few of them."""

from __future__ import annotations

import random

import pytest

from tests.vault.audit import outside
from tests.vault.audit.logs import Store
from vault.audit import merkle, tiles
from vault.audit.faults import TileDamaged

LEAVES = [f"leaf {number}".encode() for number in range(70_000)]
HASHES = merkle.leaf_hashes(LEAVES)


@pytest.fixture(scope="module")
def grown() -> Store:
    """The tree of the example in C2SP tlog-tiles, "Partial Tiles", grown in steps of any length."""
    store, draw, size = Store(), random.Random(2), 0
    while size < len(HASHES):
        until = min(len(HASHES), size + draw.choice((1, 3, 255, 256, 257, 5_000)))
        store.grow(size, HASHES[size:until])
        size = until
    return store


def test_the_tiles_of_the_published_example(grown: Store) -> None:
    widths = {place: len(packed) // 32 for place, packed in grown.tiles.items()}
    full = {(0, number): 256 for number in range(273)} | {(1, 0): 256}
    assert widths == full | {(0, 273): 112, (1, 1): 17, (2, 0): 1}


def test_tiles_hold_the_hashes_of_the_tree(grown: Store) -> None:
    assert grown.tiles[0, 5] == b"".join(HASHES[5 * 256 : 6 * 256])
    assert grown.tiles[0, 273] == b"".join(HASHES[273 * 256 :])
    assert grown.tiles[1, 0][32:64] == outside.mth(LEAVES[256:512])
    assert grown.tiles[2, 0] == outside.mth(LEAVES[:65_536])


def test_a_tree_of_one_full_tile_has_one_above() -> None:
    store = Store()
    assert [(level, number, len(packed)) for level, number, packed in store.grow(0, HASHES[:256])] == [
        (0, 0, 8_192),
        (1, 0, 32),
    ]
    assert store.grow(256, []) == []
    assert [tile[:2] for tile in store.grow(256, HASHES[256:257])] == [(0, 1)]


def test_only_partial_tiles_are_read_and_all_at_once(grown: Store) -> None:
    grown.reads.clear()
    tiles.grow(70_000, HASHES[:2], grown.read)
    assert grown.reads == [[(0, 273), (1, 1), (2, 0)]]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_536, 65_537, 70_000])
def test_proofs_read_few_tiles_at_once(grown: Store, size: int) -> None:
    read, root = tiles.nodes(size, grown.read), merkle.root_of(HASHES[:size])
    for index in sorted({0, size // 3, size // 2, size - 1}):
        grown.reads.clear()
        proof = merkle.inclusion_proof(index, size, read)
        assert outside.includes(LEAVES[index], index, size, proof, root)
        assert len(grown.reads) == (size > 1)
        assert sum(map(len, grown.reads)) <= 5
    for first in sorted({1, size // 2 + 1, size}):
        proof = merkle.consistency_proof(first, size, read)
        assert outside.extends(first, size, proof, merkle.root_of(HASHES[:first]), root)
    assert tiles.frontier(size, grown.read).root() == root


def test_a_missing_or_short_tile_is_named(grown: Store) -> None:
    for damage in (None, b"", grown.tiles[0, 0][:-1], grown.tiles[0, 0] + bytes(32)):
        store = Store()
        store.tiles = {place: packed for place, packed in grown.tiles.items() if place != (0, 0)}
        if damage is not None:
            store.tiles[0, 0] = damage
        with pytest.raises(TileDamaged, match="tile 0 of level 0"):
            merkle.inclusion_proof(3, 70_000, tiles.nodes(70_000, store.read))
    with pytest.raises(TileDamaged, match="tile 0 of level 0"):
        tiles.grow(5, HASHES[:1], Store().read)
    with pytest.raises(ValueError, match="no such complete subtree"):
        tiles.nodes(5, grown.read)([(2, 1)])
