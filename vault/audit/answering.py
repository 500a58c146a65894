"""A tenant's logs as they are read: one of them by its number, how far it reaches, its checkpoints and proofs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vault.audit import checkpoints, merkle, notes, tiles
from vault.audit.answers import Consistency, Former, Inclusion, LogKey, Reach, SinkState, Status
from vault.audit.faults import TileDamaged
from vault.audit.searching import of_id
from vault.errors import AuditDamaged, InvalidRequest, NotSealed, UnknownLog, UnknownRecord
from vault.store import audithealth, auditlog
from vault.store.auditlog import Checkpoint, Leaf, Log, Signer
from vault.store.database import Database

MOST_PENDING = 10_000


def log_of(database: Database, tenant: int, number: int | None) -> Log:
    """Return a tenant's log, its newest for None; UnknownLog if there is none."""
    with database.read() as connection:
        found = [log for log in auditlog.logs(connection, tenant) if number in {None, log.log}]
    if not found:
        raise UnknownLog("the tenant has no audit log of that number")
    return found[-1]


def reach(database: Database, tenant: int) -> Reach:
    """Return how far the tenant's newest tree reaches, and what waits."""
    with database.read() as connection:
        log = auditlog.current(connection, tenant)
        pending = auditlog.pending(connection, tenant, MOST_PENDING)
    if log is None:
        return Reach(0, 0, None, pending, 0)
    newest = newest_checkpoint(database, log)
    return Reach(log.log, log.size, None if newest is None else newest.at / 1e6, pending, log.dropped)


def newest_checkpoint(database: Database, log: Log) -> Checkpoint | None:
    """Return the checkpoint of all that is in a log; None if nothing is."""
    with database.read() as connection:
        return auditlog.checkpoint(connection, log.tenant, log.log, log.size)


def verifiers(database: Database, log: Log) -> list[notes.Verifier]:
    """Return the keys that may have signed a log's checkpoints."""
    with database.read() as connection:
        found = auditlog.signers(connection, log.tenant, log.log)
    return [notes.Verifier(vkey(log, one)) for _, one in found if one.public]


def vkey(log: Log, signer: Signer) -> str:
    """Return what a signer's signatures in a log are verified with; empty if it signs nothing there."""
    return notes.vkey(checkpoints.log_name(log.tenant, log.log), signer.public) if signer.public else ""


def status(database: Database, tenant: int, number: int | None) -> Status:
    """Return how a log is; see `Auditing.status`."""
    try:
        log = log_of(database, tenant, number)
    except UnknownLog:
        if number is not None:
            raise
        log = Log(tenant, 0, 0, None, 0, 0, None, None, None)
    newest, told = newest_checkpoint(database, log), reach(database, tenant)
    root = merkle.EMPTY_ROOT if newest is None else checkpoints.read(notes.parse(newest.note).text).root
    with database.read() as connection:
        signers = auditlog.signers(connection, tenant, log.log)
        delivered = audithealth.delivered(connection, tenant, log.log)
        states = audithealth.states(connection)
        oldest = auditlog.time_of(connection, tenant, log.log, log.dropped)
    health = {one.name: _state(one, delivered) for one in states}
    former = None if log.previous is None else Former(log.previous, log.lost_from or 0, log.lost_to or 0)
    return Status(
        log.log, checkpoints.log_name(tenant, log.log) if log.log else "", log.size, root.hex(),
        _seconds(log.opened_at), _seconds(log.closed_at), _seconds(newest and newest.at), told.pending,
        log.dropped, _seconds(oldest),
        tuple(LogKey(vkey(log, one), f"{one.key:016x}", one.first, one.last) for _, one in signers), former,
        tuple(one for name, one in health.items() if name not in {audithealth.SEALER, audithealth.OUTSIDE}),
        health.get(audithealth.SEALER),
    )  # fmt: skip


def locate(database: Database, tenant: int, record: str | int, number: int | None) -> tuple[Log, Leaf]:
    """Return a record by its id (32 hex digits) in any log, or by its position in one.

    Raises NotSealed while it is in no tree, UnknownRecord if there is none or it was archived.
    """
    if isinstance(record, int):
        log = log_of(database, tenant, number)
        with database.read() as connection:
            found = auditlog.leaves(connection, tenant, log.log, record, 1) if record >= 0 else []
        if not found or record >= log.size:
            raise UnknownRecord("the log has no record at that position, or it was archived")
        return log, found[0]
    try:
        wanted = bytes.fromhex(record)
    except ValueError:
        wanted = b""
    if len(wanted) != 16:
        raise InvalidRequest("a record's id has 32 hexadecimal digits", "/record")
    with database.read() as connection:
        logs = auditlog.logs(connection, tenant)
    if (place := of_id(database, logs, wanted)) is not None:
        return place
    with database.read() as connection:
        waits = auditlog.in_inbox(connection, database.dialect, tenant, wanted)
    if waits:
        raise NotSealed("the record is not in the tree yet")
    raise UnknownRecord("there is no record of that id, or it was archived")


def inclusion(database: Database, log: Log, leaf: Leaf, size: int | None) -> Inclusion:
    """Prove that a leaf is in the tree of `size` leaves, all of them for None; see `Auditing.prove`."""
    size = log.size if size is None else size
    if not leaf.position < size <= log.size:
        raise InvalidRequest("size must be more than the record's position, and at most the log's", "/size")
    proof = _proved(
        lambda: merkle.inclusion_proof(leaf.position, size, tiles.nodes(size, _read(database, log)))
    )
    with database.read() as connection:
        kept = auditlog.checkpoint(connection, log.tenant, log.log, size)
    name = checkpoints.log_name(log.tenant, log.log)
    note = "" if kept is None else kept.note
    key = _signed_by(note, verifiers(database, log))
    return Inclusion(log.log, name, leaf.position, size, leaf.leaf, tuple(proof), note, key)


def consistency(database: Database, log: Log, first: int, second: int) -> Consistency:
    """Prove that the tree of `second` leaves begins with that of `first`; see `Auditing.consistency`."""
    if not 0 <= first <= second <= log.size:
        raise InvalidRequest("sizes must be at most the log's, the smaller one first", "/from_size")
    proof = _proved(
        lambda: merkle.consistency_proof(first, second, tiles.nodes(second, _read(database, log)))
    )
    return Consistency(log.log, checkpoints.log_name(log.tenant, log.log), first, second, tuple(proof))


def hashes(database: Database, log: Log, first: int, count: int) -> list[bytes]:
    """Return leaf hashes as the tiles have them; fewer where a tile is missing or too short."""
    width, size = tiles.WIDTH, merkle.HASH_BYTES
    numbers = range(first // width, (first + count - 1) // width + 1) if count else range(0)
    found = _read(database, log)([(0, number) for number in numbers])
    packed = b"".join(found.get((0, number), b"").ljust(width * size, b"\0") for number in numbers)
    start = first % width * size
    return [packed[at : at + size] for at in range(start, start + count * size, size)]


def _proved(prove: Callable[[], Sequence[bytes]]) -> Sequence[bytes]:
    try:
        return prove()
    except TileDamaged:
        raise AuditDamaged("the log's tiles are not those of a tree of its size") from None


def _signed_by(note: str, keys: Sequence[notes.Verifier]) -> str:
    """Return which of the keys a note names as its signer; "" for none. Whether it did is for others to verify."""
    named = {(one.name, one.key) for one in notes.parse(note).signatures} if note else set()
    return next((key.vkey for key in keys if (key.name, key.key) in named), "")


def _read(database: Database, log: Log) -> tiles.Read:
    def read(wanted: Sequence[tiles.Place]) -> Mapping[tiles.Place, bytes]:
        with database.read() as connection:
            return auditlog.tiles(connection, database.dialect, log.tenant, log.log, wanted)

    return read


def _state(one: audithealth.Health, delivered: Mapping[str, int]) -> SinkState:
    return SinkState(one.name, one.state, one.since / 1e6, one.seen_at / 1e6, delivered.get(one.name))


def _seconds(micros: int | None) -> float | None:
    return micros / 1e6 if micros else None
