"""Rules: what a role is allowed or denied."""

from __future__ import annotations

from dataclasses import dataclass

from vault.columns import OPERATIONS
from vault.policy.model import SEEING, VIEWS, Decision
from vault.policy.when import When

EVERY = frozenset(OPERATIONS) - {"reveal_plain"}  # which is `reveal` in view full
ALWAYS = When()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, of a role or of every role.

    Attributes:
        line: of its table in the document.
        role: empty for every role.
        allows: else it denies.
        operations: those that it speaks of. What limits fields or rows speaks of operations on values alone, and a
            denial of purposes or views of those that see values.
        fields, purposes: None for all.
        view: of VIEWS: an allowance reaches up to it, a denial from it on; None for a denial of every view.
        when: conditions.
        reason: the author's.
        decision: what it decides.
    """

    line: int
    role: str
    allows: bool
    operations: frozenset[str]
    fields: frozenset[str] | None
    purposes: frozenset[str] | None
    view: str | None
    when: When
    reason: str
    decision: Decision

    @property
    def meaning(self) -> tuple[object, ...]:
        """Return all that it says; two of a role that say the same are one too many."""
        return self.allows, self.operations, self.fields, self.purposes, self.view, self.when

    def speaks_of(self, operation: str, purpose: str, view: str) -> bool:
        """Return whether it speaks of an operation, with a purpose and a view if it sees values."""
        if operation not in self.operations:
            return False
        return operation not in SEEING or (self.reaches(view) and self.is_for(purpose))

    def covers(self, field: str) -> bool:
        """Return whether it speaks of a field type."""
        return self.fields is None or field in self.fields

    def denies_all_of(self, other: Rule) -> bool:
        """Return whether this denial covers an allowance; False where that takes more than a look at each part."""
        return self.view in (None, VIEWS[0]) and self._spans(other)

    def allows_all_of(self, other: Rule) -> bool:
        """Return whether this allowance includes another; False where that takes more than a look at each part."""
        return self._rank >= other._rank and self._spans(other)

    @property
    def _rank(self) -> int:
        return VIEWS.index(self.view or VIEWS[0])

    def _spans(self, other: Rule) -> bool:
        return (
            self.operations >= other.operations
            and _holds(self.fields, other.fields)
            and (other.operations.isdisjoint(SEEING) or _holds(self.purposes, other.purposes))
            and other.when.implies(self.when)
        )

    def reaches(self, view: str) -> bool:
        """Return whether it speaks of a view."""
        if self.view is None:
            return True
        asked = VIEWS.index(view)
        return asked <= self._rank if self.allows else asked >= self._rank

    def is_for(self, purpose: str) -> bool:
        """Return whether it speaks of a purpose."""
        return self.purposes is None or purpose in self.purposes


def _holds(wide: frozenset[str] | None, narrow: frozenset[str] | None) -> bool:
    return wide is None or (narrow is not None and narrow <= wide)
