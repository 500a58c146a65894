"""What auditors ask: how a tenant's log is, which records it has, and proof that they are what they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import index, tokens
from vault.audit import (
    answering,
    answers,
    archive,
    archiving,
    journal,
    leaf,
    opening,
    reopening,
    searching,
    trail,
)
from vault.audit.answers import (
    Consistency,
    Event,
    Events,
    FoundRecord,
    Inclusion,
    Leaves,
    LogKey,
    Query,
    Records,
    Status,
)
from vault.audit.forms import Form
from vault.audit.leaf import Record
from vault.audit.searching import Wanted
from vault.audit.signing import signer
from vault.columns import Actor
from vault.errors import InvalidRequest, StoreConflict, UnknownRecord
from vault.keyed import keyed
from vault.permitting import permit
from vault.resources import Resources
from vault.store import apikeys, auditgrowth, auditlog
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.writer import Overtaken, Transaction

T = TypeVar("T")

FORMS: Mapping[str, Form] = {"ndjson": archive.NDJSON, "csv": archive.CSV}
ATTEMPTS = 8  # to end a log that grows meanwhile
AUDIT = "audit"  # the operation of API keys and policies
MAX_LEAVES, MAX_RECORDS, MAX_CHECKPOINTS = 5_000, 1_000, 1_000  # in one answer


class Auditing:
    """The audit of the caller's own tenant. Each answer is itself on record before it is given.

    Every call raises PolicyDenied where the tenant's policy does not let the caller read the audit.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def status(self, actor: Actor, log: int | None = None) -> Status:
        """Return how a log is, the newest one by default; UnknownLog if there is none of that number."""
        permit(self._resources, actor, AUDIT)
        told = self._seen(lambda: answering.status(self._resources.database, actor.tenant, log))
        told = replace(told, keys=tuple(self._believed(actor.tenant, told.log, told.keys)))
        return self._recorded(actor, f"status {told.log}", told)

    def _believed(self, tenant: int, log: int, told: Sequence[LogKey]) -> Iterator[LogKey]:
        """Yield the log's keys as the keyset's versions make them, whatever the database's table of signers says.

        Only of a version that does not open any more the table is believed.
        """
        keys, kept = self._resources.keyring.keys(tenant), Keysets(self._resources.database).load(tenant)[1]
        listed = {version.id for version in kept[Purpose.AUDIT].versions}
        opens = {key.id: signer(key, tenant, log).vkey for key in keys.by_age(Purpose.AUDIT)}
        for one in told:
            number = int(one.key, 16)
            if number in listed:
                yield replace(one, vkey=opens.get(number, one.vkey)) if one.vkey else one

    def checkpoint(self, actor: Actor, log: int | None = None, size: int | None = None) -> str:
        """Return the signed checkpoint of a size, of all that is in the log by default (C2SP tlog-checkpoint).

        Raises UnknownLog, and UnknownRecord if no checkpoint of that size is kept.
        """
        permit(self._resources, actor, AUDIT)
        database = self._resources.database

        def read() -> tuple[auditlog.Log, auditlog.Checkpoint | None]:
            found = answering.log_of(database, actor.tenant, log)
            with database.read() as connection:
                wanted = found.size if size is None else size
                return found, auditlog.checkpoint(connection, actor.tenant, found.log, wanted)

        found, kept = self._seen(read)
        if kept is None:
            raise UnknownRecord("no checkpoint of that size is kept")
        return self._recorded(actor, f"checkpoint {found.log} {kept.size}", kept.note)

    def checkpoints(
        self, actor: Actor, log: int | None = None, after: int = 0, limit: int = 100
    ) -> list[str]:
        """Return up to `limit` (1 to 1,000) signed checkpoints of more than `after` leaves, the smallest first.

        One of more leaves than the log has is among them if it is there: it shows that the log's end is gone.
        """
        permit(self._resources, actor, AUDIT)
        _check(limit, MAX_CHECKPOINTS, after)
        database = self._resources.database

        def read() -> tuple[int, list[auditlog.Checkpoint]]:
            found = answering.log_of(database, actor.tenant, log)
            with database.read() as connection:
                until = found.size + auditlog.BLOCK
                rows = auditlog.checkpoints(connection, actor.tenant, found.log, after, until, limit)
            return found.log, rows

        number, rows = self._seen(read)
        return self._recorded(actor, f"checkpoints {number} {after}", [row.note for row in rows])

    def leaves(self, actor: Actor, log: int | None = None, first: int = 0, limit: int = 1_000) -> Leaves:
        """Return up to `limit` (1 to 5,000) leaves from position `first` on, and their hashes from the tiles.

        Raises UnknownLog, and UnknownRecord if `first` was archived.
        """
        permit(self._resources, actor, AUDIT)
        _check(limit, MAX_LEAVES, first)
        database = self._resources.database

        def read() -> Leaves:
            found = answering.log_of(database, actor.tenant, log)
            if first < found.dropped:
                raise UnknownRecord("records of these positions were archived")
            count = max(0, min(limit, found.size - first))
            with database.read() as connection:
                rows = auditlog.leaves(connection, actor.tenant, found.log, first, count)
            hashes = answering.hashes(database, found, first, count)
            there = {row.position: row.leaf for row in rows}
            return Leaves(found.log, first, tuple(map(there.get, range(first, first + count))), tuple(hashes))

        told = self._seen(read)
        return self._recorded(actor, f"leaves {told.log} {first}", told)

    def tiles(self, actor: Actor, log: int | None, level: int, number: int) -> bytes:
        """Return the hashes of one tile (C2SP tlog-tiles), 32 bytes each; UnknownRecord if there is none."""
        permit(self._resources, actor, AUDIT)
        if not (0 <= level < 8 and 0 <= number < 2**55):
            raise InvalidRequest("a tile has a level of 0 to 7 and a number", "/level")
        database = self._resources.database

        def read() -> tuple[int, bytes | None]:
            found, place = answering.log_of(database, actor.tenant, log), (level, number)
            with database.read() as connection:
                tiles = auditlog.tiles(connection, database.dialect, actor.tenant, found.log, [place])
            return found.log, tiles.get(place)

        name, hashes = self._seen(read)
        if hashes is None:
            raise UnknownRecord("the log has no such tile")
        return self._recorded(actor, f"tile {name} {level} {number}", hashes)

    def records(self, actor: Actor, query: Query, cursor: str | None = None, limit: int = 100) -> Records:
        """Return up to `limit` (1 to 1,000) sealed records that fit, newest first.

        Raises InvalidRequest, and MalformedToken or WrongMode for a token that is none of this tenant's mode.
        """
        permit(self._resources, actor, AUDIT)
        _check(limit, MAX_RECORDS)
        keys = self._resources.keyring.keys(actor.tenant)
        stored = None if query.token is None else tokens.parse(actor.mode, query.token, query.field)[1]
        person = None if query.person is None else self._person(keys, actor, query.person)
        found, more, reach = self._search(actor, _wanted(keys, actor, query, stored, person), cursor, limit)
        return self._recorded(
            actor,
            "records",
            Records(tuple(found), more, reach),
            stored=stored,
            person=person,
            count=len(found),
        )

    def person(
        self, actor: Actor, subject: str, cursor: str | None = None, limit: int = 100,
        since: float | None = None, until: float | None = None,
    ) -> Events:  # fmt: skip
        """Return what happened to a person's data, newest first, up to `limit` (1 to 1,000).

        Args:
            subject: the caller's own id of the person; somebody of whom nothing is known has no events.
            since, until: seconds since 1970, both included.
        """
        permit(self._resources, actor, AUDIT)
        _check(limit, MAX_RECORDS)
        keys = self._resources.keyring.keys(actor.tenant)
        person, query = self._person(keys, actor, subject), Query(since=since, until=until)
        wanted = _wanted(keys, actor, query, None, person)
        found, more, reach = self._search(actor, wanted, cursor, limit)
        told = Events(tuple(_event(one, person) for one in found), more, reach)
        return self._recorded(actor, "person", told, person=person, count=len(found))

    def prove(
        self, actor: Actor, record: str | int, size: int | None = None, log: int | None = None
    ) -> Inclusion:
        """Prove that a record is in a log (RFC 6962, section 2.1.1).

        Args:
            record: its id, 32 hex digits; or its position in `log`, the newest one by default.
            size: of the tree that it is proved to be in; by default all that is sealed.
        Raises:
            NotSealed: it is in no tree yet; it will be in a few seconds.
            UnknownRecord, UnknownLog: there is none, or it was archived.
        """
        permit(self._resources, actor, AUDIT)
        database = self._resources.database

        def read() -> Inclusion:
            found, one = answering.locate(database, actor.tenant, record, log)
            return answering.inclusion(database, found, one, size)

        told = self._seen(read)
        return self._recorded(actor, f"proof {told.log} {told.position}", told)

    def consistency(self, actor: Actor, log: int | None, from_size: int, to_size: int) -> Consistency:
        """Prove that a log of `to_size` leaves begins with that of `from_size` (RFC 6962, section 2.1.2)."""
        permit(self._resources, actor, AUDIT)
        database = self._resources.database

        def read() -> Consistency:
            found = answering.log_of(database, actor.tenant, log)
            return answering.consistency(database, found, from_size, to_size)

        told = self._seen(read)
        return self._recorded(actor, f"consistency {told.log} {from_size} {to_size}", told)

    def export(
        self,
        actor: Actor,
        form: str = "ndjson",
        log: int | None = None,
        first: int = 0,
        end: int | None = None,
    ) -> Iterator[bytes]:
        """Return the bytes of a signed file with the records from position `first` to before `end`, piece by piece.

        Args:
            form: "ndjson" or "csv".
            first: at least the first position that was not archived.
            end: by default all that is sealed.
        Raises:
            InvalidRequest: no such form, or no such range.
            UnknownLog, UnknownRecord: there is none, or it was archived.
        """
        permit(self._resources, actor, AUDIT)
        if form not in FORMS:
            raise InvalidRequest("format must be ndjson or csv", "/format")
        database, keys = self._resources.database, self._resources.keyring.keys(actor.tenant)
        found = answering.log_of(database, actor.tenant, log)
        until = found.size if end is None else end
        if not 0 <= first <= until <= found.size:
            raise InvalidRequest("the range must be of sealed positions, the smaller one first", "/first")
        if first < found.dropped:
            raise UnknownRecord("records of these positions were archived")
        pieces = archiving.file_of(database, found, keys, FORMS[form], first, until, "export")
        return self._recorded(actor, f"export {found.log} {first} {until}", pieces, count=until - first)

    def between(
        self, actor: Actor, since: float | None, until: float | None, log: int | None = None
    ) -> tuple[int, int]:
        """Return the positions that hold all records of a time and some around it, for `export`; seconds since 1970."""
        database, low, high = self._resources.database, _micros(since), _micros(until)

        def read() -> tuple[int, int]:
            found = answering.log_of(database, actor.tenant, log)
            with database.read() as connection:
                first = auditlog.position_at(connection, found, 0 if low is None else low - searching.SLACK)
                if high is None:
                    return first, found.size
                return first, auditlog.position_at(connection, found, high + searching.SLACK)

        return self._seen(read)

    def reopen(self, actor: Actor, checkpoint: str) -> Status:
        """End the log of a restored database, and open the next, which names what is lost.

        Args:
            checkpoint: the last one that is kept outside, of a log that the database had more of, or had not yet.
        Raises:
            InvalidCheckpoint: no key of the tenant's logs signed it.
            LogNotBehind: nothing of it is lost.
        """
        permit(self._resources, actor, AUDIT)
        for attempt in range(ATTEMPTS):
            try:
                self._reopen(actor, checkpoint)
                break
            except Overtaken:  # the log grew meanwhile
                if attempt + 1 == ATTEMPTS:
                    raise StoreConflict("the log kept growing; try again") from None
        return self.status(actor)

    def key_names(self, actor: Actor) -> Mapping[str, str]:
        """Return what people call the tenant's API keys, ended ones too, by the ids that records name."""
        with self._resources.database.read() as connection:
            return {one.id: one.name for one in apikeys.of_tenant(connection, actor.tenant)}

    def _reopen(self, actor: Actor, checkpoint: str) -> None:
        database, keys = self._resources.database, self._resources.keyring.keys(actor.tenant)
        with database.read() as connection:
            newest = auditlog.current(connection, actor.tenant)
            signers = [one for _, one in auditlog.signers(connection, actor.tenant)]
        number, found = reopening.read(actor.tenant, checkpoint, signers, keys)
        read = partial(_tiles, database, actor.tenant, number)
        new = reopening.following(actor.tenant, newest, number, found, checkpoint, database.now(), read)

        def work(transaction: Transaction) -> None:
            auditgrowth.follow(transaction, newest, new)
            row = journal.row(keys, actor, transaction.now, "reopen_log", target=opening.lost(new), count=1)
            transaction.append("audit_record", [row])

        database.write(work, deadline=actor.deadline)

    def _seen(self, read: Callable[[], T]) -> T:
        """Return what is read, in one state of the database."""
        with self._resources.database.snapshot():
            return read()

    def _search(
        self, actor: Actor, wanted: Wanted, cursor: str | None, limit: int
    ) -> tuple[Sequence[FoundRecord], str | None, answers.Reach]:
        database = self._resources.database

        def read() -> tuple[Sequence[FoundRecord], str | None, answers.Reach]:
            with database.read() as connection:
                logs = auditlog.logs(connection, actor.tenant)
            found, more = searching.search(database, logs, wanted, cursor, limit)
            return found, more, answering.reach(database, actor.tenant)

        return self._seen(read)

    def _person(self, keys: TenantKeys, actor: Actor, subject: str) -> bytes:
        return index.subject_digests(keys.primary(Purpose.ROUTE), actor.tenant, [subject])[0]

    def _recorded(
        self, actor: Actor, target: str, told: T, *,
        stored: bytes | None = None, person: bytes | None = None, count: int = 1,
    ) -> T:  # fmt: skip
        """Make the record of the reading durable, and return what was read."""
        row = journal.row(
            self._resources.keyring.keys(actor.tenant), actor, self._resources.database.now(), "audit_read",
            target=target, count=count, tokens=[] if stored is None else [stored],
            persons=[] if person is None or stored is not None else [person],
        )  # fmt: skip

        def work(transaction: Transaction) -> None:
            transaction.append("audit_record", [row])

        self._resources.database.write(work, deadline=actor.deadline, reads=False)
        return told


def _tiles(
    database: Database, tenant: int, log: int, wanted: Sequence[tuple[int, int]]
) -> Mapping[tuple[int, int], bytes]:
    with database.read() as connection:
        return auditlog.tiles(connection, database.dialect, tenant, log, wanted)


def _wanted(
    keys: TenantKeys, actor: Actor, query: Query, stored: bytes | None, person: bytes | None
) -> Wanted:
    """Return the question in digests: those that the fewest records are found by."""
    tests: list[Callable[[Record], bool]] = []
    digests: Sequence[bytes] | None = None
    if query.caller is not None:
        digests = [trail.caller_digest(query.caller.encode())]
        tests.append(lambda record: record.actor == query.caller)
    if person is not None:
        digests = [person]
        tests.append(lambda record: searching.has(record.persons, person))
    if stored is not None:
        use, versions = journal.token_use(actor.tenant), keys.by_age(Purpose.AUDIT)
        mine = {key.id: keyed(key, use, [stored])[0] for key in versions}
        digests = list(mine.values())
        tests.append(searching.names_token(mine))
    if query.operation is not None:
        tests.append(lambda record: record.operation == query.operation)
    if query.result is not None:
        tests.append(lambda record: record.result == query.result)
    if query.field is not None and query.token is None:
        tests.append(lambda record: query.field in record.field.split())
    return Wanted(
        digests,
        lambda record: all(test(record) for test in tests),
        _micros(query.since),
        _micros(query.until),
        few=person is not None or stored is not None,
    )


def _event(found: FoundRecord, person: bytes) -> Event:
    record = found.record
    items, names = leaf.of_person(record, person), record.field.split()
    touched = [names[record.which[at]] for at in items] if record.which else names
    return Event(
        found.log, found.position, record.id.hex(), record.at / 1e6, record.actor, record.operation,
        tuple(dict.fromkeys(touched)), len(items), record.purpose, record.view, record.result, record.reference,
        record.origin,
    )  # fmt: skip


def _check(limit: int, most: int, first: int = 0) -> None:
    if not 1 <= limit <= most:
        raise InvalidRequest(f"limit must be 1 to {most:,}", "/limit")
    if not 0 <= first < 2**63:
        raise InvalidRequest("a position is not negative", "/after")


def _micros(seconds: float | None) -> int | None:
    if seconds is not None and not 0 <= seconds < 2**43:
        raise InvalidRequest("a time is in seconds since 1970", "/since")
    return None if seconds is None else round(seconds * 1e6)
