"""A backup made: its chunks and then its manifest to all targets at once, and counted once enough of them hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain

from vault.backup import layout
from vault.backup.model import Kind
from vault.errors import BackupIncomplete, LeaseLost, StoreUnavailable
from vault.recovery import entering
from vault.recovery.bases import Base
from vault.recovery.chunking import Sealer
from vault.recovery.contents import Contents
from vault.recovery.draft import Draft, counted, signed
from vault.recovery.fanout import Fanout, Sending
from vault.recovery.line import Line
from vault.store import catalogue, copies
from vault.store.snapshots import Snapshot
from vault.store.streams import Stream

REMOVING_SECONDS = (
    5.0  # for which files of a backup that failed are removed; pruning finds those that are left
)
Progress = Callable[[int], None]  # hears how many rows of the backup have gone out


class Making:
    """Makes backups, in one thread's hands."""

    def __init__(self, line: Line, fanout: Fanout, grace: float, hasty: bool = False) -> None:
        """Make backups for `line`.

        Args:
            grace: seconds that who lacks something is waited for when enough targets have all.
            hasty: with the priority of other threads; else the least.
        """
        self._line, self._fanout, self._grace = line, fanout, grace
        self._sealer = Sealer(hasty)

    def close(self) -> None:
        """End the threads."""
        self._sealer.close()
        self._fanout.close()

    def begin(self, snapshot: Snapshot, stream: Stream, kind: Kind, base: Base | None) -> Draft | None:
        """Enter a backup in the catalogue, with `line.order` held; a journal only if anything changed, else None.

        Raises:
            BackupIncomplete: too few targets could take it now; nothing is entered.
        """
        line, fence, recipients = self._line, self._line.fence(), self._line.recipients()
        found = Contents(
            snapshot, stream, None if base is None else base.manifest, line.digest_key(), line.escrow
        )
        sealed = self._sealer.chunks(found.blocks(), [one for known in recipients.values() for one in known])
        if kind == "journal":
            first = next(sealed, None)
            if first is None:
                return None
            sealed = chain([first], sealed)
        holders = None if base is None else base.holders
        self._require(self._fanout.ready(line.health.well()), holders)
        number = entering.enter(line, stream, kind, base, snapshot, fence)
        return Draft(stream, kind, number, fence, base, holders, snapshot, found, recipients, sealed)

    def finish(self, draft: Draft, keyring: int = 0, progress: Progress = lambda _: None) -> int:
        """Send a backup to the targets, and let it count as made; return its number.

        Args:
            keyring: for data: the number of the keyring that it needs, which was made.
        Raises:
            BackupIncomplete: too few targets hold all of it. It failed, and its files are removed as far as can be.
            LeaseLost: another process makes the backups now, and settles this one.
            Interrupted, StoreUnavailable, KeyProblem: as BackupIncomplete.
        """
        line, draft.keyring = self._line, keyring
        sending = self._fanout.begin(line.health.well())
        try:
            with self._removed(draft, sending):
                self._hold_with(draft)
                self._send(draft, sending, progress)
                note = signed(line, draft)
                # with its manifest it is listed, which must not be when somebody else goes on already
                line.resources.database.write(
                    lambda transaction: line.holding.require(transaction, draft.fence)
                )
                sending.put(layout.manifest(line.installation, draft.stream, draft.number), note.encode())
                stored_on = self._arrived(draft, sending)
            entering.made(line, draft, note, stored_on)
        except StoreUnavailable:
            line.unsettled = True  # whether it was entered is not known: it is looked for at the targets
            raise
        finally:
            line.making.discard((draft.stream, draft.number))
        return draft.number

    def abandon(self, draft: Draft, code: str) -> None:
        """Let a backup fail before any of it was sent."""
        try:
            entering.failed(self._line, draft, code)
        except StoreUnavailable:
            self._line.unsettled = True
        finally:
            self._line.making.discard((draft.stream, draft.number))

    def _send(self, draft: Draft, sending: Sending, progress: Progress) -> None:
        for one in draft.sealed:
            if self._line.fence() != draft.fence:
                raise LeaseLost("another worker made backups in the meantime")
            draft.chunks.append(one.chunk)
            sending.put(layout.chunk(self._line.installation, draft.stream, one.chunk.digest), one.stored)
            self._require(sending.whole(), draft.holders)
            progress(draft.rows)
        self._arrived(draft, sending)

    def _arrived(self, draft: Draft, sending: Sending) -> set[str]:
        """Wait until all that was sent has arrived; return where. BackupIncomplete if that is at too few."""

        def enough(names: set[str]) -> bool:
            return len(counted(names, draft.holders)) >= self._line.plan.quorum

        whole = sending.settle(enough, self._grace)
        self._require(whole, draft.holders)
        return whole

    def _require(self, names: set[str], holders: frozenset[str] | None) -> None:
        able, quorum = len(counted(names, holders)), self._line.plan.quorum
        if able < quorum:
            raise BackupIncomplete(f"{able} targets could hold all of the backup, and it takes {quorum}")

    def _hold_with(self, draft: Draft) -> None:
        """Data are of use only where the keyring is that they need."""
        if draft.stream == "data":
            with self._line.resources.database.read() as connection:
                needed = [one.number for one in catalogue.chain(connection, "keyring", draft.keyring)]
                draft.holders = counted(copies.holding(connection, "keyring", needed), draft.holders)

    @contextmanager
    def _removed(self, draft: Draft, sending: Sending) -> Iterator[None]:
        """Remove what there is of a backup that fails, and say so, unless somebody else settles it."""
        try:
            yield
        except LeaseLost:
            raise
        except Exception as error:
            self._remove(draft, sending)
            with suppress(LeaseLost):
                entering.failed(self._line, draft, str(getattr(error, "code", "unexpected")))
            raise

    def _remove(self, draft: Draft, sending: Sending) -> None:
        """Remove files from where they are, for a while; the manifest first, so that nothing unfinished is listed."""
        monotonic = self._line.resources.monotonic
        end = monotonic() + REMOVING_SECONDS
        for path in draft.paths(self._line.installation):
            if monotonic() < end:
                sending.remove(path)
        sending.settle(lambda _: True, max(0.0, end - monotonic()))
