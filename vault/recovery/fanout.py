"""Files to several targets at once: a thread each, a short queue each, and nobody waits long for one that is slow.

What is put is read back at once. A target that fails, or whose queue stays full for longer than the patience, drops out
of the backup under way, and takes part again once a probe found it well; what it lacks it gets from another later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Condition, Thread

from vault.errors import TargetFailed
from vault.recovery.chunking import give_way
from vault.recovery.targets.protocol import Target

QUEUED = 2  # files that wait for one target
SLOW, DIFFERS, BROKEN = "target_slow", "target_differs", "target_broken"


@dataclass(frozen=True, slots=True, repr=False)
class _Parcel:
    """A file on its way to one target, as part of a backup; without data it is removed there."""

    sending: Sending
    path: str
    data: bytes | None


class Sending:
    """One backup on its way. Its targets drop out one by one, and none comes back to it."""

    def __init__(
        self,
        couriers: Sequence[_Courier],
        patience: float,
        monotonic: Callable[[], float],
        told: Callable[[str, str], None],
    ) -> None:
        self._couriers = {courier.target.name: courier for courier in couriers}
        self._patience, self._monotonic, self._told = patience, monotonic, told
        self._changed = Condition()
        self._left = dict.fromkeys(self._couriers, 0)  # files under way, by target that is still in
        self.problems: dict[str, str] = {}

    def whole(self) -> set[str]:
        """Return the targets that have not dropped out."""
        with self._changed:
            return set(self._left)

    def put(self, path: str, data: bytes, names: Collection[str] | None = None) -> None:
        """Hand a file to all that are in, or to some; who keeps its queue full for the patience is out."""
        self._hand(_Parcel(self, path, data), self.whole() if names is None else self.whole() & set(names))

    def remove(self, path: str) -> None:
        """Have a file removed from all that are in."""
        self._hand(_Parcel(self, path, None), self.whole())

    def _hand(self, parcel: _Parcel, names: Collection[str]) -> None:
        waiting = []
        for name in names:
            self._count(name, 1)
            if not self._couriers[name].offer(parcel, 0.0):
                waiting.append(name)
        end = self._monotonic() + self._patience
        for name in waiting:
            if not self._couriers[name].offer(parcel, max(0.0, end - self._monotonic())):
                self.drop(name, SLOW)

    def settle(self, enough: Callable[[set[str]], bool], grace: float) -> set[str]:
        """Wait until all files arrived where they were sent, for the patience at most; return who holds all.

        Args:
            enough: whether these targets will do: the others are waited for no longer than `grace` seconds more, and
                who lacks something then has not failed.
        """
        end, will_do = self._monotonic() + self._patience, False
        with self._changed:
            while any(self._left.values()):
                if not will_do and enough({name for name, left in self._left.items() if not left}):
                    will_do, end = True, min(end, self._monotonic() + grace)
                self._changed.wait(max(0.0, end - self._monotonic()))
                if self._monotonic() >= end:
                    break
            late = [name for name, left in self._left.items() if left]
        for name in late:
            self.drop(name, SLOW, quietly=will_do)
        return self.whole()

    def drop(self, name: str, code: str, *, quietly: bool = False) -> None:
        """Let a target out of this backup; nobody is told if it is to do so `quietly`."""
        with self._changed:
            if self._left.pop(name, None) is None:
                return
            self.problems[name] = code
            self._changed.notify_all()
        if not quietly:
            self._told(name, code)

    def arrived(self, name: str) -> None:
        """Count a file that a target has, read back."""
        self._count(name, -1)

    def _count(self, name: str, more: int) -> None:
        with self._changed:
            if name in self._left:
                self._left[name] += more
                self._changed.notify_all()


class _Courier:
    """One target and the thread that brings it files; the only one that calls it."""

    def __init__(self, target: Target, failed: Callable[[Exception], None], hasty: bool) -> None:
        self.target, self._failed, self._hasty = target, failed, hasty
        self._queue: Queue[_Parcel | None] = Queue(QUEUED)
        self._idle = True
        self._thread = Thread(target=self._work, name=f"ship backups {target.name}", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether it has nothing left of a backup before."""
        return self._idle and self._queue.empty()

    def offer(self, parcel: _Parcel, seconds: float) -> bool:
        """Take a parcel within so many seconds; return whether it did."""
        try:
            self._queue.put(parcel, timeout=seconds) if seconds else self._queue.put_nowait(parcel)
        except Full:
            return False
        return True

    def end(self) -> None:
        """End the thread after the call under way, which is not waited for."""
        with suppress(Empty):
            while True:
                self._queue.get_nowait()
        self._queue.put(None)

    def _work(self) -> None:
        if not self._hasty:
            give_way()
        while (parcel := self._queue.get()) is not None:
            self._idle = False
            if self.target.name in parcel.sending.whole():
                self._bring(parcel)
            del parcel  # or its bytes stay until the next comes
            self._idle = True
        try:
            self.target.close()
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            self._failed(error)

    def _bring(self, parcel: _Parcel) -> None:
        try:
            if parcel.data is None:
                self.target.delete(parcel.path)
            else:
                self._store(parcel.path, parcel.data)
        except TargetFailed as failure:
            parcel.sending.drop(self.target.name, failure.problem)
        except Exception as error:  # noqa: BLE001 - one target's fault is not the others'
            parcel.sending.drop(self.target.name, BROKEN)
            self._failed(error)
        else:
            parcel.sending.arrived(self.target.name)

    def _store(self, path: str, data: bytes) -> None:
        self.target.put(path, data)
        if self.target.get(path) != data:
            raise TargetFailed(DIFFERS, "a file that was just put is another one")


class Fanout:
    """The targets as one thread of the service uses them."""

    def __init__(
        self,
        targets: Sequence[Target],
        patience: float,
        monotonic: Callable[[], float],
        told: Callable[[str, str], None],
        failed: Callable[[Exception], None],
        hasty: bool = False,
    ) -> None:
        """Bring files to `targets`, which nobody else calls.

        Args:
            patience: seconds for which a queue may stay full, and the last files of a backup be under way.
            told: hears the name of a target that dropped out, and the code of why.
            failed: hears of what nobody expected.
            hasty: the threads have the priority of others; else the least.
        """
        self._couriers = [_Courier(target, failed, hasty) for target in targets]
        self._patience, self._monotonic, self._told = patience, monotonic, told

    def begin(self, well: Collection[str]) -> Sending:
        """Begin a backup, for those of the targets `well` that have nothing left of one before."""
        ready = [one for one in self._couriers if one.target.name in well and one.idle]
        return Sending(ready, self._patience, self._monotonic, self._told)

    def ready(self, well: Collection[str]) -> set[str]:
        """Return the names of the targets that would take part in a backup now."""
        return {one.target.name for one in self._couriers if one.target.name in well and one.idle}

    def close(self) -> None:
        """End the threads; one whose target does not answer ends with it."""
        for courier in self._couriers:
            courier.end()
