"""What becomes of old records: whole ranges go into archive files and then out of the database; checkpoints thin out.

Tiles stay, so what is there is still proved. A range is dropped only after its file was read back.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault.audit import archive, checkpoints, journal, merkle
from vault.audit.answering import hashes, newest_checkpoint, verifiers
from vault.audit.faults import FileDamaged
from vault.audit.forms import Form, Header
from vault.audit.readable import time_text
from vault.audit.signing import signer
from vault.columns import Actor
from vault.store import auditgrowth, auditlog, auditruns
from vault.store.auditlog import BLOCK, Log
from vault.store.database import Database
from vault.store.writer import Transaction

NAME = "maintenance"  # whom the record of a range that is put away names
RANGE = BLOCK  # positions in a file
PART = 1_000  # leaves read at once
DELETED = 5_000  # leaves deleted in one commit
THINNED = 2_000  # checkpoints looked at in one commit
DAY, HOUR = 86_400_000_000, 3_600_000_000  # microseconds


def due(database: Database, log: Log, before: int) -> bool:
    """Whether the log's first range is whole and all of it was written before `before` (microseconds)."""
    last = log.dropped + RANGE - 1
    if last >= log.size:
        return False
    with database.read() as connection:
        at = auditlog.time_of(connection, log.tenant, log.log, last)
    return at is not None and at < before


def put_away(database: Database, log: Log, keys: TenantKeys, folder: Path) -> Log:
    """Write the log's first range into a file of the folder, and drop it; return the log as it is then.

    The log itself has a record of that from the same commit on, which names the range and the SHA-256 of the file.
    Raises OSError if the file cannot be written, FileDamaged if it does not hold what it should; nothing is dropped.
    """
    end = log.dropped + RANGE
    name = checkpoints.log_name(log.tenant, log.log).replace("/", "-")
    path = folder / f"{name}-{log.dropped:012d}-{end:012d}.ndjson"
    _write(path, file_of(database, log, keys, archive.NDJSON, log.dropped, end, "archive"))
    digest = _read_back(database, log, path, end)
    target = f"{checkpoints.log_name(log.tenant, log.log)} {log.dropped} {end} {digest}"
    actor = Actor(log.tenant, "live", NAME, NAME)
    row = journal.row(keys, actor, database.now(), "archive_audit", target=target, count=RANGE)
    return drop(database, log, end, row)


def file_of(
    database: Database, log: Log, keys: TenantKeys, form: Form, first: int, end: int, why: str
) -> Iterator[bytes]:
    """Return the bytes of a file with the records from `first` to before `end`, in bounded memory."""
    name = checkpoints.log_name(log.tenant, log.log)
    header = Header(name, first, end, time_text(database.now()), why)
    hand, newest = signer(keys.primary(Purpose.AUDIT), log.tenant, log.log), newest_checkpoint(database, log)
    batches = _batches(database, log, first, end)
    return archive.write(form, header, batches, "" if newest is None else newest.note, hand)


def drop(database: Database, log: Log, end: int, row: journal.Row) -> Log:
    """Take the records before `end` out of the database, with the runs of the trail that are of these alone.

    Args:
        row: of the inbox, which says so.
    """
    with database.read() as connection:
        gone = [run for run in auditruns.runs(connection, log) if run.until <= end]
    dropped = log._replace(dropped=end)

    def work(transaction: Transaction) -> None:
        auditgrowth.drop(transaction, log, end)
        for run in gone:
            auditruns.remove(transaction, log, run)
        transaction.append("audit_record", [row])

    database.write(work)
    sweep(database, dropped)
    return dropped


def sweep(database: Database, log: Log) -> None:
    """Delete the leaves of the last range dropped that are still there: in small commits, for others wait."""
    for start in range(max(0, log.dropped - RANGE), log.dropped, DELETED):
        stop = min(start + DELETED, log.dropped)
        with database.read() as connection:
            left = auditlog.time_of(connection, log.tenant, log.log, stop - 1)
        if left is not None:
            database.write(partial(auditgrowth.delete_leaves, log=log, start=start, stop=stop))


def thin(database: Database, log: Log, after: int, now: int) -> int:
    """Leave one checkpoint an hour of those behind the size `after` that are older than a day; return how far it came.

    The last one of an hour stays, and the log's newest in any case.
    """
    with database.read() as connection:
        found = auditlog.checkpoints(connection, log.tenant, log.log, after, log.size, THINNED)
    old = [one for one in found if one.at < now - DAY]
    spare = [one.size for one, then in pairwise(old) if one.at // HOUR == then.at // HOUR]
    if spare:
        database.write(partial(auditgrowth.delete_checkpoints, log=log, sizes=spare))
    return old[-1].size - 1 if old else after


def _batches(database: Database, log: Log, first: int, end: int) -> Iterator[list[archive.Entry]]:
    for start in range(first, end, PART):
        with database.read() as connection:
            rows = auditlog.leaves(connection, log.tenant, log.log, start, min(PART, end - start))
        if len(rows) != min(PART, end - start):
            raise FileDamaged("records are not there that should be; the file is not whole")
        yield [(row.position, row.leaf) for row in rows]


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    """Write a file under another name, and give it its own once it is on the disk."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_back(database: Database, log: Log, path: Path, end: int) -> str:
    """Return the file's SHA-256, in hex, if it holds every record of the range as the tree's tiles have it."""
    at = log.dropped
    with path.open("rb") as file:
        for batch in archive.Reader(file, verifiers(database, log)):
            places, held = range(at, at + len(batch)), merkle.leaf_hashes(leaf for _, leaf in batch)
            if [place for place, _ in batch] != [*places] or held != hashes(database, log, at, len(batch)):
                raise FileDamaged("the archive does not hold what the tree has")
            at += len(batch)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if at != end:
        raise FileDamaged("the archive does not hold the whole range")
    return digest
