"""Full and incremental backups, when they are due or asked for; both streams from one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from vault.backup.model import Kind
from vault.recovery.bases import Bases
from vault.recovery.draft import Draft
from vault.recovery.line import Line
from vault.recovery.making import Making
from vault.store import catalogue
from vault.store.catalogue import FULL, STEPS
from vault.store.snapshots import Snapshot, prepare
from vault.store.streams import Stream

AHEAD = (
    60_000_000  # microseconds: what was taken later than that from now was taken by a clock that was wrong
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of each stream; None for nothing."""

    keyring: Kind | None
    data: Kind | None

    def __bool__(self) -> bool:
        return self.keyring is not None or self.data is not None


class Steps:
    """Makes full and incremental backups, in one thread's hands."""

    def __init__(self, line: Line, making: Making) -> None:
        self._line, self._making = line, making
        self._bases = Bases(line.resources, line.installation)

    def due(self) -> Wanted:
        """Return what the plan wants made now."""
        plan = self._line.plan
        keyring: Kind | None = "full" if self._is_due("keyring", FULL, plan.keyring) else None
        data: Kind | None = None
        if self._is_due("data", FULL, plan.full):
            data = "full"
        elif self._is_due("data", STEPS, plan.incremental):
            data = "incremental"
        if data is not None and keyring is None:
            keyring = "incremental"
        return Wanted(keyring, data)

    def _is_due(self, stream: Stream, kinds: tuple[Kind, ...], seconds: float) -> bool:
        with self._line.resources.database.read() as connection:
            newest = catalogue.newest(connection, stream, kinds)
        if newest is None or self._bases.find(stream, "incremental") is None:
            return True
        age = self._line.resources.database.now() - newest.taken_at
        return age >= seconds * 1e6 or age < -AHEAD

    def make(self, wanted: Wanted, progress: Callable[[int, int], None] | None = None) -> tuple[int, int]:
        """Make what is wanted; return the numbers in keyring and data, 0 for a stream of which nothing was made.

        Args:
            progress: hears how many rows have gone out, and of how many, 0 where that is not known.
        Raises what `Making.finish` does.
        """
        with ExitStack() as stack:
            with self._line.order:
                self._line.fence()
                prepare(self._line.resources.database)
                snapshot = stack.enter_context(Snapshot(self._line.resources.database))
                drafts = self._begin(snapshot, wanted)
            told = _Told(drafts, progress)
            numbers = {"keyring": 0, "data": 0}
            for at, draft in enumerate(drafts):
                try:
                    numbers[draft.stream] = self._making.finish(draft, numbers["keyring"], told)
                except BaseException as error:
                    self._abandon(drafts[at + 1 :], error)
                    raise
        return numbers["keyring"], numbers["data"]

    def _begin(self, snapshot: Snapshot, wanted: Wanted) -> list[Draft]:
        drafts: list[Draft] = []
        streams: tuple[tuple[Stream, Kind | None], ...] = (("keyring", wanted.keyring), ("data", wanted.data))
        try:
            for stream, kind in streams:
                if kind is not None:
                    base = self._bases.find(stream, kind)
                    draft = self._making.begin(snapshot, stream, "full" if base is None else kind, base)
                    drafts += [] if draft is None else [draft]
        except BaseException as error:
            self._abandon(drafts, error)
            raise
        return drafts

    def _abandon(self, drafts: list[Draft], error: BaseException) -> None:
        for draft in drafts:
            self._making.abandon(draft, str(getattr(error, "code", "unexpected")))


class _Told:
    """Progress over both streams."""

    def __init__(self, drafts: Sequence[Draft], progress: Callable[[int, int], None] | None) -> None:
        self._drafts, self._progress = drafts, progress
        known = progress is not None and all(draft.kind == "full" for draft in drafts)
        self._total = sum(sum(draft.contents.counts().values()) for draft in drafts) if known else 0

    def __call__(self, _: int) -> None:
        if self._progress is not None:
            self._progress(sum(draft.rows for draft in self._drafts), self._total)
