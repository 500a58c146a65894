"""A log of the database as evidence: its records, tiles, checkpoints and keys, for an examination in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault.audit import answering, checkpoints, leaf, merkle, notes, opening, tiles
from vault.audit.evidence import Batch, Evidence, Loss
from vault.audit.faults import AuditFault
from vault.audit.findings import Report
from vault.audit.notes import Verifier
from vault.audit.reading import Rows, batches
from vault.audit.signing import signer
from vault.audit.verifying import verify
from vault.store import auditlog
from vault.store.auditlog import Log
from vault.store.database import Database

PART = 5_000  # leaves read at once
NOTES = 10_000  # checkpoints read at once


def examined(
    database: Database, log: Log, later: Log | None, keys: TenantKeys, outside: Sequence[str]
) -> Report:
    """Return what is wrong with a log of the database.

    Args:
        later: the tenant's next log, which may say that a restore lost some of this one.
        keys: the tenant's open keys: of an audit version that opens, the database's word for its public half counts
            for nothing.
        outside: checkpoints of this log that were kept elsewhere.
    Raises TileDamaged if the tiles of its archived records are not there.
    """
    inside = [note for page in _notes(database, log) for note in page]
    frontier = tiles.nodes(log.dropped, _reader(database, log))(merkle.complete(0, log.dropped))
    evidence = Evidence(
        checkpoints.log_name(log.tenant, log.log), log.tenant, _keys(database, log, keys), inside, outside,
        dropped=log.dropped, frontier=frontier, loss=_loss(database, log, later),
    )  # fmt: skip
    return verify(evidence, _batches(database, log))


def _keys(database: Database, log: Log, keys: TenantKeys) -> list[Verifier]:
    """Return the keys that may have signed: derived where the version opens, as the database has them where not."""
    opens = {key.id: signer(key, log.tenant, log.log).vkey for key in keys.by_age(Purpose.AUDIT)}
    with database.read() as connection:
        known = auditlog.signers(connection, log.tenant, log.log)
    kept = {one.key: answering.vkey(log, one) for _, one in known if one.public}
    return [Verifier(vkey) for vkey in {**kept, **opens}.values()]


def _loss(database: Database, log: Log, later: Log | None) -> Loss | None:
    if later is None or later.previous is None or later.lost_from is None or later.lost_to is None:
        return None
    if checkpoints.read(notes.parse(later.previous).text).origin != checkpoints.log_name(log.tenant, log.log):
        return None
    with database.read() as connection:
        first = auditlog.leaves(connection, later.tenant, later.log, 0, 1)
    return Loss(
        later.previous, later.lost_from, later.lost_to + 1, bool(first) and _says(first[0].leaf, later)
    )


def _says(written: bytes, later: Log) -> bool:
    try:
        record = leaf.decode(written)
    except AuditFault:
        return False
    return (record.operation, record.target) == (opening.OPENED, opening.lost(later))


def _notes(database: Database, log: Log) -> Iterator[list[str]]:
    after = 0
    while True:
        with database.read() as connection:
            until = log.size + auditlog.BLOCK
            found = auditlog.checkpoints(connection, log.tenant, log.log, after, until, NOTES)
        yield [one.note for one in found]
        if len(found) < NOTES:
            return
        after = found[-1].size


def _batches(database: Database, log: Log) -> Iterator[Batch]:
    read = _reader(database, log)

    def level_0(numbers: range) -> Mapping[int, bytes]:
        return {number: packed for (_, number), packed in read([(0, number) for number in numbers]).items()}

    return batches(_pages(database, log), level_0, log.dropped, log.size)


def _pages(database: Database, log: Log) -> Iterator[Rows]:
    at = log.dropped
    while True:
        with database.read() as connection:
            rows = auditlog.leaves(connection, log.tenant, log.log, at, PART)
        yield [(row.position, row.leaf) for row in rows]
        at += PART
        if len(rows) < PART and at >= log.size:
            return


def _reader(database: Database, log: Log) -> tiles.Read:
    def read(wanted: Sequence[tiles.Place]) -> Mapping[tiles.Place, bytes]:
        with database.read() as connection:
            return auditlog.tiles(connection, database.dialect, log.tenant, log.log, wanted)

    return read
