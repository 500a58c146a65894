"""Whose password is meant: from a login's token, name or subject to the account that has a password, or to nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keys.errors import UnknownKey
from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import fields, index, tokens
from vault.columns import Actor
from vault.credentials import Login
from vault.errors import FieldNotGranted, InvalidRequest, UnreadableValue
from vault.permitting import Facts
from vault.resources import Resources, look_up, open_values
from vault.store import passwords
from vault.store import tokens as rows
from vault.store.writer import Transaction

NAME_FIELD = "login_name"
UNKNOWN_NAME = b"\x11"  # in front of the digest of a login name that has no token
IMPERSONAL = frozenset({"login_record", "text"})  # hold words that are nobody's alone
MOST_VALUES = 200  # of one person that a new password is held against


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """An account, or what would be one.

    Attributes:
        place: bucket and account of its password; the bucket means nothing where it is not `known`.
        known: there is such a token; any subject is taken for known.
        person: the subject digest that its log-ins are recorded under; None where it is not known.
        owner: the digest of the subject that it belongs to; None if it belongs to nobody.
        row: the token's row, where it is a token that exists.
        token: the token's public text, "" where it is none.
    """

    place: passwords.Place
    known: bool
    person: bytes | None
    owner: bytes | None
    row: rows.Sealed | None
    token: str = ""


def resolve(resources: Resources, keys: TenantKeys, actor: Actor, login: Login) -> Account:
    """Return the account that `login` means.

    Raises:
        InvalidRequest: it names none or several.
        MalformedToken, WrongMode: its token is none of this tenant's mode.
        FieldNotGranted: the caller's key does not reach the token's field.
    """
    if sum(part is not None for part in (login.token, login.name, login.subject)) != 1:
        raise InvalidRequest("name one of login, login_name and subject")
    if login.subject is not None:
        route = keys.primary(Purpose.ROUTE)
        digest = index.subject_digests(route, actor.tenant, [login.subject])[0]
        return Account(passwords.of_subject(digest), True, digest, digest, None)
    if login.name is not None:
        return _named(resources, keys, actor, login.name)
    bucket, stored = tokens.parse(actor.mode, login.token, None)
    return _of_token(resources, keys, actor, (bucket or 0, stored))


def held(transaction: Transaction, tenant: int, found: Sequence[Account]) -> set[bytes]:
    """Return which accounts are still there; nobody deletes their tokens before the commit.

    Those of subjects are: `People.hold` keeps their persons. Unknown ones are looked for as well: it takes as long.
    """
    connection, dialect = transaction.connection, transaction.dialect
    places = sorted(account.place for account in found)
    rows = dialect.match(connection, "token", ("token",), ("bucket", "token"), tenant, places, lock="share")
    subjects = {account.place[1] for account in found if account.known and account.row is None}
    return {row[0] for row in rows} | subjects


def entered(found: Sequence[Account]) -> list[bytes]:
    """Return the subjects whose persons a password enters: those of tokens are there as long as their tokens are held.

    An erasure takes the person before the tokens, so who held a token first would wait for it, and it for them.
    """
    return [account.owner for account in found if account.row is None and account.owner is not None]


def told(account: Account) -> Facts:
    """Return what an audit record says of an account: its token, if it is one, and its person, if that is known."""
    facts = Facts(persons=[] if account.person is None else [account.person])
    if account.token:
        facts["tokens"] = [account.place[1]]
    if account.row is not None:
        facts["field"] = account.row.field
    return facts


def personal(resources: Resources, keys: TenantKeys, actor: Actor, account: Account) -> list[str]:
    """Return the login itself and up to 200 other values of its person, which a password must not hold."""
    try:
        return _personal(resources, keys, actor, account)
    except (UnreadableValue, UnknownKey):  # the keys held here may be behind
        resources.keyring.refresh(actor.tenant)
        return _personal(resources, resources.keyring.keys(actor.tenant), actor, account, damaged=True)


def _personal(
    resources: Resources, keys: TenantKeys, actor: Actor, account: Account, *, damaged: bool = False
) -> list[str]:
    """Read and open the values; `damaged`: one that does not open is no reason to refuse a password."""
    with resources.database.snapshot():
        places = [] if account.row is None else [account.place]
        if account.owner is not None:
            with resources.database.read() as connection:
                dialect = resources.database.dialect
                places += rows.of_subject(connection, dialect, actor.tenant, account.owner, IMPERSONAL)
        found = look_up(resources, actor, places[:MOST_VALUES], rows.Sealed).values()
        held = [row for row in found if row.sealed is not None and row.field not in IMPERSONAL]
        opened = _opened if damaged else _open
        return [value.decode() for value in opened(resources, keys, actor, held)]


def _open(resources: Resources, keys: TenantKeys, actor: Actor, held: Sequence[rows.Sealed]) -> list[bytes]:
    return open_values(resources, keys, actor, "value", held, [row.sealed or b"" for row in held]).values


def _opened(resources: Resources, keys: TenantKeys, actor: Actor, held: Sequence[rows.Sealed]) -> list[bytes]:
    """Open what opens."""
    try:
        return _open(resources, keys, actor, held)
    except (UnreadableValue, UnknownKey):
        if len(held) == 1:
            return []
        return [value for row in held for value in _opened(resources, keys, actor, [row])]


def _named(resources: Resources, keys: TenantKeys, actor: Actor, name: str) -> Account:
    """Return the account of a login name; the digest of one that has no token is an account without a password."""
    if actor.fields is not None and NAME_FIELD not in actor.fields:  # or it would be told which names exist
        raise FieldNotGranted("the key does not reach this field")
    normal, refused = fields.normalize_column(NAME_FIELD, [name], {})
    for error in refused.values():
        raise error
    text = normal[0] or ""
    found = _look_for(resources, keys, actor, text)
    while found is None and resources.keyring.changed(
        keys
    ):  # its entry may have moved to a newer version meanwhile
        keys = resources.keyring.reload(actor.tenant)
        found = _look_for(resources, keys, actor, text)
    if found is not None:
        return _of_token(resources, keys, actor, found)
    route = keys.primary(Purpose.ROUTE)
    digest = index.request_digest(route, actor.tenant, "login name", text.encode())
    return Account((0, UNKNOWN_NAME + digest), False, None, None, None)


def _look_for(resources: Resources, keys: TenantKeys, actor: Actor, text: str) -> rows.Place | None:
    bucket = index.value_buckets(keys.primary(Purpose.ROUTE), actor.tenant, NAME_FIELD, NAME_FIELD, [text])[0]
    with resources.database.read() as connection:
        for key in keys.by_age(Purpose.INDEX):
            digest = index.digests(key, actor.tenant, NAME_FIELD, NAME_FIELD, [text])[0]
            entries = [(bucket, key.id, digest)]
            dialect = resources.database.dialect
            found = rows.deterministic(connection, dialect, actor.tenant, "opaque", entries)
            if digest in found:
                return found[digest]
    return None


def _of_token(resources: Resources, keys: TenantKeys, actor: Actor, place: rows.Place) -> Account:
    row = look_up(resources, actor, [place], rows.Sealed).get(place[1])
    if row is None or (row.expires_at is not None and row.expires_at <= resources.database.now()):
        return Account(place, False, None, None, None)
    if actor.fields is not None and row.field not in actor.fields:
        raise FieldNotGranted("the key does not reach this token's field")
    text = tokens.texts(actor.mode, [place[0]], [place[1]])[0]
    person = row.subject
    if person is None:  # a login of nobody is a person of its own
        person = index.subject_digests(keys.primary(Purpose.ROUTE), actor.tenant, [text])[0]
    return Account(place, True, person, row.subject, row, text)
