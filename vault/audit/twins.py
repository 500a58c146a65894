"""The two trees that could be right, of the tiles and of the records: one tree as long as they are the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from vault.audit.findings import Difference
from vault.audit.merkle import Frontier

_KEPT = 4_096  # differences that are looked at; the first ones say what happened

Hashes = Sequence[bytes | None]  # None where there is none


class Kept:
    """The first differences of many.

    Attributes:
        first: in order of position.
        whole: whether they are all.
    """

    def __init__(self) -> None:
        self.first: list[Difference] = []
        self.whole = True

    def add(self, more: Iterable[Difference]) -> None:
        """Keep further ones."""
        self.first += more
        self.whole = self.whole and len(self.first) <= _KEPT
        del self.first[_KEPT:]

    def join(self, other: Kept) -> None:
        """Keep the further ones that another has kept."""
        self.add(other.first)
        self.whole = self.whole and other.whole


class Twins:
    """Both trees up to one position.

    Attributes:
        tree: over what tiles say, or records where there are no tiles; None once that cannot be known.
        differences: of records and tiles since a checkpoint last agreed.
    """

    def __init__(self, tree: Frontier) -> None:
        self.tree: Frontier | None = tree
        self.differences = Kept()
        self._own: Frontier | None = (
            None  # over records; None where they are as the tiles, or are not all there
        )

    def grow(self, first: int, here: Hashes, meant: Hashes) -> int | None:
        """Append what is there and what tiles say; both are one list where they are the same.

        Returns the position from which nothing can be known, if this is where that begins.
        """
        if self.tree is None:
            return None
        if here is not meant:
            self._part(first, here, meant)
        if None in meant:
            self.lose()
            return first + meant.index(None)
        self.tree.extend(_all(meant))
        if self._own is not None:
            if None in here:
                self._own = None
            else:
                self._own.extend(_all(here))
        return None

    def lose(self) -> None:
        """Give up: a position has neither record nor tile."""
        self.tree = self._own = None

    def settle(self, roots: Collection[bytes]) -> tuple[bytes, bool] | None:
        """Return the root that is one of these, and whether it is the tiles'; go on from that tree alone.

        None if neither tree has such a root.
        """
        for tree in (self.tree, self._own):
            if tree is not None and (root := tree.root()) in roots:
                by_tiles = tree is self.tree
                self.tree, self._own, self.differences = tree, None, Kept()
                return root, by_tiles
        return None

    def _part(self, first: int, here: Hashes, meant: Hashes) -> None:
        found = [
            (at, record, tile)
            for at, (record, tile) in enumerate(zip(here, meant, strict=True), first)
            if record != tile and tile is not None
        ]
        if found and not self.differences.first and self.tree is not None:
            self._own = self.tree.copy()
        self.differences.add(found)


def _all(hashes: Hashes) -> Iterable[bytes]:
    return hashes  # type: ignore[return-value]  # None was looked for
