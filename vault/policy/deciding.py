"""Rules asked in columns: once for all rows that are alike, so that a thousand rows cost little more than one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import repeat

from vault import fields
from vault.policy.model import Decision, Row, Rows
from vault.policy.rules import Rule

NOTHING = Decision(False, 0, "no rule allows it")
KEPT = 1_024  # answers for a field and tags

Alike = tuple[str, str | None]  # field and tags
Answer = tuple[tuple[int, ...], tuple[Decision, ...], tuple[Decision, ...]]


class Standing:
    """Rules that speak of what is asked and hold now, the rows apart: denials first, each kind in the document's order.

    For rows of one field with the same tags, all that is left to look at is their age and whose they are. What that
    comes to is worked out once and kept: the ages at which it changes, the greatest first, and a decision for each span
    between them, for the rows of others and for one's own.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.allows, rule.line)))
        self.looks_at = frozenset[str]().union(*(rule.when.asks_rows for rule in self.rules))
        self._answers: dict[Alike, Answer] = {}

    def judge(self, row: Row) -> Decision:
        """Return the decision on one row."""
        return _judge([rule for rule in self.rules if rule.covers(row.field)], row)

    def decide(self, at: float, rows: Rows) -> list[Decision]:
        """Return the decision on each row, as it is `at` so many seconds since 1970.

        Raises:
            ValueError: the rows leave out a column that the rules look at, or have columns of different lengths.
        """
        size = len(rows.fields)
        columns = {"tags": rows.tags, "created": rows.created, "own": rows.own}
        for name in self.looks_at:
            column = columns[name]
            if column is None or len(column) != size:
                raise ValueError(f"the rules look at {name}, and there is not one for each row")
        tags = rows.tags if rows.tags is not None and "tags" in self.looks_at else None
        if tags is None and not self.looks_at:
            by_field = {field: self._answer((field, None))[1][0] for field in set(rows.fields)}
            return list(map(by_field.__getitem__, rows.fields))
        alike = list(zip(rows.fields, repeat(None, size) if tags is None else tags, strict=True))
        if self.looks_at == {"tags"}:
            found = {one: self._answer(one)[1][0] for one in set(alike)}
            return list(map(found.__getitem__, alike))
        return self._row_by_row(round(at * 1e6), alike, rows)

    def _row_by_row(self, now: int, alike: Sequence[Alike], rows: Rows) -> list[Decision]:
        size = len(alike)
        created = (
            rows.created if rows.created is not None and "created" in self.looks_at else repeat(now, size)
        )
        own = rows.own if rows.own is not None and "own" in self.looks_at else repeat(False, size)
        found = {}
        for one in set(alike):
            ages, others, owns = self._answer(one)
            found[one] = [now - age for age in ages], others, owns
        return [
            (owns if mine else others)[bisect_right(edges, made) if edges else 0]
            for (edges, others, owns), made, mine in zip(
                map(found.__getitem__, alike), created, own, strict=True
            )
        ]

    def _answer(self, alike: Alike) -> Answer:
        found = self._answers.get(alike)
        if found is None:
            if len(self._answers) >= KEPT:
                self._answers.clear()
            found = self._answers[alike] = self._work_out(*alike)
        return found

    def _work_out(self, field: str, tags: str | None) -> Answer:
        named = frozenset((tags or "").split())
        rules = [rule for rule in self.rules if rule.covers(field) and rule.when.holds_tags(named)]
        whens = [rule.when for rule in rules]
        # A row ceases to be young enough above the one, and begins to be old enough at the other.
        changes = {when.max_age for when in whens if when.max_age is not None}
        changes |= {when.min_age - 1 for when in whens if when.min_age is not None}
        ages = tuple(sorted(changes, reverse=True))
        spans = (ages[0] + 1, *ages) if ages else (0,)  # an age within each
        others, owns = (
            tuple(_judge(rules, Row(field, named, age, own)) for age in spans) for own in (False, True)
        )
        return ages, others, owns


def reach(rules: Sequence[Rule]) -> frozenset[str] | None:
    """Return the field types that some row may have for which standing rules allow it; None for all."""
    allowed, denied = set[str](), set[str]()
    for rule in rules:
        if rule.allows:
            allowed.update(fields.names() if rule.fields is None else rule.fields)
        elif not rule.when.asks_rows:
            denied.update(fields.names() if rule.fields is None else rule.fields)
    if not denied and any(rule.allows and rule.fields is None for rule in rules):
        return None
    return frozenset(allowed - denied)


def at_all(rules: Sequence[Rule]) -> Decision:
    """Return whether some row may be allowed, and by which rule; else the denial that leaves none, if one does."""
    reached = reach(rules)
    if reached is not None and not reached:
        denials = [rule for rule in rules if not rule.allows and not rule.when.asks_rows]
        if len(denials) == len(
            rules
        ):  # nothing was allowed: then only what speaks of every field speaks of it
            denials = [rule for rule in denials if rule.fields is None]
        return denials[0].decision if denials else NOTHING
    return next(rule.decision for rule in rules if rule.allows and _meets(rule.fields, reached))


def _judge(rules: Iterable[Rule], row: Row) -> Decision:
    for rule in rules:
        when = rule.when
        if (row.own or not when.own) and when.holds_tags(row.tags) and when.holds_age(row.age):
            return rule.decision
    return NOTHING


def _meets(some: frozenset[str] | None, others: frozenset[str] | None) -> bool:
    return some is None or others is None or not some.isdisjoint(others)
