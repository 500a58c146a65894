"""Password hashes of another system, taken in as they are, or with Argon2id over each at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from keys.errors import UnknownKey
from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import accounts, verifiers
from vault.accounts import Account
from vault.audit import journal
from vault.columns import MAX_ITEMS, Actor
from vault.credentials import MAX_WRAPPED, Import, Imported
from vault.errors import (
    HashTooCostly,
    InvalidRequest,
    InvalidValue,
    ItemError,
    PasswordTaken,
    StaleKeyset,
    StoreConflict,
    UnknownLogin,
    VaultError,
)
from vault.passwords import argon2id, legacy
from vault.passwords.verifier import WRAPPED, Verifier
from vault.people import gather
from vault.permitting import Facts, Permit, permit
from vault.resources import Resources
from vault.selecting import kind_of
from vault.store import passwords
from vault.store.writer import Overtaken, Transaction

ATTEMPTS = 4  # a keyset turned, or a person was erased or entered, while hashes were wrapped


@dataclass(slots=True, repr=False)
class _Item:
    """One hash that can be read, and whose it is; `at` is its place in the request."""

    at: int
    account: Account
    verifier: Verifier


def take(resources: Resources, actor: Actor, asked: Import) -> Imported:
    """Store hashes of logins that have no password yet; see `Vault.import_passwords`."""
    given = permit(resources, actor, "passwords")
    _check(asked)
    keys = verifiers.keys_of(resources, actor.tenant)
    failed: VaultError | UnknownKey
    items, errors = _read(resources, keys, given.actor, asked)
    if asked.wrap:
        items = _without(resources, actor, items, errors)
        _wrap(resources, items)
    entered = False
    for _ in range(ATTEMPTS):
        try:
            return _store(given, keys, items, dict(errors), entered)
        except (StaleKeyset, UnknownKey) as error:
            failed = error
            keys = resources.keyring.reload(actor.tenant)
        except Overtaken:
            failed, entered = (
                StoreConflict("others kept entering or erasing the same persons; try again"),
                True,
            )
    raise failed


def _check(asked: Import) -> None:
    for name, column in (("/logins", asked.logins), ("/salts", asked.salts)):
        if column is not None and len(column) != len(asked.hashes):
            raise InvalidRequest("must be as long as hashes", name)
    if len(asked.hashes) > MAX_ITEMS:
        raise InvalidRequest(f"at most {MAX_ITEMS:,} hashes go into one request", "/hashes")
    if asked.wrap and len(asked.hashes) > MAX_WRAPPED:
        raise InvalidRequest(f"at most {MAX_WRAPPED} hashes are wrapped in one request", "/hashes")


def _read(
    resources: Resources, keys: TenantKeys, actor: Actor, asked: Import
) -> tuple[list[_Item], dict[int, VaultError]]:
    """Return what can be taken, and why the rest cannot."""
    items: list[_Item] = []
    errors: dict[int, VaultError] = {}
    seen = set[bytes]()
    # What could never be verified here is not taken; the hasher is asked only for what takes more than those made here.
    usual, ceiling = resources.passwords.profile.memory, cache(lambda: resources.hashing().load().ceiling)
    for at, (login, text) in enumerate(zip(asked.logins, asked.hashes, strict=True)):
        try:
            verifier = legacy.read(text, None if asked.salts is None else asked.salts[at], asked.layout)
            if (needed := _memory(verifier)) > usual and needed > ceiling():
                raise HashTooCostly("the hash takes more memory than all hashes together may")
            account = accounts.resolve(resources, keys, actor, login)
        except (ItemError, InvalidRequest, InvalidValue) as error:
            errors[at] = error
            continue
        if not account.known:
            errors[at] = UnknownLogin("there is no such login")
        elif account.place[1] in seen:
            errors[at] = PasswordTaken("this login is in the request twice")
        else:
            seen.add(account.place[1])
            items.append(_Item(at, account, verifier))
    return items, errors


def _memory(verifier: Verifier) -> int:
    """Return the kibibytes that verifying takes."""
    if verifier.scheme in argon2id.SCHEMES:
        return argon2id.memory(verifier.encoded)
    return legacy.memory(verifier.scheme, verifier.encoded)


def _without(
    resources: Resources, actor: Actor, items: Sequence[_Item], errors: dict[int, VaultError]
) -> list[_Item]:
    """Return the items whose logins have no password yet: an import that goes on hashes nothing twice."""
    places = [item.account.place for item in items]
    with resources.database.read() as connection:
        there = passwords.known(connection, resources.database.dialect, actor.tenant, places)
    taken = [item for item in items if item.account.place[1] in there]
    errors |= {item.at: PasswordTaken("this login has a password already") for item in taken}
    return [item for item in items if item.account.place[1] not in there]


def _wrap(resources: Resources, items: Sequence[_Item]) -> None:
    """Put Argon2id over each hash that is none itself; what remains of it are its salt and parameters."""
    weak = [item for item in items if not item.verifier.scheme.startswith("argon2")]
    if not weak:
        return
    texts = [item.verifier.encoded.encode() for item in weak]
    over = resources.hashing().hash(texts, resources.passwords.profile, urgent=False)
    for item, encoded in zip(weak, over, strict=True):
        old = item.verifier
        inner = legacy.setting(old.scheme, old.encoded)
        item.verifier = replace(old, scheme=WRAPPED + old.scheme, encoded=encoded, inner=inner)


def _store(
    given: Permit, keys: TenantKeys, items: Sequence[_Item], errors: dict[int, VaultError], entered: bool
) -> Imported:
    resources, actor = given.resources, given.actor
    tenant, primary = actor.tenant, keys.primary(Purpose.PASSWORD)
    resources.keyring.spend(tenant, primary, len(items))
    places = [item.account.place[1] for item in items]
    sealed = verifiers.seal_column(keys, places, [item.verifier for item in items])
    people = gather(resources, keys, actor, accounts.entered([item.account for item in items]), store=entered)

    def work(transaction: Transaction) -> Imported:
        people.hold(transaction, keys)  # before the tokens: in the order of erasures, and of keys renewed
        there = accounts.held(transaction, tenant, [item.account for item in items])
        rows = [
            passwords.row(tenant, item.account.place, blob, primary.id, kind_of(item.verifier),
                          item.account.person or b"", transaction.now)
            for item, blob in zip(items, sealed, strict=True)
            if item.account.place[1] in there
        ]  # fmt: skip
        won = passwords.claim(transaction, rows)
        refused = dict(errors)
        for item in items:
            if item.account.place[1] not in there:
                refused[item.at] = UnknownLogin("there is no such login")
            elif item.account.place[1] not in won:
                refused[item.at] = PasswordTaken("this login has a password already")
        taken = [item.account for item in items if item.at not in refused]
        transaction.append("audit_record", _rows(given, keys, transaction.now, taken, len(refused)))
        return Imported(len(won), refused)

    return resources.database.write(work, guard=(tenant, keys.generation), deadline=actor.deadline)


def _rows(
    given: Permit, keys: TenantKeys, now: int, taken: Sequence[Account], refused: int
) -> list[journal.Row]:
    """Return the audit records of an import: of accounts that are tokens, of those that are persons, at least one."""
    by_token = [account for account in taken if account.row is not None]
    by_person = [account for account in taken if account.row is None]
    rows = []
    if by_token or not by_person:
        facts = Facts(
            tokens=[account.place[1] for account in by_token],
            fields=[account.row.field for account in by_token if account.row is not None],
            persons=[account.person for account in by_token],
        )
        rows.append(
            given.row(keys, now, facts, operation="import_passwords", count=len(by_token), refused=refused)
        )
    if by_person:
        persons, left = [account.person for account in by_person], 0 if rows else refused
        row = given.row(
            keys, now, operation="import_passwords", count=len(by_person), refused=left, persons=persons
        )
        rows.append(row)
    return rows
