"""What every step of the vault works with: the database, the keys, the clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keys.errors import UnwrapError
from keys.keyring import Keyring
from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from keys.wrapping import unwrap
from vault import cipher, tokens
from vault.audit import journal
from vault.backup.plan import Plan
from vault.columns import Actor, Description
from vault.context import number, pack
from vault.errors import HashingUnavailable, ItemError, UnreadableValue, VaultError
from vault.gatekeeping import Gate, OpenGate
from vault.index import token_buckets
from vault.marking import is_turned, turned
from vault.passwords.hasher import Hasher
from vault.passwords.limits import Limits
from vault.passwords.profiles import DEFAULT, Profile
from vault.passwords.rules import Rules
from vault.policybook import PolicyBook
from vault.store import subjects
from vault.store.database import Database
from vault.store.stale import Indexed
from vault.store.tokens import KIND_NAMES, Place, R, Sealed, Stored, Watched, fetch
from vault.store.writer import Transaction


@dataclass(frozen=True, slots=True)
class Passwords:
    """How passwords are treated here.

    Attributes:
        profile: what a new one is hashed with; others are brought there at the next log-in.
        rules: which may be had.
        limits: how much guessing is let through.
        recorded: seconds that a log-in is kept on record; by default half a year, which the Cybersecurity Law of the
            People's Republic of China, Article 21 (3), asks of network logs at least.
    """

    profile: Profile = DEFAULT
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    recorded: int = 184 * 86_400


@dataclass(frozen=True, slots=True)
class Records:
    """How long audit records stay in the database (PCI DSS v4.0.1, 10.5.1: 12 months at least, 3 at hand).

    Attributes:
        archive: the folder that old ones go to; without one all stay.
        days: from which age they go there.
    """

    archive: Path | None = None
    days: int = 366


@dataclass(frozen=True, slots=True)
class Resources:
    """The database, the keyring and what is known of the world.

    Attributes:
        monotonic: the clock that deadlines count in, in seconds.
        gone: whether the process of a name, as leases have it, is known to have ended.
        passwords: which may be had, how they are hashed, how much guessing is let through.
        hasher: what hashes them; None where no passwords are.
        records: how long audit records stay.
        gate: whether requests may be served: while their records are taken outside.
        backups: how often they are made, where they go and for whom.
        policies: what each tenant's policy allows.
    """

    database: Database
    keyring: Keyring
    monotonic: Callable[[], float]
    gone: Callable[[str], bool] = lambda _: False
    passwords: Passwords = field(default_factory=Passwords)
    hasher: Hasher | None = None
    records: Records = field(default_factory=Records)
    gate: Gate = field(default_factory=OpenGate)
    backups: Plan = field(default_factory=Plan)
    policies: PolicyBook = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "policies", PolicyBook(self.database, self.monotonic))  # frozen

    def hashing(self) -> Hasher:
        """Return what hashes passwords; HashingUnavailable where nothing does."""
        if self.hasher is None:
            raise HashingUnavailable("no passwords are hashed here")
        return self.hasher

    def close(self) -> None:
        """Wipe the keys in memory, end what talks to roots and what hashes, close the database."""
        if self.hasher is not None:
            self.hasher.close()
        self.keyring.forget()
        for root in self.keyring.roots.values():
            root.close()
        self.database.close()


def person_context(tenant: int, subject: bytes, key_id: int) -> bytes:
    """Return the bytes that a wrapped person key is bound to."""
    return pack(b"strongroom/1 person", number(tenant), subject, number(key_id))


def open_person_keys(
    keys: TenantKeys, tenant: int, wrapped: dict[bytes, subjects.Wrapped]
) -> dict[bytes, tuple[int, bytes]]:
    """Return the id and plain bytes of each subject's key, by subject digest.

    Raises UnreadableValue if one was altered or moved, UnknownKey if the version that wraps it is not held here.
    """
    return {digest: (one[0], open_person_key(keys, tenant, digest, *one)) for digest, one in wrapped.items()}


def open_person_key(
    keys: TenantKeys, tenant: int, subject: bytes, key_id: int, wrapped: bytes, wrap_key: int
) -> bytes:
    """Return the plain bytes of one subject's key; raises what `open_person_keys` does."""
    key = keys.version(Purpose.SEAL, wrap_key)
    try:
        return unwrap(cipher.aead(key), wrapped, person_context(tenant, subject, key_id))
    except UnwrapError:
        raise UnreadableValue("a person key does not open: altered or moved") from None


def parse_column(
    keys: TenantKeys, actor: Actor, texts: Sequence[object], field: str | None
) -> tuple[list[Place | None], dict[int, VaultError]]:
    """Return where each token would lie, None where its text is no token of this tenant's mode; and why, by index."""
    opaque = tokens.parse_opaque(actor.mode, texts)
    if opaque is not None:
        return list(opaque), {}
    parsed: list[tuple[int | None, bytes] | None] = []
    errors: dict[int, VaultError] = {}
    for at, text in enumerate(texts):
        try:
            parsed.append(tokens.parse(actor.mode, text, field))
        except ItemError as error:
            parsed.append(None)
            errors[at] = error
    shaped = [token for bucket, token in filter(None, parsed) if bucket is None]
    buckets = iter(token_buckets(keys.primary(Purpose.ROUTE), actor.tenant, shaped) if shaped else ())
    places = [
        None if found is None else (next(buckets) if found[0] is None else found[0], found[1])
        for found in parsed
    ]
    return places, errors


def look_up(
    resources: Resources, actor: Actor, places: Sequence[Place | None], kind: type[R]
) -> dict[bytes, R]:
    """Return the tokens that exist among `places`, by stored form."""
    wanted = [place for place in dict.fromkeys(places) if place is not None]
    with resources.database.read() as connection:
        return fetch(connection, resources.database.dialect, actor.tenant, wanted, kind)


def strays(resources: Resources, actor: Actor, places: Sequence[Place | None], found: int = 0) -> set[Place]:
    """Return the places that name the random part of another token beside them behind a bucket that is not its own.

    They are no tokens of ours; what is looked up by its stored form alone would take one for the other.

    Args:
        found: rows that were found; as many as there are places, and none can be a stray.
    """
    wanted = {place for place in places if place is not None}
    if found == len(wanted):
        return set()
    times = Counter(token for _, token in wanted)
    doubled = [place for place in wanted if times[place[1]] > 1]
    true = look_up(resources, actor, doubled, Stored) if doubled else {}
    return {place for place in doubled if place[1] not in true or true[place[1]].bucket != place[0]}


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """Values in plain, in order; `decoys`: the places of those that stand for nothing and only look like a value."""

    values: list[bytes]
    decoys: list[int]


def open_values(
    resources: Resources,
    keys: TenantKeys,
    actor: Actor,
    slot: str,
    rows: Sequence[Stored | Sealed | Watched | Indexed],
    sealed: Sequence[bytes],
) -> Opened:
    """Open sealed parts of rows; UnreadableValue if one does not open.

    The mark of a decoy (`marking`) is taken off: nobody but who asks for `decoys` sees one.
    """
    digests = list(
        {
            row.subject
            for row, blob in zip(rows, sealed, strict=True)
            if row.subject and cipher.is_personal(blob)
        }
    )
    people: dict[int, bytes] = {}
    if digests:
        with resources.database.read() as connection:
            wrapped = subjects.known(connection, resources.database.dialect, actor.tenant, digests)
        people = dict(open_person_keys(keys, actor.tenant, wrapped).values())
    fields, stored = [row.field for row in rows], [row.token for row in rows]
    values = cipher.open_column(
        actor.tenant, slot, fields, stored, sealed, lambda key_id: keys.version(Purpose.SEAL, key_id), people
    )
    decoys = [at for at, value in enumerate(values) if not value[:2].isascii() and is_turned(value)]
    for at in decoys:
        values[at] = turned(values[at])
    return Opened(values, decoys)


def description(actor: Actor, row: Stored) -> Description:
    """Return what may be said of a token."""
    return Description(
        token=public(actor, [row])[0],
        field=row.field,
        kind=KIND_NAMES[row.kind],
        deterministic=bool(row.deterministic),
        scope=row.scope,
        source=row.source,
        subject=row.subject is not None,
        metadata=row.metadata is not None,
        created_at=row.created_at / 1e6,
        expires_at=None if row.expires_at is None else row.expires_at / 1e6,
        key="" if row.seal_key is None else f"{row.seal_key:016x}",
        tags=tuple((row.tags or "").split()),
    )


def public(actor: Actor, rows: Sequence[Stored]) -> list[str]:
    """Return the public forms of tokens."""
    return tokens.texts(actor.mode, [row.bucket for row in rows], [row.token for row in rows])


def record(resources: Resources, actor: Actor, row: journal.Row) -> None:
    """Make an audit record durable: nothing is answered before."""

    def work(transaction: Transaction) -> None:
        transaction.append("audit_record", [row])

    resources.database.write(work, deadline=actor.deadline, reads=False)
