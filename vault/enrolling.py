"""Passwords stored, reset, deleted and unlocked, and how they stand: what needs no old password."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from keys.errors import UnknownKey
from keys.openkeys import TenantKeys
from vault import accounts, throttling, verifiers
from vault.accounts import Account
from vault.audit import journal
from vault.columns import Actor
from vault.counting import missed
from vault.credentials import Chosen, Login, Status
from vault.errors import PasswordExists, StaleKeyset, StoreConflict, UnknownLogin, VaultError
from vault.passwords import rules
from vault.passwords.verifier import ARGON2ID
from vault.people import People, gather
from vault.permitting import Permit, permit
from vault.resources import Resources
from vault.selecting import choose, kind_of
from vault.store import attempts, passwords
from vault.store.writer import Overtaken, Refused, Transaction

ATTEMPTS = 4  # a keyset turned, or a person was erased or entered, while the password was being hashed


class Sealed(NamedTuple):
    """A verifier, the key version that sealed it, and its kind."""

    sealed: bytes
    key: int
    kind: str


Put = Callable[[Account, Sealed, Transaction], None]


def store(resources: Resources, actor: Actor, login: Login, password: object) -> Chosen:
    """Give a login its first password; see `Vault.store_password`."""
    given = permit(resources, actor, "passwords")
    keys = resources.keyring.keys(actor.tenant)

    def put(account: Account, sealed: Sealed, transaction: Transaction) -> None:
        row = passwords.row(actor.tenant, account.place, *sealed, account.person or b"", transaction.now)
        if not passwords.claim(transaction, [row]):
            raise Refused(PasswordExists("this login has a password already"))
        _forget(transaction, keys, account)  # wrong ones were of a password that is gone, or never was

    return _enrol(given, login, password, "store_password", put)


def reset(resources: Resources, actor: Actor, login: Login, password: object) -> Chosen:
    """Give a login another password without the old one; see `Vault.reset_password`."""
    given = permit(resources, actor, "passwords")
    keys = resources.keyring.keys(actor.tenant)

    def put(account: Account, sealed: Sealed, transaction: Transaction) -> None:
        if passwords.hold(transaction, actor.tenant, account.place) is None:
            raise _unknown()  # not Refused: the person who was entered before is not to stay
        passwords.change(transaction, actor.tenant, account.place, *sealed, chosen=True)
        _forget(transaction, keys, account)

    return _enrol(given, login, password, "reset_password", put)


def _forget(transaction: Transaction, keys: TenantKeys, account: Account) -> None:
    """Forget the wrong passwords of an account: a new one lets it through."""
    throttling.unlock(transaction, keys.tenant, throttling.guess(keys, account.place[1], None).account)


def remove(resources: Resources, actor: Actor, login: Login) -> None:
    """Delete a login's password; see `Vault.delete_password`."""
    given = permit(resources, actor, "passwords")
    keys = resources.keyring.keys(actor.tenant)
    account = accounts.resolve(resources, keys, given.actor, login)

    def work(transaction: Transaction) -> None:
        if not passwords.remove(transaction, actor.tenant, [account.place]):
            raise Refused(_unknown())
        transaction.append("audit_record", [_row(given, keys, transaction, account, "delete_password")])

    try:
        resources.database.write(work, deadline=actor.deadline)
    except UnknownLogin as error:
        raise missed(given, keys, error, "delete_password") from None


def unlock(resources: Resources, actor: Actor, login: Login) -> bool:
    """Let a login be tried again at once; see `Vault.unlock_login`."""
    given = permit(resources, actor, "unlock")
    keys = resources.keyring.keys(actor.tenant)
    account = accounts.resolve(resources, keys, given.actor, login)
    guess = throttling.guess(keys, account.place[1], None)

    def work(transaction: Transaction) -> bool:
        there = throttling.unlock(transaction, actor.tenant, guess.account)
        transaction.append("audit_record", [_row(given, keys, transaction, account, "unlock_login")])
        return there

    return resources.database.write(work, deadline=actor.deadline)


def status(resources: Resources, actor: Actor) -> Status:
    """Return how many passwords there are of each kind; see `Vault.password_status`."""
    permit(resources, actor, "passwords")
    profile = resources.passwords.profile
    with resources.database.read() as connection:
        kinds = passwords.count(connection, actor.tenant)
        locked = attempts.locked(connection, actor.tenant)
    today = f"{ARGON2ID} {profile.parameters}"
    behind = sum(count for kind, count in kinds.items() if kind != today)
    return Status(f"{profile.name} ({profile.parameters})", kinds, behind, locked)


def _enrol(given: Permit, login: Login, password: object, operation: str, put: Put) -> Chosen:
    """Hash a new password and put it in, its login held and its person entered, in one commit."""
    resources, actor = given.resources, given.actor
    candidate = rules.candidate(password)
    keys = verifiers.keys_of(resources, actor.tenant)
    try:
        account = _known(resources, keys, given.actor, login)
    except UnknownLogin as error:
        raise missed(given, keys, error, operation) from None
    new = choose(resources, keys, actor, account, candidate, "/password")
    failed: VaultError | UnknownKey
    entered, kind = False, kind_of(new.verifier)
    for _ in range(ATTEMPTS):
        try:
            people = gather(resources, keys, actor, accounts.entered([account]), store=entered)
            sealed = Sealed(*verifiers.seal_one(resources, keys, account.place[1], new.verifier), kind)
            _commit(given, keys, account, people, operation, partial(put, account, sealed))
            return new.chosen
        except UnknownLogin as error:
            raise missed(given, keys, error, operation) from None
        except PasswordExists as error:
            raise given.refused(error, accounts.told(account), operation=operation) from None
        except (StaleKeyset, UnknownKey) as error:
            failed = error
            keys = resources.keyring.reload(actor.tenant)
        except Overtaken:
            failed, entered = (
                StoreConflict("others kept entering or erasing the same person; try again"),
                True,
            )
            account = _known(resources, keys, given.actor, login)
    raise failed


def _commit(
    given: Permit,
    keys: TenantKeys,
    account: Account,
    people: People,
    operation: str,
    put: Callable[[Transaction], None],
) -> None:
    resources, actor = given.resources, given.actor

    def work(transaction: Transaction) -> None:
        if not accounts.held(transaction, actor.tenant, [account]):
            raise Refused(_unknown())
        people.hold(transaction, keys)
        put(transaction)
        transaction.append("audit_record", [_row(given, keys, transaction, account, operation)])

    resources.database.write(work, guard=(actor.tenant, keys.generation), deadline=actor.deadline)


def _known(resources: Resources, keys: TenantKeys, actor: Actor, login: Login) -> Account:
    account = accounts.resolve(resources, keys, actor, login)
    if not account.known:
        raise _unknown()
    return account


def _unknown() -> UnknownLogin:
    return UnknownLogin("there is no such login, or it has no password")


def _row(
    given: Permit, keys: TenantKeys, transaction: Transaction, account: Account, operation: str
) -> journal.Row:
    return given.row(keys, transaction.now, accounts.told(account), operation=operation, count=1)
