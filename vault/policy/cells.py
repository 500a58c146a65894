"""What roles may do, laid out in cells: an operation, a field and a purpose each, as far as the operation has them.

A set of cells is a number with a bit for each, so that a thousand rules are a thousand sums.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vault import fields
from vault.policy import words
from vault.policy.model import ON_VALUES, SEEING, VIEWS
from vault.policy.rules import EVERY, Rule

Given = tuple[int, str]  # the rank of a view in VIEWS, and conditions in words
Sets = dict[Given, int]


@dataclass(frozen=True, slots=True)
class Grid:
    """All cells, for policies with these purposes."""

    cells: tuple[tuple[str, str, str], ...]
    named: Mapping[tuple[int, str], int] = field(repr=False)  # the cells with this name at this place

    @property
    def revealing(self) -> int:
        """Return the cells in which a view says something."""
        return self.named[0, "reveal"]

    @classmethod
    def of(cls, purposes: Iterable[str]) -> Grid:
        """Return the grid for every operation and field."""
        known = sorted(purposes)
        cells = tuple(
            (operation, one, purpose)
            for operation in sorted(EVERY)
            for one in (sorted(fields.names()) if operation in ON_VALUES else [""])
            for purpose in (known if operation in SEEING else [""])
        )
        named: defaultdict[tuple[int, str], int] = defaultdict(int)
        for bit, cell in enumerate(cells):
            for at, name in enumerate(cell):
                named[at, name] |= 1 << bit
        return cls(cells, dict(named))

    def of_rule(self, rule: Rule) -> int:
        """Return the cells that a rule speaks of."""
        found = self._any(0, rule.operations)
        if rule.fields is not None:
            found &= self._any(1, rule.fields | {""})
        if rule.purposes is not None:
            found &= self._any(2, rule.purposes | {""})
        return found

    def members(self, cells: int) -> list[tuple[str, str, str]]:
        """Return the cells of a set."""
        found = []
        while cells:
            lowest = cells & -cells
            found.append(self.cells[lowest.bit_length() - 1])
            cells ^= lowest
        return found

    def _any(self, at: int, names: Iterable[str]) -> int:
        found = 0
        for name in names:
            found |= self.named.get((at, name), 0)
        return found


@dataclass(frozen=True, slots=True)
class Layout:
    """What rules come to: cells allowed up to a view on conditions, and cells denied from a view on, on conditions."""

    allowed: Sets
    denied: Sets

    @classmethod
    def of(cls, rules: Iterable[Rule], grid: Grid) -> Layout:
        """Return the layout of the rules of one role."""
        allowed: Sets = defaultdict(int)
        denied: Sets = defaultdict(int)
        for rule in rules:
            cells, conditions = grid.of_rule(rule), words.of_when(rule.when)
            rank, sets = VIEWS.index(rule.view or VIEWS[0]), allowed if rule.allows else denied
            sets[rank, conditions] |= cells & grid.revealing
            if rule.allows or rank == 0:  # else it speaks of views that other operations do not have
                sets[0, conditions] |= cells & ~grid.revealing
        _cut(allowed, {rank: cells for (rank, conditions), cells in denied.items() if not conditions})
        somewhere = 0
        for cells in allowed.values():
            somewhere |= cells
        left = {given: cells & somewhere for given, cells in denied.items() if given[1]}
        return cls({given: cells & ~_above(allowed, given) for given, cells in allowed.items()}, left)

    def gained(self, before: Layout) -> Sets:
        """Return what is allowed here and was not before."""
        more = {
            given: cells & ~(_above(before.allowed, given) | before.allowed.get(given, 0))
            for given, cells in self.allowed.items()
        }
        return {given: cells for given, cells in more.items() if cells}

    def kept(self, before: Layout) -> Sets:
        """Return what is allowed here, and was before, in cells in which more was."""
        lost = 0
        for cells in before.gained(self).values():
            lost |= cells
        new = self.gained(before)
        left = {given: cells & lost & ~new.get(given, 0) for given, cells in self.allowed.items()}
        return {given: cells for given, cells in left.items() if cells}

    def newly_denied(self, before: Layout) -> Sets:
        """Return what is denied here on conditions and was not before."""
        more = {given: cells & ~before.denied.get(given, 0) for given, cells in self.denied.items()}
        return {given: cells for given, cells in more.items() if cells}


def _cut(allowed: Sets, denied: Mapping[int, int]) -> None:
    """Take away what is denied on no condition: of a view, what is below it stays."""
    for rank, cells in sorted(denied.items(), reverse=True):
        for (view, conditions), held in list(allowed.items()):
            if view >= rank:
                allowed[view, conditions] = held & ~cells
                if rank and held & cells:
                    allowed[rank - 1, conditions] = allowed.get((rank - 1, conditions), 0) | held & cells


def _above(allowed: Mapping[Given, int], given: Given) -> int:
    """Return the cells in which more than `given` is allowed: up to a further view, or on no condition."""
    rank, conditions = given
    found = 0
    for view in range(rank, len(VIEWS)):
        for other in {conditions, ""}:
            if (view, other) != given:
                found |= allowed.get((view, other), 0)
    return found
