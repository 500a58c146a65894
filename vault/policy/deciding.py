"""Rules asked in columns: each once for all rows that are alike, so that a thousand rows cost little more than one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

from vault import fields
from vault.policy.model import Decision, Rows, Situation
from vault.policy.moment import Moment
from vault.policy.rules import Rule

NOTHING = Decision(False, 0, "no rule allows it")

Alike = tuple[str, str | None, int, bool]  # field, tags, span of age, own: what rows may differ in


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules that speak of an operation, purpose and view: denials first, each kind in the document's order.

    Attributes:
        momentary: whether one of them looks at the time, place or mode of asking.
        asks_time: whether one of them looks at the time.
    """

    rules: tuple[Rule, ...]
    momentary: bool
    asks_time: bool

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Plan:
        """Return the plan of rules in any order."""
        ordered = tuple(sorted(rules, key=lambda rule: (rule.allows, rule.line)))
        momentary = any(rule.when.asks_moment for rule in ordered)
        return cls(ordered, momentary, any(rule.when.asks_time for rule in ordered))

    def at(self, situation: Situation) -> Sequence[Rule]:
        """Return those that hold now, the rows apart.

        What cannot be told, which is an unknown address, holds for a denial and not for an allowance.
        """
        if not self.momentary:
            return self.rules
        moment = Moment(situation)
        return [rule for rule in self.rules if rule.when.holds(moment, unknown=not rule.allows)]


def looks_at(rules: Iterable[Rule]) -> frozenset[str]:
    """Return what rules need of rows: of "tags", "created", "own"."""
    return frozenset[str]().union(*(rule.when.asks_rows for rule in rules))


def decide(rules: Sequence[Rule], at: float, rows: Rows) -> list[Decision]:
    """Return the decision on each row.

    Args:
        rules: that speak of what is asked and hold now; denials first.
        at: seconds since 1970.
    Raises:
        ValueError: the rows leave out a column that the rules look at, or have columns of different lengths.
    """
    asked = looks_at(rules)
    if not asked:
        by_field = {field: _first(rules, field) for field in set(rows.fields)}
        return list(map(by_field.__getitem__, rows.fields))
    now = round(at * 1e6)
    edges = _edges(rules, now)
    rows_alike = list(_alike(rows, asked, edges))
    found = {alike: _judge(rules, alike, edges, now) for alike in set(rows_alike)}
    return list(map(found.__getitem__, rows_alike))


def reach(rules: Sequence[Rule]) -> frozenset[str] | None:
    """Return the field types that some row may have for which these rules allow it; None for all."""
    allowed, denied = set[str](), set[str]()
    for rule in rules:
        if not rule.allows and not rule.when.asks_rows:
            denied.update(fields.names() if rule.fields is None else rule.fields)
        elif rule.allows:
            allowed.update(fields.names() if rule.fields is None else rule.fields)
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


def _meets(some: frozenset[str] | None, others: frozenset[str] | None) -> bool:
    return some is None or others is None or not some.isdisjoint(others)


def _first(rules: Sequence[Rule], field: str) -> Decision:
    for rule in rules:
        if rule.covers(field):
            return rule.decision
    return NOTHING


def _edges(rules: Sequence[Rule], now: int) -> list[int]:
    """Return the times of making, in microseconds, at which rows begin or cease to be of the age of some rule."""
    whens = [rule.when for rule in rules]
    oldest = {now - when.max_age for when in whens if when.max_age is not None}
    youngest = {now - when.min_age + 1 for when in whens if when.min_age is not None}
    return sorted(oldest | youngest)


def _alike(rows: Rows, asked: frozenset[str], edges: list[int]) -> Iterable[Alike]:
    """Return for each row that in which it may differ from others for these rules."""
    columns = {"tags": rows.tags, "created": rows.created, "own": rows.own}
    for name in asked:
        column = columns[name]
        if column is None or len(column) != len(rows.fields):
            raise ValueError(f"the rules look at {name}, and there is not one for each row")
    tags = rows.tags if rows.tags is not None and "tags" in asked else repeat(None)
    own = rows.own if rows.own is not None and "own" in asked else repeat(False)
    if rows.created is None or "created" not in asked:
        return zip(rows.fields, tags, repeat(0), own, strict=False)
    return zip(rows.fields, tags, map(bisect_right, repeat(edges), rows.created), own, strict=False)


def _judge(rules: Sequence[Rule], alike: Alike, edges: list[int], now: int) -> Decision:
    field, tags, span, own = alike
    age = now - (edges[span - 1] if span else edges[0] - 1) if edges else 0  # of one row of the span for all
    return judge(rules, field, frozenset((tags or "").split()), age, own)


def judge(rules: Iterable[Rule], field: str, tags: frozenset[str], age: int, own: bool) -> Decision:
    """Return the decision on one row; the age is in microseconds."""
    for rule in rules:
        when = rule.when
        if rule.covers(field) and (own or not when.own) and when.holds_tags(tags) and when.holds_age(age):
            return rule.decision
    return NOTHING
