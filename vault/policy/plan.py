"""The rules that speak of an operation, a purpose and a view; those of them that hold when and where it is asked."""

from __future__ import annotations

from collections.abc import Iterable

from vault.policy.deciding import Standing
from vault.policy.model import Situation
from vault.policy.moment import Moment
from vault.policy.rules import Rule

KEPT = 16  # sets of rules that hold together


class Plan:
    """Rules whose conditions on time, place and mode are looked at with each question, if there are any."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        self._momentary = any(rule.when.asks_moment for rule in self._rules)
        self._standing: dict[tuple[bool, ...], Standing] = {}
        self.asks_time = any(rule.when.asks_time for rule in self._rules)

    def at(self, situation: Situation) -> Standing:
        """Return the rules that hold now, the rows apart.

        What cannot be told, where something comes from, holds for a denial and does not for an allowance.
        """
        holds: tuple[bool, ...] = ()
        if self._momentary:
            moment = Moment(situation)
            holds = tuple([rule.when.holds(moment, unknown=not rule.allows) for rule in self._rules])
        found = self._standing.get(holds)
        if found is None:
            if len(self._standing) >= KEPT:
                self._standing.clear()
            rules = (
                (rule for rule, good in zip(self._rules, holds, strict=True) if good)
                if holds
                else self._rules
            )
            found = self._standing[holds] = Standing(rules)
        return found
