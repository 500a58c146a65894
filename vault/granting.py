"""API keys: made, listed, revoked, rotated with an overlap; the text of a key is shown once and kept nowhere."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from keys.keyset import OF_TENANTS
from vault import fields
from vault.audit import journal
from vault.columns import EVERYBODYS, OPERATIONS, Actor, ApiKeyRecord, Mode, Remember
from vault.errors import InvalidRequest, PolicyDenied, PolicyUnreadable, UnknownApiKey
from vault.once import Once
from vault.permitting import Permit, permit
from vault.resources import Resources
from vault.store import apikeys
from vault.store.keysets import Keysets, new_tenant_id
from vault.store.writer import Refused, Transaction

FIRST = tuple(name for name in OPERATIONS if name not in EVERYBODYS)  # of a tenant's first keys
MAX_OVERLAP = 2_592_000  # seconds: 30 days
_NAME = re.compile(r"[\w.: -]{1,64}")  # letters and digits of any script

Made = tuple[ApiKeyRecord, str]


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of a key's whole text: 256 random bits need no slow or keyed hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def create(
    resources: Resources,
    actor: Actor,
    name: str,
    operations: Sequence[str],
    granted: Sequence[str] | None,
    expires_in: int | None,
    remember: Remember | None,
    roles: Sequence[str] = (),
) -> Made:
    """Make a key for the caller's own tenant; see `Vault.create_api_key`."""
    _check(name, operations, granted, expires_in)
    given = permit(resources, actor, "apikeys")
    if not _may_give(given, roles):
        raise given.refused(
            PolicyDenied("an API key cannot make one with a role that it lacks"), operation="create_api_key"
        )

    def make(transaction: Transaction) -> Made:
        now = transaction.now / 1e6
        until = _sooner(None if expires_in is None else now + expires_in, _end(transaction, actor))
        record, text = new_key(actor.tenant, actor.mode, name, operations, granted, now, until)
        return replace(record, roles=tuple(sorted(set(roles))), made_by=_maker(actor)), text

    return _commit(given, "create_api_key", make, remember)


def rotate(resources: Resources, actor: Actor, key_id: str, overlap: int, remember: Remember | None) -> Made:
    """Make a key with the same grants, and let the old one end after the overlap; see `Vault.rotate_api_key`."""
    if not 0 <= overlap <= MAX_OVERLAP:
        raise InvalidRequest("overlap_seconds must be 0 to 2,592,000", "/overlap_seconds")
    given, keys = permit(resources, actor, "apikeys"), resources.keyring.keys(actor.tenant)

    def make(transaction: Transaction) -> Made:
        old, ends = _live(transaction, actor, key_id), _end(transaction, actor)
        if not _may_give(given, old.roles):
            denied = PolicyDenied("an API key cannot make one with a role that it lacks")
            row = given.row(
                keys, transaction.now, operation="rotate_api_key", result=denied.code, target=key_id
            )
            transaction.append("audit_record", [row])
            raise Refused(denied)
        until = transaction.now + overlap * 1_000_000
        if old.expires_at is not None:
            until = min(until, int(old.expires_at * 1e6))
        apikeys.end(transaction, actor.tenant, key_id, revoked_at=None, expires_at=until)
        now = transaction.now / 1e6
        left = None if old.expires_at is None else now + (old.expires_at - old.created_at)
        left = _sooner(left, ends)
        record, text = new_key(actor.tenant, actor.mode, old.name, old.operations, old.fields, now, left)
        return replace(record, roles=old.roles, made_by=_line(old, actor)), text

    return _commit(given, "rotate_api_key", make, remember)


def revoke(resources: Resources, actor: Actor, key_id: str) -> None:
    """End a key now; see `Vault.revoke_api_key`."""
    given = permit(resources, actor, "apikeys")
    keys = resources.keyring.keys(actor.tenant)

    def work(transaction: Transaction) -> None:
        old = _known(transaction, actor, key_id)
        if old.revoked_at is None:
            apikeys.end(transaction, actor.tenant, key_id, revoked_at=transaction.now, expires_at=None)
        row = given.row(keys, transaction.now, operation="revoke_api_key", count=1, target=key_id)
        transaction.append("audit_record", [row])

    resources.database.write(work, deadline=actor.deadline)


def keys_of(resources: Resources, actor: Actor) -> list[ApiKeyRecord]:
    """Return the tenant's keys, oldest first, ended ones too."""
    permit(resources, actor, "apikeys")
    with resources.database.read() as connection:
        return apikeys.of_tenant(connection, actor.tenant)


def new_key(
    tenant: int,
    mode: Mode,
    name: str,
    operations: Sequence[str],
    granted: Sequence[str] | None,
    now: float,
    until: float | None,
) -> Made:
    """Return a new key's record and its text: `sr_live_` or `sr_test_` and 64 hex digits."""
    text = f"sr_{mode}_{secrets.token_hex(32)}"
    given = None if granted is None else tuple(sorted(set(granted)))
    ordered = tuple(name for name in OPERATIONS if name in operations)
    return ApiKeyRecord(
        f"key_{secrets.token_hex(8)}", tenant, mode, name, ordered, given, now, until, None
    ), text


def bootstrap(resources: Resources, name: str, again: bool, operator: bool = False) -> dict[Mode, Made]:
    """Create a business with live and test data apart, its keysets and first keys; see `Vault.bootstrap`."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest("a tenant's name has 1 to 64 letters, digits, spaces or _.:-", "/name")
    known = Keysets(resources.database).tenants(name)
    if again and not known:
        raise InvalidRequest("there is no tenant of that name", "/name")
    granted = OPERATIONS if operator else FIRST
    return _more_keys(resources, known, granted) if again else _new_tenant(resources, name, granted)


def _more_keys(resources: Resources, tenants: dict[str, int], granted: Sequence[str]) -> dict[Mode, Made]:
    """Make one more such key for each mode: for who lost the others."""
    modes: tuple[Mode, Mode] = ("live", "test")
    return {
        mode: create(
            resources, _operator(tenants[mode], mode), "bootstrap", granted, None, None, None,
            _governing(resources, tenants[mode]),
        )
        for mode in modes
    }  # fmt: skip


def _governing(resources: Resources, tenant: int) -> list[str]:
    """Return the roles that may propose or approve a policy: without one, a key could not even do that.

    So who lost every key gets two such keys, and with them the next policy. One that cannot be read gives no roles.
    """
    try:
        policy = resources.policies.of(tenant)
    except PolicyUnreadable:
        return []
    return [
        name for name in policy.roles if not policy.operations_of([name]).isdisjoint(("policy", "approve"))
    ]


def _operator(tenant: int, mode: Mode) -> Actor:
    """Return whoever runs the command on the machine itself."""
    return Actor(tenant, mode, "bootstrap", "bootstrap", kind="local")


def _new_tenant(resources: Resources, name: str, granted: Sequence[str]) -> dict[Mode, Made]:
    now = resources.database.clock()
    tenants: dict[Mode, int] = {"live": new_tenant_id(), "test": new_tenant_id()}
    keysets = [
        [resources.keyring.create(tenant, purpose, now) for purpose in OF_TENANTS]
        for tenant in tenants.values()
    ]
    made: dict[Mode, Made] = {
        mode: new_key(tenant, mode, "bootstrap", granted, None, now, None) for mode, tenant in tenants.items()
    }

    opened = [  # before anybody waits for the transaction: a root may be slow
        resources.keyring.open(tenant, 1, {keyset.purpose: keyset for keyset in held})
        for tenant, held in zip(tenants.values(), keysets, strict=True)
    ]

    def first_keys(transaction: Transaction) -> None:
        for (mode, (record, text)), keys in zip(made.items(), opened, strict=True):
            apikeys.add(transaction, record, digest_of(text))
            actor = _operator(record.tenant, mode)
            row = journal.row(keys, actor, transaction.now, "bootstrap", count=1, target=record.id)
            transaction.append("audit_record", [row])

    Keysets(resources.database).create_tenants(name, list(tenants), keysets, first_keys)
    return made


def _commit(
    given: Permit,
    operation: str,
    make: Callable[[Transaction], Made],
    remember: Remember | None,
) -> Made:
    resources, actor = given.resources, given.actor
    keys = resources.keyring.keys(actor.tenant)
    once = Once(keys, actor.tenant, remember)

    def work(transaction: Transaction) -> Made:
        once.check(transaction)
        record, text = make(transaction)
        apikeys.add(transaction, record, digest_of(text))
        row = given.row(keys, transaction.now, operation=operation, count=1, target=record.id)
        transaction.append("audit_record", [row])
        once.keep(transaction, (record, text))
        return record, text

    return resources.database.write(work, deadline=actor.deadline)


def _known(transaction: Transaction, actor: Actor, key_id: str) -> ApiKeyRecord:
    for record in apikeys.of_tenant(transaction.connection, actor.tenant):
        if record.id == key_id:
            return record
    raise Refused(UnknownApiKey("no API key of that id"))


def _live(transaction: Transaction, actor: Actor, key_id: str) -> ApiKeyRecord:
    record = _known(transaction, actor, key_id)
    ended = record.expires_at is not None and record.expires_at * 1e6 <= transaction.now
    if record.revoked_at is not None or ended:
        raise Refused(UnknownApiKey("the API key has ended; make a new one"))
    return record


def _may_give(given: Permit, roles: Sequence[str]) -> bool:
    """Whether the caller has all of these roles itself: by the policy, or stored with its own key."""
    if given.actor.kind == "local":  # whoever runs the command on the machine is under no policy
        return True
    return (given.policy.whole(given.situation.roles) | given.actor.roles).issuperset(roles)


def _end(transaction: Transaction, actor: Actor) -> float | None:
    """Return when the caller's own key expires, seconds since 1970: none that it makes outlives it."""
    if actor.kind != "key":
        return None
    known = apikeys.of_tenant(transaction.connection, actor.tenant)
    return next((record.expires_at for record in known if record.id == actor.name), None)


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((time for time in (one, other) if time is not None), default=None)


def _line(old: ApiKeyRecord, actor: Actor) -> str:
    """Return by whom a key is made that takes another's place: whoever has either counts as one person.

    They are always two, even if a key rotates itself: so `lineage` tells it from a key that was made for somebody else.
    """
    return f"{old.id} {actor.name}"


def _maker(actor: Actor) -> str | None:
    """Return who made a key; None for a tenant's first ones, which the command on the machine makes."""
    return None if actor.kind == "local" else actor.name


def _check(
    name: str, operations: Sequence[str], granted: Sequence[str] | None, expires_in: int | None
) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidRequest("a key's name has 1 to 64 letters, digits, spaces or _.:-", "/name")
    if not operations or any(operation not in OPERATIONS for operation in operations):
        raise InvalidRequest(
            "operations must name at least one operation, and only known ones", "/operations"
        )
    if expires_in is not None and not 1 <= expires_in <= 315_360_000:
        raise InvalidRequest("expires_in_seconds must be 1 to 315,360,000", "/expires_in_seconds")
    for field in granted or ():
        fields.get(field)
