"""Whether targets still hold what they took; what is damaged or missing is named, and mended from a good copy.

What should be there is said by the catalogue, so no key is needed. Every manifest is read each time, every chunk is
held against the target's list, and a share of all bytes is read back: of each backup in an order of its own at each
target, going on where the last time ended, and beginning with the copy that was not read back for longest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vault.alarms import raise_alarm
from vault.errors import InvalidRequest
from vault.recovery.findings import Looked, Verified
from vault.recovery.looking import Look
from vault.recovery.mending import Sources
from vault.recovery.replicating import kept
from vault.recovery.targets.protocol import Target
from vault.resources import Resources
from vault.store import catalogue, copies
from vault.store.catalogue import MADE
from vault.store.streams import Stream
from vault.store.writer import Transaction

Progress = Callable[[int, int], None]
SHARE = 0.05  # of all bytes: what is read back where nothing else is asked for


def verify(
    resources: Resources,
    targets: Sequence[Target],
    share: float,
    target: str | None,
    progress: Progress,
) -> Verified:
    """Look at all targets, or at one, and mend what is wrong there.

    Args:
        share: of the bytes that each target holds, which are read back: 0 for none, 1 for all.
        target: its name; None for all.
        progress: hears how many bytes were read back, of how many, after each chunk and each backup. It may raise,
            which ends it; what was found out so far is on record.
    Raises:
        InvalidRequest: there is no target of that name, or `share` is not 0 to 1.
    """
    if not 0 <= share <= 1:
        raise InvalidRequest("the share that is read back is 0 to 1", "/share")
    asked = [one for one in targets if target in (None, one.name)]
    if not asked:
        raise InvalidRequest("there is no target of that name", "/target")
    looks = [Look(resources, one, share, Sources(targets)) for one in asked]
    whole, done = sum(look.budget for look in looks), 0
    for look in looks:
        try:
            look.run(_behind(progress, done, whole))
        finally:
            _alarm(resources, look.looked)
        done += look.budget
    return Verified([look.looked for look in looks], _short(resources, [one.name for one in targets]))


def _behind(progress: Progress, before: int, whole: int) -> Callable[[int], None]:
    return lambda read: progress(min(before + read, whole), whole)


def _alarm(resources: Resources, looked: Looked) -> None:
    """Raise the alarm if a target holds something damaged, lacks something, or shows an old state."""
    if not looked.wrong and not looked.replayed:
        return
    detail: dict[str, str | int] = {
        "target": looked.target, "wrong": looked.wrong, "mended": looked.mended,
        "replayed": " ".join(looked.replayed),
    }  # fmt: skip

    def work(transaction: Transaction) -> None:
        raise_alarm(transaction, None, "backup_damaged", detail, cause=looked.target)

    resources.database.write(work)


def _short(resources: Resources, names: Sequence[str]) -> list[tuple[Stream, int]]:
    """Return the backups that are kept and have fewer good copies than the quorum."""
    with resources.database.read() as connection:
        rows = catalogue.backups(connection, states=["made", "running"])
        holders = copies.holders(connection, names)
    stay = kept(resources, rows)
    return [
        (one.stream, one.number)
        for one in rows
        if one.state == MADE
        and one.number in stay[one.stream]
        and len(holders.get((one.stream, one.number), ())) < resources.backups.quorum
    ]
