"""What of a snapshot goes into one backup: what changed since its base, and what the manifest tells of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from vault.audit import checkpoints, notes
from vault.backup.blocks import Digester, Packed, pack
from vault.backup.model import Manifest
from vault.recovery.escrow import Escrow
from vault.store.dialect import COLUMNS
from vault.store.snapshots import Snapshot
from vault.store.streams import ESCROW, TABLES, Block, Stream

ENDED = 2**63 - 1  # leaves: more than any log has


class Contents:
    """The rows of one backup, read once.

    Attributes:
        digests: of the tables that were read in full, known once `blocks` has ended; under the key `digest_key`.
        escrowed: tenants whose keysets are escrowed.
        missing: tenants whose keysets could not be escrowed, and the code of why.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        stream: Stream,
        base: Manifest | None,
        digest_key: tuple[str, bytes],
        escrow: Escrow,
    ) -> None:
        """Args: `digest_key` is the name and the bytes of the key that digests are under."""
        self._snapshot, self._stream, self._base, self._escrow = snapshot, stream, base, escrow
        self.digest_key, self._key = digest_key
        comparable = base is not None and base.digest_key == self.digest_key
        self._known: Mapping[str, str] = base.digests if base is not None and comparable else {}
        self._generations: dict[int, int] = {}
        self.digests: dict[str, str] = {}
        self.missing: dict[int, str] = {}
        self.escrowed = 0

    def blocks(self) -> Iterator[Packed]:
        """Yield all rows of a full backup, else those that changed; a whole table if it is not what the base has.

        Rows become bytes once: what is digested is what is stored.
        """
        since = -1 if self._base is None else self._base.until
        found = self._snapshot.blocks(self._stream, since, sizes(self._base))
        unseen = dict(TABLES[self._stream])
        for table, blocks in groupby(found, lambda block: block.table):
            how = unseen.pop(table)
            if how == "whole":
                yield from self._whole(table, self._noted(blocks))
            elif self._base is None:
                yield from self._digested(table, blocks)
            else:
                yield from map(pack, blocks)
        for table, how in unseen.items():  # those without a row
            if how == "whole":
                yield from self._whole(table, ())
            elif self._base is None:
                self.digests[table] = Digester(self._key).hex()
        if self._stream == "keyring":
            block, self.missing = self._escrow.block(self._generations)
            self.escrowed = len(block.rows)
            yield from self._whole(ESCROW, [block])

    def _digested(self, table: str, blocks: Iterable[Block]) -> Iterator[Packed]:
        digester = Digester(self._key)
        for packed in map(pack, blocks):
            digester.take(packed)
            yield packed
        self.digests[table] = digester.hex()

    def _whole(self, table: str, blocks: Iterable[Block]) -> list[Packed]:
        held = list(self._digested(table, blocks))
        if self._known.get(table) == self.digests[table]:
            return []
        return held or [pack(Block(table, COLUMNS[table], []))]

    def _noted(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Note the generations of tenants' keysets as they go by."""
        for block in blocks:
            if block.table == "tenant":
                id_at, generation_at = block.columns.index("id"), block.columns.index("generation")
                self._generations |= {row[id_at]: row[generation_at] for row in block.rows}
            yield block

    def counts(self) -> dict[str, int]:
        """Return how many rows each table of the stream has."""
        found = dict(self._snapshot.counts(self._stream))
        return found | {ESCROW: self.escrowed} if self._stream == "keyring" else found


def sizes(base: Manifest | None) -> dict[tuple[int, int], int]:
    """Return how many leaves each audit log had at the base, by tenant and number of the log.

    A manifest names a tenant's current log; those before it had ended, and are whole in the base.
    """
    found: dict[tuple[int, int], int] = {}
    for note in () if base is None else base.checkpoints:
        known = checkpoints.read(notes.parse(note).text)
        _, name, number = known.origin.split("/")
        tenant, log = int(name, 16), int(number)
        found |= {(tenant, former): ENDED for former in range(1, log)}
        found[tenant, log] = known.size
    return found
