"""Records of a tenant's logs that fit a question, newest first, through the trail or page by page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice

from vault.audit import leaf, trail
from vault.audit.answers import FoundRecord
from vault.audit.leaf import Record
from vault.errors import InvalidRequest
from vault.store import auditlog, auditruns
from vault.store.auditlog import Leaf, Log
from vault.store.database import Database

SLACK = 900_000_000  # microseconds by which the order of times may differ from that of positions: a request takes less
MOST = 20_000  # records looked at for one page
CHUNK = 500  # records read at once
_CURSOR = re.compile("([1-9][0-9]{0,8})-(0|[1-9][0-9]{0,17})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a record must be.

    Attributes:
        digests: it is found by any of these, 16 bytes each; None to look at all.
        fits: whether it is one that is asked for.
        since, until: microseconds since 1970, both included; None for any.
        few: whether the digests occur seldom. Then all places are looked at, whatever the time: that records lie in
            the order of their times is not so where a clock was set back by more than SLACK.
    """

    digests: Sequence[bytes] | None
    fits: Callable[[Record], bool]
    since: int | None = None
    until: int | None = None
    few: bool = False

    def holds(self, record: Record) -> bool:
        """Whether this record is one."""
        late = self.since is None or record.at >= self.since
        return late and (self.until is None or record.at <= self.until) and self.fits(record)


def search(
    database: Database, logs: Sequence[Log], wanted: Wanted, cursor: str | None, limit: int
) -> tuple[list[FoundRecord], str | None]:
    """Return up to `limit` records behind the cursor, and the cursor behind the last one looked at; None at the end.

    Args:
        database: is to be seen in one state meanwhile: runs are merged.
        logs: of the tenant, oldest first.
    Raises:
        InvalidRequest: the cursor is none of ours.
    """
    number, below = _place(cursor)
    found: list[FoundRecord] = []
    left = MOST
    for log in reversed(logs):
        if number is not None and log.log > number:
            continue
        end = min(below, log.size) if log.log == number else log.size
        for one in islice(_leaves(database, log, wanted, end), left):
            left -= 1
            record = _record(one)
            if record is not None and wanted.holds(record):
                found.append(FoundRecord(log.log, one.position, record))
            if len(found) == limit or not left:
                return found, f"{log.log}-{one.position}"
    return found, None


def positions(database: Database, log: Log, digest: bytes, below: int) -> Iterator[int]:
    """Yield the positions before `below` where a digest may occur, the last one first."""
    with database.read() as connection:
        for run in reversed(auditruns.runs(connection, log)):
            if run.run < below:
                for page in auditruns.holding(connection, log, run, *trail.bounds(digest, below)):
                    yield from reversed(trail.find(page, digest, below))


def of_id(database: Database, logs: Sequence[Log], record_id: bytes) -> tuple[Log, Leaf] | None:
    """Return the record of that id, and its log; None if no tree has it, or it was archived."""
    for log in reversed(logs):
        places = list(positions(database, log, record_id[8:], log.size))
        for one in _at(database, log, places):
            if one.id == record_id:
                return log, one
    return None


def has(packed: bytes, digest: bytes) -> bool:
    """Whether a packed column of digests has this one."""
    at = packed.find(digest)
    while at >= 0 and at % len(digest):
        at = packed.find(digest, at + 1)
    return at >= 0


def names_token(digests: Mapping[int, bytes]) -> Callable[[Record], bool]:
    """Return whether a record names a token, whose digests these are, by audit keyset version."""
    return lambda record: record.key in digests and has(record.tokens, digests[record.key])


def _leaves(database: Database, log: Log, wanted: Wanted, below: int) -> Iterator[Leaf]:
    """Yield the leaves before `below` that may be wanted, the last one first."""
    first, end = log.dropped, below
    with database.read() as connection:
        if wanted.since is not None and not wanted.few:
            first = auditlog.position_at(connection, log, wanted.since - SLACK)
        if wanted.until is not None and not wanted.few:
            end = min(end, auditlog.position_at(connection, log, wanted.until + SLACK))
    if wanted.digests is None:
        yield from _backwards(database, log, first, end)
        return
    streams = [positions(database, log, digest, end) for digest in wanted.digests]
    places = _once(merge(*streams, reverse=True), first)
    while chunk := list(islice(places, CHUNK)):
        yield from _at(database, log, chunk)


def _at(database: Database, log: Log, places: Sequence[int]) -> list[Leaf]:
    with database.read() as connection:
        there = auditlog.leaves_at(connection, database.dialect, log.tenant, log.log, places)
    return [there[at] for at in places if at in there]


def _backwards(database: Database, log: Log, first: int, end: int) -> Iterator[Leaf]:
    while end > first:
        start = max(first, end - CHUNK)
        with database.read() as connection:
            found = auditlog.leaves(connection, log.tenant, log.log, start, end - start)
        yield from reversed(found)
        end = start


def _record(one: Leaf) -> Record | None:
    """Return the record; None if what lies there is none, which is for whoever verifies the log to say."""
    try:
        return leaf.decode(one.leaf)
    except ValueError:
        return None


def _once(places: Iterator[int], first: int) -> Iterator[int]:
    """Yield falling positions, each once, until one lies before `first`."""
    last = -1
    for place in places:
        if place < first:
            return
        if place != last:
            yield place
        last = place


def _place(cursor: str | None) -> tuple[int | None, int]:
    if cursor is None:
        return None, 0
    if (read := _CURSOR.fullmatch(cursor)) is None:
        raise InvalidRequest("the cursor is not one that this service gave", "/cursor")
    return int(read[1]), int(read[2])
