"""A policy that was read and checked, ready to be asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from vault.columns import FORMER_PURPOSES
from vault.errors import InvalidRequest
from vault.policy import deciding
from vault.policy.cases import Case
from vault.policy.deciding import Standing
from vault.policy.holders import Holders
from vault.policy.model import SEEING, VIEWS, Budget, Decision, Need, Remark, Row, Rows, Situation, Sweep
from vault.policy.networks import Network
from vault.policy.plan import Plan
from vault.policy.purposes import Purpose
from vault.policy.roles import WINDOWS, Role
from vault.policy.rules import Rule

PLANS = 256  # kept: of combinations of roles, operation, purpose and view


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """Who may see what. Safe to share between threads; it has no clock and reads nothing.

    Attributes:
        version: as it is stored; 0 for one that is not.
        text: the document.
        digest: SHA-256 of the document in UTF-8.
        purposes: what each needs; the checks are the caller's.
        named_purposes, networks, roles, everybody, holders, cases: the parts of the document; `everybody` has the rules
            of every role.
        bulk_limit: values revealed in one request above which a second person approves; None for no limit.
        decoys_freeze: whether who reveals a decoy is frozen.
        warnings: what is probably not meant.
    """

    version: int
    text: str
    digest: bytes
    named_purposes: Mapping[str, Purpose]
    networks: Mapping[str, Network]
    roles: Mapping[str, Role]
    everybody: tuple[Rule, ...]
    holders: Holders
    bulk_limit: int | None
    sweep: Sweep
    decoys_freeze: bool
    cases: tuple[Case, ...] = ()
    warnings: tuple[Remark, ...] = ()
    _plans: dict[tuple[frozenset[str], str, str, str], Plan] = field(default_factory=dict, repr=False)

    @property
    def purposes(self) -> dict[str, frozenset[Need]]:
        """Return what each purpose needs, by its name."""
        return {name: purpose.needs for name, purpose in self.named_purposes.items()}

    def purpose(self, name: str) -> str:
        """Return the canonical name of a purpose; raise InvalidRequest if it is none."""
        canonical = FORMER_PURPOSES.get(name, name)
        if canonical not in self.named_purposes:
            raise InvalidRequest(
                "purpose must be one of the built-in purposes or of the policy's own", "/purpose"
            )
        return canonical

    def needs(self, purpose: str) -> frozenset[Need]:
        """Return what a canonical purpose needs; nothing for none."""
        return self.named_purposes[purpose].needs if purpose else frozenset()

    def roles_of(
        self,
        caller: str,
        stored: Collection[str] = (),
        claims: Collection[tuple[str, str]] = (),
        certificates: Collection[str] = (),
    ) -> frozenset[str]:
        """Return the roles of a caller, those that they include left out.

        Args:
            caller: its name, as in `Actor.name`.
            stored: the roles that its API key has; those that this policy does not know give nothing.
            claims: pairs of `model.claim_of(issuer, claim)` and value.
            certificates: the names in its certificate.
        """
        return self.holders.roles_of(caller, claims, certificates) | self.roles.keys() & set(stored)

    def operations_of(self, roles: Collection[str]) -> frozenset[str]:
        """Return the operations that some rule allows these roles, in API keys' words; denials are not looked at."""
        found = set[str]()
        for rule in self.rules_of(roles):
            if rule.allows:
                found |= rule.operations
                if rule.view == "full" and "reveal" in rule.operations:
                    found.add("reveal_plain")
        return frozenset(found)

    def fields_of(self, situation: Situation) -> frozenset[str] | None:
        """Return the field types that the situation may reach in some row; None for all, none where it is denied."""
        return deciding.reach(self.standing(situation).rules)

    def at_all(self, situation: Situation) -> Decision:
        """Return whether the situation may reach some row.

        For an operation that is on no values, whether it is allowed.
        """
        return deciding.at_all(self.standing(situation).rules)

    def looks_at(self, situation: Situation) -> frozenset[str]:
        """Return what `decide` will need of rows: of "tags", "created", "own"."""
        return self.standing(situation).looks_at

    def decide(self, situation: Situation, rows: Rows) -> list[Decision]:
        """Return the decision on each row; any denial that applies wins over every allowance.

        Raises:
            ValueError: the rows leave out what `looks_at` names.
        """
        return self.standing(situation).decide(situation.at, rows)

    def budget_of(self, roles: Collection[str]) -> Budget:
        """Return the most that one of the roles, or one that they include, may reveal in each window.

        A role that names no number for a window says nothing of it: being given it as well never lifts a limit.
        """
        whole = self.whole(roles)
        budgets = [role.budget for name, role in self.roles.items() if name in whole and role.budget]
        numbers = {window: [getattr(budget, window) for budget in budgets] for window in WINDOWS}
        return Budget(
            **{
                window: max((number for number in named if number is not None), default=None)
                for window, named in numbers.items()
            }
        )

    def whole(self, roles: Collection[str]) -> frozenset[str]:
        """Return roles with all that they include; unknown ones left out."""
        return frozenset[str]().union(*(self.roles[name].whole for name in roles if name in self.roles))

    def rules_of(self, roles: Collection[str]) -> list[Rule]:
        """Return the rules of roles, included ones and those of every role."""
        whole = self.whole(roles)
        return [*self.everybody, *(rule for name in whole for rule in self.roles[name].rules)]

    def asked(self, situation: Situation) -> Situation:
        """Return the situation as rules speak of it: operation, purpose and view as far as they belong together.

        Raises:
            InvalidRequest: the view is none.
        """
        operation, purpose, view = situation.operation, situation.purpose, situation.view
        if operation == "reveal_plain":
            operation, view = "reveal", "full"
        if operation == "compare":
            view = "match"
        elif operation == "reveal":
            view = view or VIEWS[-1]  # who does not say how much is seen may see all
            if view not in VIEWS:
                raise InvalidRequest(f"view must be one of {', '.join(VIEWS)}", "/view")
        if operation not in SEEING:
            purpose = view = ""
        return replace(situation, operation=operation, purpose=purpose, view=view)

    def plan(self, situation: Situation) -> Plan:
        """Return the rules that speak of what is asked, whenever and wherever it is."""
        key = (situation.roles, situation.operation, situation.purpose, situation.view)
        found = self._plans.get(key)
        if found is None:
            if len(self._plans) >= PLANS:
                self._plans.clear()
            asked, rules = self.asked(situation), self.rules_of(situation.roles)
            what = asked.operation, asked.purpose, asked.view
            found = self._plans[key] = Plan(rule for rule in rules if rule.speaks_of(*what))
        return found

    def standing(self, situation: Situation) -> Standing:
        """Return the rules that speak of what is asked and hold when and where it is."""
        return self.plan(situation).at(situation)

    def run_cases(self) -> list[tuple[Case, Decision, bool]]:
        """Return each case of the operator's table, what it comes to, and whether that is what it expects."""
        found = [(case, self.judge(self.situation_of(case), case.row)) for case in self.cases]
        return [(case, decision, decision.allowed == case.allowed) for case, decision in found]

    def situation_of(self, case: Case) -> Situation:
        """Return what a case asks, with the roles that the document gives its caller."""
        return replace(case.situation, roles=case.situation.roles or self.roles_of(case.caller))

    def judge(self, situation: Situation, row: Row) -> Decision:
        """Return the decision on one row."""
        return self.standing(situation).judge(row)
