"""Restored audit logs: held against their tree and checkpoints, their trail made anew, and another log begun.

A restored database never goes on with a log that it had: the service that it was copied from may have sealed more of
it, and two would sign different records at the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from vault.audit import checkpoints, leaf, merkle, notes, opening, reading, tiles, trail
from vault.audit.checkpoints import Checkpoint
from vault.audit.evidence import Batch, Evidence, Loss
from vault.audit.faults import AuditFault
from vault.audit.findings import Finding, Report
from vault.audit.notes import Verifier
from vault.audit.verifying import verify
from vault.store import auditlog
from vault.store.auditgrowth import add_run
from vault.store.auditlog import Log
from vault.store.auditruns import Run
from vault.store.loading import Loader

PAGE = 2_000  # leaves read at a time
RUN = 65_536  # leaves of a run of the trail at most
RUN_BYTES = 16 * 1_024 * 1_024  # and bytes of their digests
TIER = 3  # of runs made here: as if smaller ones had been merged, so that what is sealed next is not merged with them
MARKS = 64  # checkpoints beside the last that each log is held against

Progress = Callable[[int], None]


def examine(
    loader: Loader, log: Log, later: Log | None, outside: Sequence[str], progress: Progress
) -> Report:
    """Return what is wrong with a restored log, and enter its trail, in one pass over its records.

    Args:
        later: the log after it, which says what a restore before this one lost.
        outside: checkpoints of it that are kept elsewhere.
        progress: hears how many records were read.
    """
    connection, origin = loader.connection, checkpoints.log_name(log.tenant, log.log)
    read = partial(auditlog.tiles, connection, loader.dialect, log.tenant, log.log)
    try:
        frontier = tiles.nodes(log.dropped, read)(merkle.complete(0, log.dropped)) if log.dropped else []
    except AuditFault as fault:
        return Report(origin, 0, b"", None, (Finding(fault.code, 0, log.dropped, str(fault)),))
    evidence = Evidence(
        origin, log.tenant, verifiers(loader, log), _inside(loader, log), outside, (), log.dropped, frontier,
        _loss(loader, later),
    )  # fmt: skip

    def level0(numbers: range) -> Mapping[int, bytes]:
        return {number: hashes for (_, number), hashes in read([(0, number) for number in numbers]).items()}

    batches = reading.batches(_pages(loader, log), level0, log.dropped, log.size)
    return verify(evidence, _trailed(loader, log, batches, progress))


def verifiers(loader: Loader, log: Log) -> list[Verifier]:
    """Return the keys that may have signed a log's checkpoints."""
    found = auditlog.signers(loader.connection, log.tenant, log.log)
    name = checkpoints.log_name(log.tenant, log.log)
    return [Verifier(notes.vkey(name, one.public)) for _, one in found if one.public]


def newest(known: Sequence[tuple[int, Checkpoint, str]]) -> tuple[int, Checkpoint, str] | None:
    """Return the checkpoint that covers the most of the newest log: its number, what it says, and its note."""
    return max(known, key=lambda one: (one[0], one[1].size), default=None)


def following(tenant: int, held: Sequence[Log], last: tuple[int, Checkpoint, str] | None, now: int) -> Log:
    """Return the log that a restored tenant goes on with.

    Args:
        held: its logs in the database, oldest first.
        last: of the newest checkpoint known.
        now: microseconds since 1970 (UTC).
    """
    number = max([1, *(log.log for log in held)])  # of a tenant that had none, the first may have begun since
    if last is None:
        return Log(tenant, number + 1, now, None, 0, 0, None, None, None)
    at, found, note = last
    size = next((log.size for log in held if log.log == at), 0)
    return Log(tenant, max(number, at) + 1, now, None, 0, 0, note, min(size, found.size), found.size - 1)


def _inside(loader: Loader, log: Log) -> list[str]:
    """Return the log's last checkpoint and some before it, evenly spread: the last alone vouches for all of it."""
    steps = sorted({log.size * part // MARKS for part in range(MARKS)} | {log.size - 1})
    found = dict[int, str]()
    for after in steps:
        for one in auditlog.checkpoints(loader.connection, log.tenant, log.log, after, log.size, 1):
            found[one.size] = one.note
    return list(found.values())


def _loss(loader: Loader, later: Log | None) -> Loss | None:
    if later is None or later.previous is None:
        return None
    try:
        first = auditlog.leaves(loader.connection, later.tenant, later.log, 0, 1)
        record = leaf.decode(first[0].leaf) if first else None
        said = record is not None and (record.operation, record.target) == (
            opening.OPENED,
            opening.lost(later),
        )
    except (AuditFault, ValueError):
        said = False
    return Loss(later.previous, later.lost_from or 0, (later.lost_to or 0) + 1, said)


def _pages(loader: Loader, log: Log) -> Iterator[list[tuple[int, bytes]]]:
    for first in range(log.dropped, log.size, PAGE):
        count = min(PAGE, log.size - first)
        found = auditlog.leaves(loader.connection, log.tenant, log.log, first, count)
        yield [(one.position, one.leaf) for one in found]


def _trailed(loader: Loader, log: Log, batches: Iterable[Batch], progress: Progress) -> Iterator[Batch]:
    """Pass batches on, and enter runs over their records: they follow each other without a gap."""
    first, column, size = log.dropped, list[bytes](), 0
    for batch in batches:
        yield batch
        fresh = [b"" if one is None else trail.marks(one).digests for one in batch.leaves]
        column, size = column + fresh, size + sum(map(len, fresh))
        progress(len(fresh))
        if len(column) >= RUN or size >= RUN_BYTES:
            _enter(loader, log, first, column)
            first, column, size = first + len(column), [], 0
    if column:
        _enter(loader, log, first, column)


def _enter(loader: Loader, log: Log, first: int, column: Sequence[bytes]) -> None:
    """Enter a run over the records from `first` on."""
    pages = [(page.first, page.last, page.entries) for page in trail.pages(trail.make(first, column))]
    run = Run(first, TIER, first + len(column), len(pages))
    loader.database.write(lambda transaction: add_run(transaction, log, run, pages))
