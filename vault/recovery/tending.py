"""The targets tended: probed, given what they lack, and the alarms about what does not come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from vault.alarms import raise_alarm
from vault.errors import LastCopy, LeaseLost, TargetFailed
from vault.recovery import drills, leftovers, pruning, replicating
from vault.recovery.archives import Archives
from vault.recovery.fanout import BROKEN
from vault.recovery.line import Line
from vault.recovery.standing import late
from vault.recovery.targets.protocol import Target
from vault.store import alarms, catalogue, copies
from vault.store import drills as drilled
from vault.store.catalogue import FULL, STEPS
from vault.store.copies import OK
from vault.store.writer import Transaction

ALARM_SECONDS = 5.0  # between two looks at whether an alarm is due
AGAIN_SECONDS = 10.0  # after which targets are given what they lack if it was nowhere to be had
SWEEP_SECONDS = 60.0  # after which what could not be swept is tried again, also at targets that were away
AGAIN = 86_400_000_000  # microseconds after which an alarm about what is still so is raised again


class Tending:
    """Looks after the targets, in one thread's hands."""

    def __init__(self, line: Line, targets: Sequence[Target], failed: Callable[[Exception], None]) -> None:
        """Look after `targets`, which nobody else calls; `failed` hears of what nobody expected."""
        self._line, self._targets, self._failed = line, targets, failed
        self._archives = Archives()
        self._alarmed = float("-inf")
        self._swept: tuple[int, ...] = ()  # the newest backups when the targets were last swept
        self._marks: replicating.Marks = {}
        self._catch_at = float("-inf")
        self._sweep_at = self._keyrings_at = float("-inf")

    def settle(self) -> None:
        """Settle what was left running, if this process has just come to make the backups, or lost the database.

        Raises LeaseLost while another process makes them.
        """
        line, fence = self._line, self._line.holding.held()
        if fence is None:
            raise LeaseLost("another worker makes the backups now")
        asked = self._targets if fence == line.settled else leftovers.newest(self._targets, line)
        if fence != line.settled or line.unsettled:
            line.unsettled, before = False, line.unsettled
            try:
                leftovers.settle(line, asked, fence)
            except BaseException:
                line.unsettled = before
                raise
            line.settled = fence

    def round(self) -> bool:
        """Probe the targets that are due, give each what it lacks, and raise the alarms that are due.

        Returns whether more is lacking that could be given at once.
        """
        line, fence = self._line, self._line.fence()
        self.probe()
        well = [one for one in self._targets if one.name in line.health.well()]
        more = self._catch_up(well, fence)
        self._archives.copy(line, well)
        self._sweep(well)
        self._sweep_keyrings(well)
        now = line.resources.monotonic()
        if now - self._alarmed >= ALARM_SECONDS:
            line.resources.database.write(self._alarms)
            self._alarmed = now
        return more

    def _catch_up(self, well: Sequence[Target], fence: int) -> bool:
        """Give the targets what they lack; return whether more could be given at once."""
        line = self._line
        if line.resources.monotonic() < self._catch_at:
            return False
        caught = replicating.catch_up(line.resources, well, line.told, fence, self._marks)
        for name, code in caught.failed.items():
            line.health.say(name, code)
        more = caught.size > 0 and caught.waiting > 0
        if caught.waiting and not more:  # it is nowhere to be had now
            self._catch_at = line.resources.monotonic() + AGAIN_SECONDS
        return more

    def _sweep(self, well: Sequence[Target]) -> None:
        """Remove what is not kept any more, after each new full keyring and each new restore point.

        What was erased goes with the old keyrings, and journals are too many to be left for long.
        """
        with self._line.resources.database.read() as connection:
            found = [
                catalogue.newest(connection, "keyring", FULL),
                catalogue.newest(connection, "data", STEPS),
            ]
        now, newest = self._line.resources.monotonic(), tuple(one.number for one in found if one is not None)
        if newest == self._swept or now < self._sweep_at:
            return
        self._sweep_at = now + SWEEP_SECONDS
        with suppress(LastCopy):
            pruning.prune(self._line.resources, well, True, lambda *_: self._go_on())
            self._swept = newest

    def _sweep_keyrings(self, well: Sequence[Target]) -> None:
        """Remove what old keyrings targets still have, as those that were away when a newer one came."""
        now = self._line.resources.monotonic()
        if now >= self._keyrings_at:
            self._keyrings_at = now + SWEEP_SECONDS
            with suppress(LastCopy):
                pruning.prune_keyrings(self._line.resources, well)

    def _go_on(self) -> None:
        self._line.fence()

    def probe(self) -> None:
        """Find out how those targets are whose turn it is."""
        due = self._line.health.due()
        for target in self._targets:
            if target.name in due:
                self._line.health.say(target.name, self._probed(target))

    def _probed(self, target: Target) -> str:
        try:
            target.probe()
        except TargetFailed as failure:
            return failure.problem
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - one target's fault is not the others'
            self._failed(error)
            return BROKEN
        return OK

    def _alarms(self, transaction: Transaction) -> None:
        connection, plan, now = transaction.connection, self._line.plan, transaction.now
        shipped = copies.shipped(connection)
        if shipped is not None and late(plan, shipped, now):
            _raise(transaction, "backup_late", shipped)
        passed = drilled.drills(connection, 1, passed=True)
        first = catalogue.oldest(connection, "data")
        newest = passed[0].begun_at if passed else None if first is None else first.taken_at
        if newest is not None and drills.missed(plan, newest, now):
            _raise(transaction, "drill_missed", newest)


def _raise(transaction: Transaction, kind: str, since: int) -> None:
    """Raise an alarm about what has been so `since` then, unless it was raised about it within a day."""
    if alarms.newest_like(transaction, None, kind, "", max(since, transaction.now - AGAIN)) is None:
        seconds = (transaction.now - since) // 1_000_000
        raise_alarm(transaction, None, kind, {"seconds": seconds})
