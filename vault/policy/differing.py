"""What one policy gives that another does not: grants gained and lost, role by role, and no comparison of texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice

from vault import fields
from vault.policy import words
from vault.policy.cells import Given, Grid, Layout
from vault.policy.holders import Grant
from vault.policy.model import SEEING, VIEWS
from vault.policy.policy import Policy

MAX_LINES = 1_000
_KINDS = ("caller", "claim", "certificate", "network", "purpose", "role", "the policy")

Things = Mapping[str, frozenset[str]]  # what each has, in words


def difference(old: Policy, new: Policy) -> list[str]:
    """Return what `new` changes, a sentence each, at most MAX_LINES and one; none if both come to the same."""
    lines = list(islice(_lines(old, new), MAX_LINES + 1))
    return lines if len(lines) <= MAX_LINES else [*lines[:MAX_LINES], "and more, which is not told here"]


def _lines(old: Policy, new: Policy) -> Iterator[str]:
    purposes = {*old.named_purposes, *new.named_purposes}
    grid = Grid.of(purposes)
    for role in sorted({*old.roles, *new.roles}):
        yield from _of_role(role, old, new, grid, purposes)
    for kind, before, after in zip(_KINDS, _things(old), _things(new), strict=True):
        yield from _moved(kind, before, after)


def _of_role(role: str, old: Policy, new: Policy, grid: Grid, purposes: set[str]) -> Iterator[str]:
    before, after = (
        Layout.of(policy.rules_of([role]) if role in policy.roles else (), grid) for policy in (old, new)
    )
    if role not in old.roles:
        yield f"role {role} is new"
    if role not in new.roles:
        yield f"role {role} is gone"
    changes = {
        "gains": after.gained(before),
        "loses": before.gained(after),
        "keeps": after.kept(before),
        "is newly denied": after.newly_denied(before),
        "is no longer denied": before.newly_denied(after),
    }
    for verb, sets in changes.items():
        for given, cells in sorted(sets.items(), reverse=True):
            for what in _grants(given, cells, grid, purposes, "denied" in verb):
                yield f"{role} {verb}: {what}"


def _grants(given: Given, cells: int, grid: Grid, purposes: set[str], denial: bool) -> Iterator[str]:
    """Yield sentences for a set of cells: operations that have the same fields for the same purposes in one."""
    of: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for operation, field, purpose in grid.members(cells):
        of[operation, field].add(purpose)
    by_purposes: defaultdict[tuple[str, frozenset[str]], set[str]] = defaultdict(set)
    for (operation, field), these in of.items():
        by_purposes[operation, frozenset(these)].add(field)
    alike: defaultdict[tuple[frozenset[str], frozenset[str], bool], set[str]] = defaultdict(set)
    for (operation, those), names in by_purposes.items():
        alike[frozenset(names), those, operation == "reveal"].add(operation)
    for (named, some, reveals), operations in sorted(alike.items(), key=lambda item: sorted(item[1])):
        parts = [words.listed(operations)]
        if named != {""}:
            parts.append("every field" if len(named) == len(fields.names()) else words.listed(named))
        if reveals:
            view = VIEWS[given[0]]
            parts.append((f"from {view} on" if given[0] else "in any view") if denial else words.VIEWS[view])
        if not operations.isdisjoint(SEEING):
            parts.append("for every purpose" if some == purposes else f"for {words.listed(some)}")
        yield " ".join([*parts, given[1]]).rstrip()


def _things(policy: Policy) -> Iterator[Things]:
    """Yield, kind by kind, what each thing of the kind has beside rules."""
    holders = policy.holders
    for grants in (holders.callers, holders.claims, holders.certificates):
        yield {_holder(grant): frozenset(f"the role {role}" for role in grant.roles) for grant in grants}
    yield {name: frozenset(network.texts) for name, network in policy.networks.items()}
    yield {
        name: frozenset({f"the need of a {need}" for need in needs} | {"its name"})
        for name, needs in policy.purposes.items()
    }
    yield {name: frozenset(_budget(policy, name)) for name in policy.roles}
    yield {"": frozenset(_limits(policy))}


def _holder(grant: Grant) -> str:
    return f"{grant.name} = {grant.value}" if grant.value else grant.name


def _budget(policy: Policy, role: str) -> Iterator[str]:
    budget = policy.budget_of([role])
    numbers = (("a minute", budget.minute), ("an hour", budget.hour), ("a day", budget.day))
    return (f"the limit of {number:,} values {window}" for window, number in numbers if number is not None)


def _limits(policy: Policy) -> Iterator[str]:
    if policy.bulk_limit is not None:
        yield f"a second person's approval above {policy.bulk_limit:,} values"
    yield f"a pause of {policy.sweep.pause:,} s after {policy.sweep.misses:,} misses"
    if policy.decoys_freeze:
        yield "the freezing of who reveals a decoy"


def _moved(kind: str, before: Things, after: Things) -> Iterator[str]:
    for name in sorted({*before, *after}):
        was, now = before.get(name, frozenset[str]()), after.get(name, frozenset[str]())
        for verb, some in (("gains", now - was), ("loses", was - now)):
            if some:
                yield f"{f'{kind} {name}'.strip()} {verb} {words.listed(some)}"
