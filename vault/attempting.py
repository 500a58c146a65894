"""An attempt on a password: counted as failed, hashed, and what came of it stored before it is answered.

What came of it goes with the log-in's and the audit record into one commit. The same work is done for logins that exist
and that do not.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cache

from keys.errors import KeyExhausted, KeyExpired, KeyProblem, UnknownKey
from keys.openkeys import TenantKeys
from vault import accounts, logins, throttling, verifiers
from vault.accounts import Account, resolve
from vault.audit import journal
from vault.columns import Actor
from vault.credentials import Login, Origin, Verified
from vault.errors import (
    InvalidPassword,
    LoginLocked,
    StaleKeyset,
    StoreConflict,
    TooManyAttempts,
    UnreadableValue,
    VaultError,
    WrongPassword,
)
from vault.fields import login_record
from vault.passwords import rules
from vault.passwords.profiles import SALT_BYTES, TAG_BYTES, Profile
from vault.passwords.verifier import ARGON2ID, Verifier
from vault.permitting import Permit
from vault.resources import Resources
from vault.selecting import kind_of
from vault.store import passwords
from vault.store.attempts import NEVER
from vault.store.passwords import Password
from vault.store.writer import Overtaken, Transaction

ATTEMPTS = 4  # the password was replaced, its key turned, or its person erased, while it was being hashed


@dataclass(slots=True, repr=False)
class Try:
    """A password that was tried: what was stored, whether it is right, what is to be stored instead."""

    keys: TenantKeys
    account: Account
    held: Password | None
    verifier: Verifier
    text: str
    right: bool
    replacement: Verifier | None = None
    chosen: bool = False


def attempt(
    given: Permit,
    login: Login,
    candidate: str,
    origin: Origin,
    operation: str,
    tried: Callable[[Try], Try],
) -> Verified:
    """Count, hash, store; `tried` says what is to be stored of a password that is right."""
    resources, actor = given.resources, given.actor
    keys = verifiers.keys_of(resources, actor.tenant)
    account = resolve(resources, keys, actor, login)
    guess = throttling.guess(keys, account.place[1], origin.ip)
    _begin(given, keys, account, guess, operation)
    verdicts: list[bool] = []

    def judged(keys: TenantKeys, account: Account, entered: bool) -> Verified:
        once = _tried(resources, keys, actor, account, candidate)
        verdicts.append(once.right)
        return _settle(given, tried(once), guess, origin, operation, entered)

    try:
        return _again(resources, actor, login, keys, account, judged)
    except (VaultError, KeyProblem) as error:
        if verdicts[-1:] != [False]:  # no guess was made, or a right one that came to nothing
            record = None
            if isinstance(error, InvalidPassword):  # of the new one: that the old one is right was told
                now, facts = resources.database.now(), accounts.told(account)
                record = given.row(keys, now, facts, operation=operation, result=error.code, refused=1)
            _undo(resources, actor, guess, record)
        raise


def _again(
    resources: Resources, actor: Actor, login: Login, keys: TenantKeys, account: Account,
    judged: Callable[[TenantKeys, Account, bool], Verified],
) -> Verified:  # fmt: skip
    """Judge once more what was made stale by others meanwhile."""
    failed: VaultError | UnknownKey
    entered = False
    for _ in range(ATTEMPTS):
        try:
            return judged(keys, account, entered)
        except (StaleKeyset, UnknownKey, UnreadableValue) as error:  # the keys held here may be behind
            failed = error
            if not resources.keyring.refresh(actor.tenant) and not isinstance(error, StaleKeyset):
                break
            keys = resources.keyring.keys(actor.tenant)
        except Overtaken:
            failed, entered = StoreConflict("the login kept being changed; try again"), True
            account = resolve(resources, keys, actor, login)
    raise failed


def _begin(
    given: Permit,
    keys: TenantKeys,
    account: Account,
    guess: throttling.Guess,
    operation: str,
) -> None:
    """Count the attempt; refuse it, after an audit record, while the account or the source has to wait."""
    resources, actor = given.resources, given.actor

    def work(transaction: Transaction) -> int:
        wait = throttling.begin(transaction, actor.tenant, guess, resources.passwords.limits)
        if wait:
            code = LoginLocked.code if wait == NEVER else TooManyAttempts.code
            facts = accounts.told(account)
            row = given.row(keys, transaction.now, facts, operation=operation, result=code, refused=1)
            transaction.append("audit_record", [row])
        return wait

    wait = resources.database.write(work, deadline=actor.deadline)
    if wait == NEVER:
        raise LoginLocked("too many wrong passwords; an operator unlocks the login, or its password is reset")
    if wait:
        raise TooManyAttempts("too many wrong passwords; wait before the next", -(-wait // 1_000_000))


def _undo(resources: Resources, actor: Actor, guess: throttling.Guess, record: journal.Row | None) -> None:
    """Take the attempt back; if there is something to record of it, the password was right."""

    def work(transaction: Transaction) -> None:
        limits, right = resources.passwords.limits, record is not None
        throttling.forgive(transaction, actor.tenant, guess, limits, right=right)
        transaction.append("audit_record", [] if record is None else [record])

    # With nothing to record, what the caller is to hear is why it came to nothing, not that this failed, too.
    with suppress(VaultError) if record is None else nullcontext():
        resources.database.write(work)


def _tried(resources: Resources, keys: TenantKeys, actor: Actor, account: Account, candidate: str) -> Try:
    """Hash the candidate as the stored one was hashed; where there is none, as a new one would be."""
    with resources.database.read() as connection:
        held = passwords.get(connection, resources.database.dialect, actor.tenant, account.place)
    if not account.known:
        held = None
    verifier = verifiers.open_column(keys, [held])[0] if held else nobody(resources.passwords.profile)
    text = rules.presented(candidate, verifier.normalized)
    right = resources.hashing().verify([text.encode()], [verifier])[0]
    return Try(keys, account, held, verifier, text, right and held is not None)


@cache
def nobody(profile: Profile) -> Verifier:
    """Return a verifier that no password is known to fit, of the cost that a real one has."""
    salt, tag = (base64.b64encode(bytes(size)).decode().rstrip("=") for size in (SALT_BYTES, TAG_BYTES))
    return Verifier(ARGON2ID, f"$argon2id$v=19${profile.parameters}${salt}${tag}")


def _settle(
    given: Permit, once: Try, guess: throttling.Guess, origin: Origin, operation: str, entered: bool
) -> Verified:
    """Store what came of it, unless the password was replaced meanwhile: then Overtaken, and it is tried again."""
    resources, actor = given.resources, given.actor
    keys, account, result = once.keys, once.account, Verified(once.right)
    if once.right and account.person is not None:
        result = Verified(True, *logins.flags(resources, keys, actor, account.person, origin))
    text = told(account.token, origin, result)
    entry = logins.draft(resources, keys, actor, account, text, entered=entered)
    sealed = _sealed(resources, once)

    def work(transaction: Transaction) -> Verified:
        place = account.place
        if account.owner is not None:
            entry.store(transaction, keys)  # an erasure takes the person before the password
        there = accounts.held(transaction, actor.tenant, [account])
        if account.known and place[1] not in there:
            raise Overtaken  # deleted meanwhile: its log-ins went with it, and none is to come after them
        revision = passwords.hold(transaction, actor.tenant, place)
        if once.held is not None and revision != once.held.revision:
            raise Overtaken
        if sealed is not None and once.replacement is not None:
            kind = kind_of(once.replacement)
            passwords.change(transaction, actor.tenant, place, *sealed, kind, chosen=once.chosen)
        if once.right:
            throttling.forgive(transaction, actor.tenant, guess, resources.passwords.limits, right=True)
        if account.owner is None:
            entry.store(transaction, keys)  # a deletion takes the password of a login of nobody first
        row = given.row(
            keys,
            transaction.now,
            accounts.told(account),
            operation=operation,
            result="ok" if once.right else WrongPassword.code,
            count=int(once.right),
            refused=int(not once.right),
        )
        transaction.append("audit_record", [row])
        return result

    guard = (actor.tenant, keys.generation)
    return resources.database.write(work, guard=guard, deadline=actor.deadline)


def _sealed(resources: Resources, once: Try) -> tuple[bytes, int] | None:
    """Seal what replaces the verifier; None if there is nothing, or no key for what can as well come another day."""
    if once.replacement is None:
        return None
    try:
        return verifiers.seal_one(resources, once.keys, once.account.place[1], once.replacement)
    except (KeyExhausted, KeyExpired):
        if once.chosen:
            raise
        return None


def told(token: str, origin: Origin, result: Verified) -> str:
    """Return a log-in as it is put on record; InvalidValue if something of its origin cannot be."""
    return login_record.record(
        result="ok" if result.verified else "refused", ip=origin.ip, device=origin.device, agent=origin.agent,
        latitude=origin.latitude, longitude=origin.longitude, new_device=result.new_device,
        impossible_travel=result.impossible_travel, login=token or None,
    )  # fmt: skip
