"""What cannot be meant: rules that never apply, and rules that are there twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from vault.errors import PolicyInvalid
from vault.policy.model import Remark
from vault.policy.roles import Role
from vault.policy.rules import ALWAYS, Rule
from vault.policy.when import When


def refuse(roles: Mapping[str, Role], everybody: Sequence[Rule]) -> None:
    """Raise PolicyInvalid for the first rule of the document that contradicts or repeats another."""
    found = [_repeated(everybody), *(_repeated(role.rules) for role in roles.values())]
    for role in roles.values():
        inner = [rule for name in sorted(role.whole) for rule in roles[name].rules]
        denials = [rule for rule in (*everybody, *inner) if not rule.allows]
        found.append(_hopeless(role, denials))
    refusals = [refusal for refusal in found if refusal is not None]
    if refusals:
        raise min(refusals, key=lambda refusal: refusal.line)


def warn(roles: Mapping[str, Role], given: frozenset[str], idle: Sequence[int]) -> tuple[Remark, ...]:
    """Return what is probably not meant.

    Args:
        given: the roles that somebody has by the document.
        idle: the lines of the networks that no rule names.
    """
    held = frozenset[str]().union(*(roles[name].whole for name in given))
    nobody = "no caller, claim or certificate here has this role; only API keys made with it do"
    unused = "no rule names this network"
    found = [Remark(role.line, "warning", nobody) for name, role in roles.items() if name not in held]
    found += [Remark(line, "warning", unused) for line in idle]
    for role in roles.values():
        found += [
            Remark(rule.line, "warning", f"the rule on line {wide.line} allows all of this already")
            for rule, wide in _needless(role.rules)
        ]
    return tuple(sorted(found, key=lambda remark: remark.line))


def _repeated(rules: Sequence[Rule]) -> PolicyInvalid | None:
    seen: dict[tuple[object, ...], int] = {}
    for rule in rules:
        if rule.meaning in seen:
            return PolicyInvalid(f"this says the same as the rule on line {seen[rule.meaning]}", rule.line)
        seen[rule.meaning] = rule.line
    return None


def _hopeless(role: Role, denials: Sequence[Rule]) -> PolicyInvalid | None:
    for rule in role.rules:
        for denial in denials if rule.allows else ():
            if denial.denies_all_of(rule):
                reason = f"this is never allowed: the deny on line {denial.line} covers all of it"
                return PolicyInvalid(reason, rule.line)
    return None


def _needless(rules: Sequence[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """Yield allowances that another includes on the same conditions or on none, each with that one."""
    by_when: defaultdict[When, list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.allows:
            by_when[rule.when].append(rule)
    always = by_when.get(ALWAYS, [])
    for when, some in by_when.items():
        for rule in some:
            wide = (one for one in (*some, *(always if when != ALWAYS else ())) if one is not rule)
            found = next((one for one in wide if one.allows_all_of(rule)), None)
            if found is not None:
                yield rule, found
