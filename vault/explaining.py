"""What a policy would say: explained by its lines, run over its own cases, compared with another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vault import fields
from vault.columns import OPERATIONS, Actor
from vault.errors import InvalidRequest, UnknownApiKey
from vault.permitting import permit
from vault.policy import Policy, difference, read
from vault.policy.model import ON_VALUES, SEEING, VIEWS, Remark, Rows, Situation
from vault.resources import Resources
from vault.store import lineage
from vault.store.lineage import KEY

NEWEST = -1  # stands for the version in force
MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody might ask of a policy.

    Attributes:
        caller: its name; empty where `roles` are given instead.
        field: empty for an operation that is on no values.
        at: seconds since 1970 (UTC).
        network: the address that it comes from; None where that is not known.
        age: of the row, in seconds.
        own: whether the row is of the person that the caller acts for.
    """

    operation: str
    caller: str = ""
    roles: frozenset[str] = frozenset()
    field: str = ""
    purpose: str = ""
    view: str = ""
    at: float = 0.0
    network: str | None = None
    tags: frozenset[str] = frozenset()
    age: int = 0
    own: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the document, its text, and what is said of it; line 0 is none of it."""

    line: int
    verdict: str
    words: str
    text: str


@dataclass(frozen=True, slots=True)
class Explained:
    """Whether it would be allowed, by which line (0: no rule speaks of it), and every rule that was considered."""

    allowed: bool
    line: int
    roles: tuple[str, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """One case of the operator's table, what the policy says to it, and whether that is what was expected."""

    line: int
    expected: bool
    allowed: bool
    by: int
    reason: str

    @property
    def ok(self) -> bool:
        """Whether it came out as expected."""
        return self.allowed == self.expected


def explain(resources: Resources, actor: Actor, question: Question) -> Explained:
    """Return what the policy in force would say; see `Governing.explain`."""
    permit(resources, actor, "policy")
    policy = resources.policies.of(actor.tenant)
    _check(policy, question)
    roles, bounds = question.roles, list[Said]()
    if question.caller:
        roles, bounds = _of_caller(resources, actor, policy, question)
    situation = Situation(
        roles, question.operation, policy.purpose(question.purpose) if question.purpose else "", question.view,
        question.at, question.network, actor.mode,
    )  # fmt: skip
    created = int(question.at * MICROS) - question.age * MICROS
    rows = Rows([question.field], [" ".join(sorted(question.tags)) or None], [created], [question.own])
    decision = policy.decide(situation, rows)[0]
    told = policy.explain(situation, rows)
    lines = policy.text.splitlines()
    said = [_said(remark, lines) for remark in told]
    allowed = decision.allowed and not bounds
    return Explained(allowed, decision.line, tuple(sorted(policy.whole(roles))), (*said[:-1], *bounds, said[-1]))
