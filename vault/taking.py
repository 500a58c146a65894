"""Policies taken: checked, approved by a second person, put in force; every version is kept."""

from __future__ import annotations

from dataclasses import dataclass

from vault import approvals
from vault.alarms import raise_alarm
from vault.columns import Actor
from vault.errors import InvalidRequest, PolicyConflict, PolicyInvalid, UnknownPolicyVersion
from vault.explaining import Said, placed
from vault.guarding import lonely, require_way_out
from vault.permitting import permit
from vault.policy.built_in import BUILT_IN
from vault.policy.differing import difference
from vault.policy.document import read
from vault.policy.policy import Policy
from vault.resources import Resources
from vault.store import lineage, policies
from vault.store.policies import Taken
from vault.store.writer import Refused, Transaction

ACTION = "take_policy"
ALONE = "may approve and make API keys: whoever holds it can make a second person of their own"
LAST = 2_147_483_647  # version that a column of the database has room for
LONGEST_SUMMARY = 500  # characters


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy as it was taken; of the built-in one, version 0, nobody is the author.

    Attributes:
        document: its text; empty in lists.
        digest: SHA-256 of the document, 64 hex digits.
        proposal: by which it was approved.
        taken_at: seconds since 1970 (UTC).
    """

    version: int
    document: str
    digest: str
    author: str | None
    proposal: str | None
    taken_at: float | None


@dataclass(frozen=True, slots=True)
class PolicyPage:
    """Versions, the newest first, and where the next page begins; None at the end."""

    versions: list[PolicyVersion]
    next_cursor: str | None


def current(resources: Resources, actor: Actor) -> PolicyVersion:
    """Return the policy in force; see `Governing.policy`."""
    permit(resources, actor, "policy")
    with resources.database.read() as connection:
        found = policies.versions(connection, actor.tenant, None, 1)
    return _shown(found[0]) if found else _built_in()


def version(resources: Resources, actor: Actor, number: int) -> PolicyVersion:
    """Return one version; see `Governing.policy_version`."""
    permit(resources, actor, "policy")
    if number == 0:
        return _built_in()
    found = None
    if number <= LAST:
        with resources.database.read() as connection:
            found = policies.get(connection, actor.tenant, number)
    if found is None:
        raise UnknownPolicyVersion("the policy has no version of that number")
    return _shown(found)


def versions(resources: Resources, actor: Actor, cursor: str | None, limit: int) -> PolicyPage:
    """Return a page of versions; see `Governing.policy_versions`."""
    permit(resources, actor, "policy")
    if not 1 <= limit <= 1_000:
        raise InvalidRequest("limit must be 1 to 1,000", "/limit")
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise InvalidRequest("the cursor is not one that this service gave", "/cursor")
    before = None if cursor is None else int(cursor)
    with resources.database.read() as connection:
        found = policies.versions(connection, actor.tenant, before, limit + 1)
    more, found = len(found) > limit, found[:limit]
    told = [_shown(one._replace(document="")) for one in found]
    return PolicyPage(told, str(found[-1].version) if more else None)


@dataclass(frozen=True, slots=True)
class Checked:
    """What is probably not meant in a document, by line, and what callers gain and lose by it."""

    warnings: tuple[Said, ...]
    differences: tuple[str, ...]


def check(resources: Resources, actor: Actor, document: str) -> Checked:
    """Return what is to be said of a document; see `Governing.check_policy`."""
    permit(resources, actor, "policy")
    old, new = resources.policies.of(actor.tenant), read(document)
    now = resources.database.now()
    with resources.database.read() as connection:
        everybody = lineage.read(connection, actor.tenant, now)
    require_way_out(new, actor.mode, everybody)
    alone = [Said(0, "warning", f"{name} {ALONE}", "") for name in lonely(new, actor.mode, everybody)]
    return Checked((*placed(new, new.warnings), *alone), tuple(difference(old, new)))


def take(resources: Resources, actor: Actor, document: str, base: int) -> PolicyVersion:
    """Put a policy in force, or propose it; see `Governing.take_policy`."""
    given, keys = permit(resources, actor, "policy"), resources.keyring.keys(actor.tenant)
    new, parts = read(document, base + 1), {"document": document, "base": base}
    digest = approvals.digest(ACTION, parts)

    def work(transaction: Transaction) -> Taken:
        old = _base(transaction, actor, base)
        _require_way_out(transaction, actor, new)
        mine = given.policy.version
        used = approvals.use(
            transaction, keys, actor, ACTION, digest, summary(old, new), document, policy=mine
        )
        taken = Taken(new.version, document, new.digest, actor.name, used.id, transaction.now)
        policies.add(transaction, actor.tenant, taken)
        raise_alarm(transaction, actor, "policy_taken", {"version": new.version, "proposal": used.id})
        row = given.row(keys, transaction.now, operation=ACTION, count=1, target=str(new.version))
        transaction.append("audit_record", [row])
        return taken

    taken = resources.database.write(work, deadline=actor.deadline)
    resources.policies.forget(actor.tenant)
    return _shown(taken)


def summary(old: Policy, new: Policy) -> str:
    """Return what a second person reads of a policy: what callers gain and lose by it, as much as fits."""
    text = f"take policy version {new.version}"
    lines = difference(old, new)
    for at, line in enumerate(lines):
        if len(text) + len(line) > LONGEST_SUMMARY:
            return f"{text}; and {len(lines) - at:,} more"
        text += f"{'; ' if at else ': '}{line}"
    return text if lines else f"{text}: nobody gains or loses anything"


def _base(transaction: Transaction, actor: Actor, base: int) -> Policy:
    """Return the policy in force, which no other replaces before the commit; refuse where it is not `base`."""
    policies.alone(transaction, actor.tenant)
    found = policies.newest(transaction.connection, actor.tenant)
    if (found[0] if found else 0) != base:
        raise Refused(PolicyConflict(f"version {found[0] if found else 0} is in force"))
    return read(found[1], base, tested=False) if found else BUILT_IN


def _require_way_out(transaction: Transaction, actor: Actor, new: Policy) -> None:
    try:
        require_way_out(new, actor.mode, lineage.read(transaction.connection, actor.tenant, transaction.now))
    except PolicyInvalid as error:
        raise Refused(error) from None


def _shown(taken: Taken) -> PolicyVersion:
    return PolicyVersion(
        taken.version, taken.document, taken.digest.hex(), taken.author, taken.proposal, taken.taken_at / 1e6
    )


def _built_in() -> PolicyVersion:
    return PolicyVersion(0, BUILT_IN.text, BUILT_IN.digest.hex(), None, None, None)
