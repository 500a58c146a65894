"""What every operation asks first: whether the tenant's policy lets this caller do it, and with which tokens.

The API key's own bounds (its operations at the door, its fields here) stand beside the policy: both must allow. The
operator on the machine itself (`Actor.kind` "local") is under no tenant's policy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from keys.errors import KeyProblem
from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import index, rights
from vault.audit import journal
from vault.columns import NO_GROUNDS, Actor, Grounds
from vault.errors import (
    CaseRequired,
    ConsentRequired,
    FieldNotGranted,
    InvalidRequest,
    PolicyDenied,
    UnknownToken,
    VaultError,
)
from vault.policy.built_in import BUILT_IN
from vault.policy.model import Rows, Situation
from vault.policy.policy import Policy
from vault.resources import Resources, record
from vault.store.tokens import Sealed, Stored, Watched

MAX_SUBJECT = 128  # characters
_REFERENCE = re.compile(r"[\w.:/-]{1,64}", re.ASCII)
_OF_ROWS = frozenset({"tags", "created"})  # what a policy may look at that not every reading fetches

Row = Stored | Sealed | Watched


class Facts(TypedDict, total=False):
    """What an audit record says beyond who asked for what; see `journal.row`."""

    field: str
    result: str
    count: int
    refused: int
    tokens: Sequence[bytes]
    persons: Sequence[bytes | None]
    fields: Sequence[str]
    target: str


@dataclass(frozen=True, slots=True)
class Permit:
    """What a caller may do in one situation.

    Attributes:
        actor: who asks, with the fields that both API key and policy let it reach.
        granted: the fields that its API key reaches; None for all.
        looks: what the policy asks of rows: "tags", "created", "own".
        person: only tokens of this person's digest are meant; None for everybody's.
        own: the digest of the person that the caller acts for; None for nobody.
    """

    resources: Resources
    actor: Actor
    granted: frozenset[str] | None
    policy: Policy
    situation: Situation
    grounds: Grounds
    looks: frozenset[str]
    person: bytes | None
    own: bytes | None

    @property
    def kind(self) -> type[Sealed] | type[Watched]:
        """What must be read of a token for `judge`, at least."""
        return Watched if self.looks & _OF_ROWS else Sealed

    def judge(self, rows: Sequence[Row]) -> dict[bytes, VaultError]:
        """Return why some of the rows are refused, by stored token: another person's are as if they were not there."""
        barred: dict[bytes, VaultError] = {}
        decisions = self.policy.decide(self.situation, self._asked(rows))
        if not all(decision.allowed for decision in decisions):
            denied = _denied()
            barred = {r.token: denied for r, d in zip(rows, decisions, strict=True) if not d.allowed}
        if self.granted is not None:
            unreached = FieldNotGranted("the key does not reach this token's field")
            barred |= {row.token: unreached for row in rows if row.field not in self.granted}
        if self.person is not None:
            unknown = UnknownToken("no such token")
            barred |= {row.token: unknown for row in rows if row.subject != self.person}
        return barred

    def column(self, field: str, tags: Sequence[str] = (), *, own: bool = False) -> VaultError | None:
        """Return why values of a field may not be used as asked, such as stored with these tags; None if they may."""
        if self.granted is not None and field not in self.granted:
            return FieldNotGranted("the key does not reach this field")
        now = int(self.situation.at * 1e6)
        asked = Rows((field,), (" ".join(sorted(set(tags))) or None,), (now,), (own,))
        return None if self.policy.decide(self.situation, asked)[0].allowed else _denied()

    def reach(self, field: str) -> None:
        """Refuse, after an audit record, unless tokens of this field may be reached at all."""
        if self.granted is not None and field not in self.granted:
            raise self.refused(FieldNotGranted("the key does not reach this field"), field=field)
        if self.actor.fields is not None and field not in self.actor.fields:
            raise self.refused(_denied(), field=field)

    def row(
        self,
        keys: TenantKeys,
        now: int,
        facts: Facts | None = None,
        *,
        operation: str = "",
        **more: Unpack[Facts],
    ) -> journal.Row:
        """Return the row of an audit record; `operation`: as the audit calls it, where it has a name of its own."""
        there, said = self.situation, Facts(**(facts or {}), **more)
        return journal.row(
            keys, self.actor, now, operation or there.operation, purpose=there.purpose, view=there.view,
            grounds=self.grounds, policy=self.policy.version, **said,
        )  # fmt: skip

    def refused(
        self,
        error: VaultError | KeyProblem,
        facts: Facts | None = None,
        *,
        operation: str = "",
        **more: Unpack[Facts],
    ) -> VaultError | KeyProblem:
        """Return what the whole operation is refused with, once its audit record is durable."""
        resources = self.resources
        keys, now = resources.keyring.keys(self.actor.tenant), resources.database.now()
        said = Facts(**(facts or {}), **more)
        said["result"] = error.code
        record(resources, self.actor, self.row(keys, now, said, operation=operation))
        return error

    def _asked(self, rows: Sequence[Row]) -> Rows:
        looks, own = self.looks, self.own
        return Rows(
            [row.field for row in rows],
            [row.tags for row in rows] if "tags" in looks else None,  # type: ignore[union-attr]  # see `kind`
            [row.created_at for row in rows] if "created" in looks else None,  # type: ignore[union-attr]
            [own is not None and row.subject == own for row in rows] if "own" in looks else None,
        )


def permit(
    resources: Resources,
    actor: Actor,
    operation: str,
    *,
    purpose: str | None = None,
    view: str = "",
    grounds: Grounds = NO_GROUNDS,
) -> Permit:
    """Return what the caller may do.

    Args:
        operation: of `granting.OPERATIONS`.
        purpose: what it is for, under its name of today or a former one; None for operations that have none.
        view: of `policy.model.VIEWS`; empty where nothing is seen of a value.
    Raises:
        InvalidRequest: there is no such purpose, or a reference is none.
        PolicyDenied: nothing of this is allowed to the caller; it is on record.
        CaseRequired, ConsentRequired: the purpose needs a reference that the request lacks; it is on record.
        PolicyUnreadable: the tenant's policy cannot be read.
    """
    policy = BUILT_IN if actor.kind == "local" else resources.policies.of(actor.tenant)
    _check(grounds)
    roles = rights.roles(policy, actor.name, actor.kind, actor.roles, actor.claims)
    named = "" if purpose is None else policy.purpose(purpose)
    situation = Situation(roles, operation, named, view, resources.database.clock(), actor.origin, actor.mode)
    reached = policy.fields_of(situation)
    narrowed = replace(actor, fields=_both(actor.fields, reached))
    given = Permit(
        resources, narrowed, actor.fields, policy, situation, grounds, policy.looks_at(situation),
        _digest(resources, actor, grounds.subject), _digest(resources, actor, actor.subject or grounds.subject),
    )  # fmt: skip
    if not policy.at_all(situation).allowed:
        raise given.refused(_denied())
    _require(given, policy.needs(named))
    return given


def touched(rows: Sequence[Row]) -> Facts:
    """Return what an audit record says of the tokens that an operation carried out touched."""
    return {
        "tokens": [row.token for row in rows], "persons": [row.subject for row in rows],
        "fields": [row.field for row in rows], "count": len(rows),
    }  # fmt: skip


def _require(given: Permit, needs: frozenset[str]) -> None:
    if "case" in needs and given.grounds.case is None:
        raise given.refused(CaseRequired("this purpose needs the reference of a case", "/case"))
    if "consent" in needs and given.grounds.consent is None:
        raise given.refused(
            ConsentRequired("this purpose needs the reference of the person's consent", "/consent")
        )


def _check(grounds: Grounds) -> None:
    for name, text in (("case", grounds.case), ("consent", grounds.consent)):
        if text is not None and not _REFERENCE.fullmatch(text):
            raise InvalidRequest("a reference is 1 to 64 letters, digits or _.:/-", f"/{name}")
    subject = grounds.subject
    if subject is not None and not (0 < len(subject) <= MAX_SUBJECT and subject.isprintable()):
        raise InvalidRequest(f"a subject is 1 to {MAX_SUBJECT} printable characters", "/subject")


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _digest(resources: Resources, actor: Actor, subject: str | None) -> bytes | None:
    if subject is None:
        return None
    route = resources.keyring.keys(actor.tenant).primary(Purpose.ROUTE)
    return index.subject_digests(route, actor.tenant, [subject])[0]


def _denied() -> PolicyDenied:
    return PolicyDenied("the policy does not allow this")
