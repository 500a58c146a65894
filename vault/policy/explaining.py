"""Why something is allowed or denied: each rule that a caller has, whether it applies, if not why, and the decision."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from vault.policy import words
from vault.policy.model import ON_VALUES, SEEING, VIEWS, Remark, Row, Situation
from vault.policy.moment import Moment
from vault.policy.policy import Policy
from vault.policy.rules import Rule
from vault.policy.when import DAYS, When


def explain(policy: Policy, situation: Situation, row: Row) -> list[Remark]:
    """Return what each rule of the caller's roles says of the situation, in the document's order, and the decision.

    The last remark is the decision: its line is that of the rule that decides, 0 where none does.
    """
    moment = Moment(situation)
    asked = policy.asked(situation)
    considered = sorted(policy.rules_of(situation.roles), key=lambda rule: rule.line)
    remarks = [Remark(0, "note", _roles(policy, situation.roles))]
    remarks += [_remark(rule, asked, moment, row) for rule in considered]
    return [*remarks, *_notes(policy, asked), _decision(policy, asked, row)]


def _roles(policy: Policy, roles: Collection[str]) -> str:
    known = policy.whole(roles)
    included = known - set(roles)
    said = words.listed(known & set(roles)) or "none that this policy has"
    return f"roles: {said}" + (f"; by them also {words.listed(included)}" if included else "")


def _remark(rule: Rule, asked: Situation, moment: Moment, row: Row) -> Remark:
    owner = f"role {rule.role}" if rule.role else "every role"
    said = f"{'allow' if rule.allows else 'deny'} of {owner}: {words.of_rule(rule)}"
    why = _why_not(rule, asked, moment, row)
    if why:
        return Remark(rule.line, "does not apply", f"{said}; but {why}")
    return Remark(rule.line, "allows" if rule.allows else "denies", said)


def _why_not(rule: Rule, asked: Situation, moment: Moment, row: Row) -> str:
    """Return why a rule does not apply; empty if it does."""
    if asked.operation not in rule.operations:
        return f"it does not speak of {asked.operation}"
    if not rule.covers(row.field):
        return f"it does not speak of {row.field}"
    if asked.operation in SEEING and not rule.is_for(asked.purpose):
        return f"the purpose is {asked.purpose or 'not said'}"
    if asked.operation in SEEING and not rule.reaches(asked.view):
        return f"the view is {asked.view}"
    return _unmet(rule.when, moment, row, unknown=not rule.allows)


def _unmet(when: When, moment: Moment, row: Row, unknown: bool) -> str:
    """Return which condition does not hold; empty if all do."""
    if not when.holds_mode(moment):
        return f"the mode is {moment.mode}"
    if not when.holds_time(moment):
        day, minute = moment.local(when.zone)
        return f"it is {DAYS[day]} {minute // 60:02}:{minute % 60:02} there"
    if not when.holds_place(moment, unknown):
        return "it comes from elsewhere" if moment.address else "it is not known where it comes from"
    if when.tags - row.tags:
        return f"the row is not tagged {words.listed(when.tags - row.tags)}"
    if when.without_tags & row.tags:
        return f"the row is tagged {words.listed(when.without_tags & row.tags)}"
    if not when.holds_age(row.age):
        return f"the row is {words.span(row.age)} old"
    return "the row is not the caller's own" if when.own and not row.own else ""


def _notes(policy: Policy, asked: Situation) -> list[Remark]:
    """Return what else stands between an allowance and the value."""
    notes = [
        f"{asked.purpose} needs the reference of a {need}" for need in sorted(policy.needs(asked.purpose))
    ]
    budget = policy.budget_of(asked.roles)
    if asked.operation == "reveal" and asked.view in ("full", "last4"):
        numbers = (("a minute", budget.minute), ("an hour", budget.hour), ("a day", budget.day))
        notes += [f"at most {number:,} values {window}" for window, number in numbers if number is not None]
        if policy.bulk_limit is not None:
            notes.append(f"above {policy.bulk_limit:,} values in one request a second person must approve")
    return [Remark(0, "note", note) for note in notes]


def _decision(policy: Policy, asked: Situation, row: Row) -> Remark:
    found = policy.judge(asked, row)
    what = " ".join(filter(None, (asked.operation, row.field if asked.operation in ON_VALUES else "")))
    if asked.operation in SEEING:
        what += f" {words.VIEWS[asked.view]} for {asked.purpose or 'no purpose'}"
    if found.allowed:
        return Remark(found.line, "allowed", f"{what}: allowed by line {found.line}")
    why = f"denied by line {found.line}" if found.line else "denied: no rule allows it"
    return Remark(found.line, "denied", f"{what}: {why}{_instead(policy, asked, row)}")


def _instead(policy: Policy, asked: Situation, row: Row) -> str:
    """Return how much may be seen instead, if anything."""
    if asked.operation != "reveal":
        return ""
    less = VIEWS[: VIEWS.index(asked.view)]
    allowed = [view for view in less if policy.judge(replace(asked, view=view), row).allowed]
    return f"; at most {words.VIEWS[allowed[-1]]}" if allowed else ""
