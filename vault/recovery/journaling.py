"""The journal: what changed since the last backup, to the targets every few seconds."""

from __future__ import annotations

from contextlib import ExitStack

from vault.recovery.bases import Base, Bases
from vault.recovery.draft import Draft
from vault.recovery.line import Line
from vault.recovery.making import Making
from vault.store import copies
from vault.store.snapshots import Snapshot, prepare

GRACE = 1.0  # seconds that a target is waited for which is slower than the others


class Journal:
    """Ships what changed, in one thread's hands."""

    def __init__(self, line: Line, making: Making) -> None:
        self._line, self._making = line, making
        self._bases = Bases(line.resources, line.installation)

    def round(self) -> bool | None:
        """Ship what changed; return whether anything had, None while there is no backup to build on.

        The keyring goes first: data never lie at a target whose keys do not lie there.
        """
        line, database = self._line, self._line.resources.database
        with ExitStack() as stack:
            with line.order:
                line.fence()
                keyring_base = self._bases.find("keyring", "journal")
                data_base = self._bases.find("data", "journal")
                if keyring_base is None or data_base is None:
                    return None
                prepare(database)
                snapshot = stack.enter_context(Snapshot(database))
                keyring, data = self._drafts(snapshot, keyring_base, data_base)
            number = keyring_base.number
            try:
                if keyring is not None:
                    number = self._making.finish(keyring)
            except BaseException as error:
                if data is not None:
                    self._making.abandon(data, str(getattr(error, "code", "unexpected")))
                raise
            if data is not None:
                self._making.finish(data, number)
            until = snapshot.taken_at
        database.write(lambda transaction: copies.tell_shipped(transaction, until))
        return keyring is not None or data is not None

    def _drafts(
        self, snapshot: Snapshot, keyring_base: Base, data_base: Base
    ) -> tuple[Draft | None, Draft | None]:
        keyring = self._making.begin(snapshot, "keyring", "journal", keyring_base)
        try:
            return keyring, self._making.begin(snapshot, "data", "journal", data_base)
        except BaseException as error:
            if keyring is not None:
                self._making.abandon(keyring, str(getattr(error, "code", "unexpected")))
            raise
