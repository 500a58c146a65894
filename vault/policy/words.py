"""How rules and their parts are said in a sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from vault.policy.model import ON_VALUES, SEEING
from vault.policy.rules import EVERY, Rule
from vault.policy.when import DAYS, When

VIEWS = {
    "full": "in full", "masked": "masked", "last4": "as its last four", "fingerprint": "as a fingerprint",
    "match": "by match",
}  # fmt: skip
_UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000))


def listed(names: Iterable[str]) -> str:
    """Return names in order, with commas."""
    return ", ".join(sorted(names))


def of_fields(fields: Collection[str] | None) -> str:
    """Return the fields of a rule; None for all."""
    return "every field" if fields is None else listed(fields)


def of_purposes(purposes: Collection[str] | None) -> str:
    """Return the purposes of a rule; None for all."""
    return "every purpose" if purposes is None else listed(purposes)


def of_operations(operations: Collection[str]) -> str:
    """Return the operations of a rule."""
    if operations == EVERY:
        return "every operation"
    return "every operation on values" if operations == ON_VALUES else listed(operations)


def of_rule(rule: Rule) -> str:
    """Return all that a rule says, but not of which role it is."""
    said = [of_operations(rule.operations)]
    if not rule.operations.isdisjoint(ON_VALUES):
        said.append(f"of {of_fields(rule.fields)}")
    if not rule.operations.isdisjoint(SEEING):
        if rule.view and "reveal" in rule.operations:
            said.append(f"{'up to' if rule.allows else 'from'} {rule.view}{'' if rule.allows else ' on'}")
        if rule.allows or rule.purposes is not None:
            said.append(f"for {of_purposes(rule.purposes)}")
    return " ".join([*said, *([conditions] if (conditions := of_when(rule.when)) else [])])


def of_when(when: When) -> str:
    """Return conditions in words; empty for none."""
    said = [_time(when)]
    said.append(f"from {listed(when.networks)}" if when.networks else "")
    said.append(f"in {listed(when.modes)}" if when.modes else "")
    said.append(f"if tagged {listed(when.tags)}" if when.tags else "")
    said.append(f"if not tagged {listed(when.without_tags)}" if when.without_tags else "")
    said.append(f"if at most {span(when.max_age)} old" if when.max_age is not None else "")
    said.append(f"if at least {span(when.min_age)} old" if when.min_age is not None else "")
    said.append("if the caller's own" if when.own else "")
    return " ".join(filter(None, said))


def span(microseconds: int) -> str:
    """Return a length of time in the largest unit that it is whole in."""
    return next(
        (f"{microseconds // size}{unit}" for unit, size in _UNITS if microseconds % size == 0),
        f"{microseconds / 1e6:g}s",
    )


def _time(when: When) -> str:
    said = []
    if when.days:
        said.append(f"on {', '.join(DAYS[day] for day in sorted(when.days))}")
    if when.hours:
        begin, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in when.hours)
        said.append(f"between {begin} and {end}")
    return f"{' '.join(said)} ({when.zone})" if said else ""
