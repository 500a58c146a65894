"""The Merkle tree of RFC 6962, section 2, over columns of hashes: roots, proofs and their verification."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from hashlib import sha256

from vault.audit.faults import ProofInvalid

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()  # RFC 6962, section 2.1: the root of no leaves

Node = tuple[int, int]  # level (0: leaves) and index of a complete subtree of 2**level leaves
Nodes = Callable[[Sequence[Node]], Sequence[bytes]]  # their hashes, in the same order


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """Return the hash of each leaf: SHA-256 of 0x00 and the leaf."""
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 of 0x01 and both hashes below it."""
    return sha256(b"\x01" + left + right).digest()


def parents(hashes: Iterable[bytes]) -> list[bytes]:
    """Return the hashes one level up; a last one without a right neighbour is left out."""
    each = iter(hashes)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(each, each, strict=False)]


def root_of(hashes: Iterable[bytes]) -> bytes:
    """Return the root of a tree with these leaf hashes."""
    frontier = Frontier()
    frontier.extend(hashes)
    return frontier.root()


class Frontier:
    """The right edge of a growing tree: at most one complete subtree of each size, from which the root follows.

    Attributes:
        size: leaves in the tree.
    """

    __slots__ = ("_left", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Start empty, or with the hashes of `complete(0, size)`, the largest subtree first."""
        self.size = size
        self._left: list[bytes | None] = [None] * size.bit_length()  # by level
        for (level, _), found in zip(complete(0, size), hashes, strict=True):
            self._left[level] = found

    def extend(self, hashes: Iterable[bytes]) -> None:
        """Append leaf hashes."""
        column, level, left = list(hashes), 0, self._left
        self.size += len(column)
        while column:
            if level == len(left):
                left.append(None)
            waiting = left[level]
            if waiting is not None:
                column.insert(0, waiting)
            left[level] = column.pop() if len(column) % 2 else None
            column, level = parents(column), level + 1

    def root(self) -> bytes:
        """Return the tree's root."""
        return _fold(self.hashes())

    def hashes(self) -> list[bytes]:
        """Return the hashes of `complete(0, size)`."""
        return [found for found in reversed(self._left) if found is not None]

    def copy(self) -> Frontier:
        """Return another that grows by itself."""
        return Frontier(self.size, self.hashes())


def complete(start: int, end: int) -> list[Node]:
    """Return the largest complete subtrees that make up the leaves from `start` to before `end`, from the left.

    `start` is a multiple of a power of two that is at least `end - start`, as it is in every proof.
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of `size` leaves (RFC 6962, section 2.1.1).

    Raises ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return _proof(ranges, nodes)


def consistency_proof(first: int, second: int, nodes: Nodes) -> list[bytes]:
    """Return the proof that the tree of `second` leaves begins with that of `first` (RFC 6962, section 2.1.2).

    Raises ValueError unless 0 <= first <= second. Of an empty tree nothing is to be proved: the proof is empty.
    """
    if not 0 <= first <= second:
        raise ValueError("the first tree is larger than the second")
    ranges, start, end, whole = [], 0, second, True
    while first and first < end:
        middle = start + _split(end - start)
        if first <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if first and not whole:
        ranges.append((start, end))
    return _proof(ranges, nodes)


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes, start: int = 0
) -> None:
    """Return if the leaf hash is at `index` of the tree of `size` leaves with this root (RFC 9162, section 2.1.3.2).

    With `start`, of the subtree of the leaves from `start` to before `size` (draft-ietf-plants-merkle-tree-certs,
    section 4.3.2). Raises ProofInvalid if it is not shown.
    """
    _check([leaf, root, *proof])
    if not start <= index < size or not _is_subtree(start, size):
        raise ProofInvalid("the leaf is not in the tree")
    at, last, found = index - start, size - start - 1, leaf
    for other in proof:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if at & 1 or at == last:
            found = node_hash(other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, other)
        at, last = at >> 1, last >> 1
    if last or found != root:
        raise ProofInvalid("the proof does not lead to the root")


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Return if the tree of `second` leaves begins with that of `first` (RFC 9162, section 2.1.4.2).

    Raises ProofInvalid if it is not shown, and if `first` is 0: an empty tree says nothing.
    """
    if first == 0:
        raise ProofInvalid("an empty tree is consistent with every other")
    verify_subtree(0, first, second, first_root, second_root, proof)


def verify_subtree(
    start: int, end: int, size: int, subtree: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Return if the leaves from `start` to before `end` of the tree with this root have the hash `subtree`.

    The algorithm of draft-ietf-plants-merkle-tree-certs, section 4.4.3, which is RFC 9162, section 2.1.4.2, where
    `start` is 0. Raises ProofInvalid if it is not shown.
    """
    if start == end <= size and subtree == EMPTY_ROOT and not proof:
        return
    if 0 == start < end == size and subtree == root and not proof:
        return
    _check([subtree, root, *proof])
    if not 0 <= start < end <= size or not _is_subtree(start, end):
        raise ProofInvalid("the subtree is not in the tree")
    low, high, last = start, end - 1, size - 1
    while low != high and (high == last or high & 1):
        low, high, last = low >> 1, high >> 1, last >> 1
    rest = list(proof)
    if low != high and not rest:
        raise ProofInvalid("the proof is too short")
    small = large = subtree if low == high else rest.pop(0)
    for other in rest:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if high & 1 or high == last:
            small = node_hash(other, small) if low < high else small
            large = node_hash(other, large)
            while not high & 1:
                low, high, last = low >> 1, high >> 1, last >> 1
        else:
            large = node_hash(large, other)
        low, high, last = low >> 1, high >> 1, last >> 1
    if last or small != subtree or large != root:
        raise ProofInvalid("the proof does not lead to both roots")


def _check(hashes: Sequence[bytes]) -> None:
    if any(len(found) != HASH_BYTES for found in hashes):
        raise ProofInvalid("a hash has not 32 bytes")


def _is_subtree(start: int, end: int) -> bool:
    """Whether `start` is a multiple of the smallest power of two that is at least `end - start`."""
    return end > start and start % (1 << (end - start - 1).bit_length()) == 0


def _split(leaves: int) -> int:
    """Return the largest power of two smaller than a number of leaves, which is at least 2."""
    return 1 << ((leaves - 1).bit_length() - 1)


def _proof(ranges: Sequence[tuple[int, int]], nodes: Nodes) -> list[bytes]:
    """Return the hash of each range of leaves, the last one first; all nodes are read in one call."""
    parts = [complete(start, end) for start, end in reversed(ranges)]
    found = iter(nodes([node for part in parts for node in part]))
    return [_fold([next(found) for _ in part]) for part in parts]


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees, the largest first."""
    if not hashes:
        return EMPTY_ROOT
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes))
