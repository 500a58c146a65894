"""What is not kept any more goes from the targets: first the manifests, then the chunks that no other one names.

Nothing goes while fewer targets than the quorum hold the newest backup whole and read back. Whatever ends it halfway,
the next run goes on: what is not to be restored any more is written down before the first file goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vault.backup import layout
from vault.errors import LastCopy, TargetFailed
from vault.recovery import sweeping
from vault.recovery.replicating import kept
from vault.recovery.sweeping import AT_ONCE, Going, Swept
from vault.recovery.targets.protocol import Target
from vault.resources import Resources
from vault.store import catalogue, copies
from vault.store.catalogue import MADE, STEPS, Backup
from vault.store.streams import STREAMS, Stream
from vault.store.writer import Transaction

Progress = Callable[[int, int], None]
_DAY = 86_400_000_000  # microseconds
FORGET_JOURNALS, FORGET = 1 * _DAY, 366 * _DAY  # after which the rows go of what no target holds any more


@dataclass(frozen=True, slots=True)
class Pruned:
    """What is not kept, and what goes of it, or went, at each target.

    Attributes:
        applied: whether it went; else it only would.
        numbers: of the backups that are not kept any more, by stream.
    """

    applied: bool
    numbers: Mapping[Stream, list[int]]
    targets: list[Swept]

    def counts(self) -> dict[str, int]:
        """Return what goes, or went, in numbers: backups, and files and bytes over all targets."""
        return {"backups": sum(map(len, self.numbers.values())), **sweeping.summed(self.targets)}


def prune(resources: Resources, targets: Sequence[Target], apply: bool, progress: Progress) -> Pruned:
    """Remove what is not kept, and files that failed backups left a day ago, or say what would go.

    Args:
        apply: False changes nothing anywhere.
        progress: hears how many files went, of how many, after each. It may raise, which ends it; the next run goes on.
    Raises:
        LastCopy: fewer targets than the quorum hold the newest backup, so nothing goes.
    """
    return _prune(resources, targets, STREAMS, apply, progress)


def prune_keyrings(resources: Resources, targets: Sequence[Target]) -> Pruned:
    """Remove the keyrings that are not kept, as after each new full one; raises what `prune` does.

    Where there are none, no target is asked.
    """
    with resources.database.read() as connection:
        rows = catalogue.backups(connection, "keyring", ["made", "running"])
        left = copies.has_leftovers(connection, "keyring", [target.name for target in targets])
    if not left and {one.number for one in rows if one.state == MADE} <= kept(resources, rows)["keyring"]:
        return Pruned(True, {"keyring": []}, [])
    return _prune(resources, targets, ("keyring",), True, lambda done, total: None)


def _prune(
    resources: Resources,
    targets: Sequence[Target],
    streams: Sequence[Stream],
    apply: bool,
    progress: Progress,
) -> Pruned:
    with resources.database.read() as connection:
        rows = catalogue.backups(connection, states=["made", "running"])
        found = catalogue.known_installation(connection)
    stay, made = kept(resources, rows), [one for one in rows if one.state == MADE]
    numbers = {
        stream: [one.number for one in made if one.stream == stream and one.number not in stay[stream]]
        for stream in streams
    }
    for stream in streams:
        require_copies(resources, targets, [one for one in made if one.stream == stream])
    pruned = Pruned(apply, numbers, [Swept(target.name) for target in targets])
    if found is None:
        return pruned
    installation = layout.installation(found[0])
    plans = [
        _plans(resources, *one, installation, numbers) for one in zip(targets, pruned.targets, strict=True)
    ]
    if apply:
        _apply(resources, list(zip(targets, plans, pruned.targets, strict=True)), numbers, progress)
    else:
        for goings, swept in zip(plans, pruned.targets, strict=True):
            for going in goings:
                going.tell(swept)
    return pruned


def _plans(
    resources: Resources, target: Target, swept: Swept, installation: str, numbers: Mapping[Stream, list[int]]
) -> list[Going]:
    """Return what goes from a target, a stream each; nothing from one that fails, which is noted."""
    try:
        return [
            sweeping.plan(resources, target, installation, stream, set(doomed))
            for stream, doomed in numbers.items()
        ]
    except TargetFailed as failure:
        swept.problem = failure.problem
        return []


def _apply(
    resources: Resources,
    plans: Sequence[tuple[Target, list[Going], Swept]],
    numbers: Mapping[Stream, list[int]],
    progress: Progress,
) -> None:
    for stream, doomed in numbers.items():
        for at in range(0, len(doomed), AT_ONCE):
            _removed(resources, stream, doomed[at : at + AT_ONCE])
    whole, done = sum(going.files for _, goings, _ in plans for going in goings), 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, whole)

    for target, goings, swept in plans:
        try:
            for going in goings:
                sweeping.carry_out(resources, target, going, swept, step)
        except TargetFailed as failure:
            swept.problem = failure.problem
    _forget(resources)


def _removed(resources: Resources, stream: Stream, numbers: Sequence[int]) -> None:
    resources.database.write(lambda transaction: catalogue.removed(transaction, stream, numbers))


def _forget(resources: Resources) -> None:
    def work(transaction: Transaction) -> None:
        now = transaction.now
        catalogue.forget(transaction, now - FORGET_JOURNALS, now - FORGET)

    resources.database.write(work)


def require_copies(resources: Resources, targets: Sequence[Target], made: Sequence[Backup]) -> None:
    """Return if enough targets hold the newest one, and the newest that is no journal, whole; else raise LastCopy.

    Whole is with all that it builds on, each read back.
    """
    steps = [one for one in made if one.kind in STEPS]
    for newest in {one.number: one for one in (*made[-1:], *steps[-1:])}.values():
        with resources.database.read() as connection:
            chain = [one.number for one in catalogue.chain(connection, newest.stream, newest.number)]
            names = copies.holding(connection, newest.stream, chain, verified=True)
        names &= {target.name for target in targets}
        if len(names) < max(resources.backups.quorum, 1):
            raise LastCopy(
                f"backup {newest.number} of the stream {newest.stream}, the newest, is whole and read back on "
                f"{len(names)} targets, which are fewer than the quorum: nothing goes"
            )
