"""What a policy would say: explained by its lines, run over its own cases, compared with another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from vault import fields, rights
from vault.columns import OPERATIONS, Actor, ApiKeyRecord, CallerKind
from vault.errors import InvalidRequest, UnknownApiKey, UnknownPolicyVersion
from vault.permitting import permit
from vault.policy.built_in import BUILT_IN
from vault.policy.differing import difference
from vault.policy.document import read
from vault.policy.explaining import explain as explained
from vault.policy.model import ON_VALUES, SEEING, Remark, Row, Situation
from vault.policy.policy import Policy
from vault.resources import Resources
from vault.store import apikeys, lineage, policies
from vault.store.lineage import KEY

CERTIFICATE = "cert:"  # in front of a certificate's name in that of its caller
OIDC = "oidc:"  # in front of the name of a caller that comes by token


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody might ask of a policy.

    Attributes:
        operation: of `columns.OPERATIONS`.
        caller: its name; None where `roles` are given instead.
        field, purpose, view: None where the operation has none; view is masked by default.
        at: seconds since 1970 (UTC).
        network: the address that it comes from; None where that is not known.
        age: of the row, in seconds.
        own: whether the row is of the person that the caller acts for.
    """

    operation: str
    caller: str | None
    roles: frozenset[str]
    field: str | None
    purpose: str | None
    view: str | None
    at: float
    network: str | None = None
    tags: frozenset[str] = frozenset()
    age: int = 0
    own: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the document (0: none of it), what is said of it, and its text."""

    line: int
    verdict: str
    words: str
    text: str


@dataclass(frozen=True, slots=True)
class Explained:
    """Whether it would be allowed, by which line (0: by none), with which roles; and all that was considered."""

    allowed: bool
    line: int
    roles: tuple[str, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """One case of the operator's table, what the policy says to it by which line, and why."""

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
    if question.operation == "reveal_plain":  # as `Situation` has it
        question = replace(question, operation="reveal", view="full")
    _check(policy, question)
    record = _key(resources, actor, question.caller)
    roles = _roles(policy, question, record)
    purpose = policy.purpose(question.purpose) if question.purpose else ""
    situation = Situation(
        roles, question.operation, purpose, _view(question), question.at, question.network, actor.mode
    )
    row = Row(question.field or "", question.tags, question.age * 1_000_000, question.own)
    *said, last = placed(policy, explained(policy, situation, row))
    lacks = [] if record is None else _lacks(record, question)
    ended = _ended(resources, actor, question.caller, record)
    if lacks or ended:
        why = "denied as the caller may do nothing" if ended else "denied by what the API key itself lacks"
        last = Said(0, "denied", why, "")
    more = [Said(0, "note", words, "") for words in _unknown(policy, question)]
    more += [Said(0, "denies", words, "") for words in (*ended, *lacks)]
    return Explained(
        last.verdict == "allowed", last.line, tuple(sorted(policy.whole(roles))), (*said, *more, last)
    )


def test(resources: Resources, actor: Actor, document: str | None) -> list[Tried]:
    """Run the cases of a document; see `Governing.test_policy`."""
    permit(resources, actor, "policy")
    policy = resources.policies.of(actor.tenant) if document is None else read(document, tested=False)
    return [
        Tried(case.line, case.allowed, found.allowed, found.line, found.reason)
        for case, found, _ in policy.run_cases()
    ]


def compare(resources: Resources, actor: Actor, old: int | None, new: int | str) -> list[str]:
    """Return what callers gain and lose from one policy to another; see `Governing.policy_difference`."""
    permit(resources, actor, "policy")
    before = resources.policies.of(actor.tenant) if old is None else _version(resources, actor, old)
    after = read(new, tested=False) if isinstance(new, str) else _version(resources, actor, new)
    return list(difference(before, after))


def placed(policy: Policy, remarks: Sequence[Remark]) -> list[Said]:
    """Return remarks with the text of their lines."""
    lines = policy.text.splitlines()
    return [
        Said(one.line, one.verdict, one.words, lines[one.line - 1] if one.line else "") for one in remarks
    ]


def _version(resources: Resources, actor: Actor, number: int) -> Policy:
    if number == 0:
        return BUILT_IN
    with resources.database.read() as connection:
        found = policies.get(connection, actor.tenant, number)
    if found is None:
        raise UnknownPolicyVersion("the policy has no version of that number")
    return read(found.document, number, tested=False)


def _key(resources: Resources, actor: Actor, caller: str | None) -> ApiKeyRecord | None:
    """Return the record of an API key, None for another caller."""
    if caller is None or not caller.startswith(KEY):
        return None
    with resources.database.read() as connection:
        known = {record.id: record for record in apikeys.of_tenant(connection, actor.tenant)}
    if caller not in known:
        raise UnknownApiKey("no API key of that id")
    return known[caller]


def _roles(policy: Policy, question: Question, record: ApiKeyRecord | None) -> frozenset[str]:
    if question.caller is None:
        return question.roles
    caller, claims = question.caller, frozenset[tuple[str, str]]()
    kind: CallerKind = "oidc" if caller.startswith(OIDC) else "key"
    if caller.startswith(CERTIFICATE):
        kind, claims = "certificate", frozenset({(rights.CERTIFICATE, caller.removeprefix(CERTIFICATE))})
    return rights.roles(policy, caller, kind, record.roles if record else (), claims)


def _unknown(policy: Policy, question: Question) -> Iterator[str]:
    """Yield what else decides, and the question does not say."""
    caller = question.caller or ""
    if caller.startswith(OIDC) and policy.holders.claims:
        yield "its token's claims may give it more roles, which are not known here: ask for roles instead"
    if caller.startswith(CERTIFICATE) and policy.holders.certificates:
        yield "other names in its certificate may give it more roles, which are not known here"
    if question.operation == "logins":
        yield "log-ins are shown to who may also reveal login_record for the purpose, in the view"


def _ended(resources: Resources, actor: Actor, caller: str | None, record: ApiKeyRecord | None) -> list[str]:
    """Return why a caller may do nothing now, whatever the policy says."""
    if caller is None:
        return []
    now = resources.database.now()
    with resources.database.read() as connection:
        ended = ["the caller is frozen"] if lineage.stopped(connection, actor.tenant, caller, now) else []
    if record is not None and record.revoked_at is not None:
        ended.append("the API key is revoked")
    elif record is not None and record.expires_at is not None and record.expires_at * 1e6 <= now:
        ended.append("the API key has expired")
    return ended


def _lacks(record: ApiKeyRecord, question: Question) -> list[str]:
    """Return what an API key lacks for this, whatever the policy says."""
    needed = {question.operation}
    if question.operation == "reveal":
        needed = {"reveal_plain"} if _view(question) == "full" else {"reveal", "reveal_plain"}
    lacks = []
    if needed.isdisjoint(record.operations):
        lacks.append(f"the API key does not carry the operation {' or '.join(sorted(needed))}")
    if record.fields is not None and question.field and question.field not in record.fields:
        lacks.append("the API key does not reach the field")
    return lacks


def _view(question: Question) -> str:
    if question.operation == "compare":
        return "match"
    return question.view or ("masked" if question.operation == "reveal" else "")


def _check(policy: Policy, question: Question) -> None:
    """Raise InvalidRequest for a name that there is not, and for what the operation has and the question lacks."""
    if question.operation not in OPERATIONS:
        raise InvalidRequest("is none of the operations", "/operation")
    if not question.roles <= policy.roles.keys():
        raise InvalidRequest("the policy has no such role", "/roles")
    has = {
        "field": (question.field, question.operation in ON_VALUES),
        "purpose": (question.purpose, question.operation in SEEING),
    }
    for name, (given, wanted) in has.items():
        if wanted is (given is None):
            raise InvalidRequest("is missing" if wanted else "says nothing of this operation", f"/{name}")
    if question.field is not None:
        fields.get(question.field)
    if question.network is not None:
        try:
            ip_address(question.network)
        except ValueError:
            raise InvalidRequest("is no IPv4 or IPv6 address", "/network") from None
