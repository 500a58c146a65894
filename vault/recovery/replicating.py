"""Targets that lack backups catch up: files are copied from targets that have them, and no key is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vault.backup import layout
from vault.recovery import retention
from vault.recovery.copying import Caught, Copying, Lack, Limits
from vault.recovery.targets.protocol import Target
from vault.resources import Resources
from vault.store import catalogue, copies
from vault.store.catalogue import MADE, RUNNING, Backup
from vault.store.copies import OK
from vault.store.streams import STREAMS, Stream

Marks = dict[tuple[str, Stream], int]  # by target and stream: the number up to which nothing is lacking there
AMOUNT = 64 * 1_024 * 1_024  # bytes that one call copies or reads back, and a chunk more at most
SECONDS = 2.0  # after which a call begins no other chunk: other work is waiting


def catch_up(
    resources: Resources,
    targets: Sequence[Target],
    told: Callable[[], bool],
    fence: int,
    marks: Marks | None = None,
    *,
    amount: int = AMOUNT,
    seconds: float = SECONDS,
) -> Caught:
    """Copy to each target what it lacks of the backups that are kept, keyrings first, the oldest first; a bit a call.

    A target takes part, to give or to take, while its state is ok. Every file is held against its digest on the way,
    and read back. A manifest is put when all of its chunks are there, and what it builds on.

    Args:
        told: whether the process was told to end.
        fence: of the lease `holding.LEASE`.
        marks: what earlier calls of this process found out, so that little is read where nothing is lacking.
        amount, seconds: after so many bytes, or so much time, the rest is left to the next call.
    Raises:
        LeaseLost: another process makes the backups now.
    """
    seen = _look(resources, targets, {} if marks is None else marks)
    limits = Limits(told, amount, resources.monotonic() + seconds)
    return Copying(resources, seen.well, limits, fence, seen.installation, seen.holders).all(
        seen.lacks, seen.backups
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """The targets that are well, what they lack of what is kept, and who has it, all of one moment."""

    installation: str
    well: list[Target]
    lacks: list[Lack]
    backups: Mapping[tuple[Stream, int], Backup]
    holders: dict[tuple[Stream, int], set[str]]


def _look(resources: Resources, targets: Sequence[Target], marks: Marks) -> _Seen:
    """Find out what is lacking, and move the marks on to there."""
    with resources.database.snapshot(), resources.database.read() as connection:
        states = {one.name: one.state for one in copies.targets(connection)}
        well = [target for target in targets if states.get(target.name, OK) == OK]
        lacks = [
            Lack(stream, number, target.name, checked)
            for stream in STREAMS
            for target in well
            for number, checked in copies.lacking(
                connection, stream, target.name, marks.get((target.name, stream), 0)
            )
        ]
        ends = {stream: catalogue.settled(connection, stream) for stream in STREAMS}
        rows = catalogue.backups(connection, states=["made", "running"]) if lacks else []
        holders = copies.holders(connection, [target.name for target in targets]) if lacks else {}
        found = catalogue.known_installation(connection)
    stay = kept(resources, rows)
    backups = {
        (one.stream, one.number): one for one in rows if one.state == MADE and one.number in stay[one.stream]
    }
    lacks = sorted(
        (lack for lack in lacks if (lack.stream, lack.number) in backups),
        key=lambda lack: (STREAMS.index(lack.stream), lack.number),
    )
    marks.update({(target.name, stream): ends[stream] for target in well for stream in STREAMS})
    for lack in lacks:
        place = (lack.target, lack.stream)
        marks[place] = min(marks[place], lack.number - 1)
    return _Seen(layout.installation(found[0] if found else 0), well, lacks, backups, holders)


def kept(resources: Resources, rows: Sequence[Backup]) -> Mapping[Stream, set[int]]:
    """Return the numbers that stay, by stream, of the backups that were made; `rows` are these and those under way."""
    plan, now = resources.backups, resources.database.now()
    made: dict[Stream, list[Backup]] = {stream: [] for stream in STREAMS}
    needed: dict[Stream, set[int]] = {stream: set() for stream in STREAMS}
    for one in rows:
        if one.state == MADE:
            made[one.stream].append(one)
        elif one.state == RUNNING and one.base is not None:
            needed[one.stream].add(one.base)
    return {
        "keyring": retention.keyrings(made["keyring"], plan.keyrings, needed["keyring"]),
        "data": retention.kept(made["data"], plan.keep, now, needed["data"]),
    }
