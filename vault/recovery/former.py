"""Person keys that were renewed after the data were backed up, which are sealed under those of before.

The keyring goes to the targets before the data that need it. So a service that died in between, while an emergency gave
persons new keys, left a keyring that is ahead of the data; and so it is for a point in time before that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from operator import itemgetter

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from keys.secret import Secret
from vault.backup.model import Manifest
from vault.recovery.archive import Archive
from vault.recovery.pouring import completed
from vault.store import replay
from vault.store.dialect import COLUMNS, Row
from vault.store.loading import Loader
from vault.store.streams import Block

_AT = {name: at for at, name in enumerate(COLUMNS["subject"])}
_PERSON = itemgetter(*[_AT[name] for name in ("bucket", "tenant", "digest")])
_KEY, _TENANT, _WRAP_KEY = (_AT[name] for name in ("key", "tenant", "wrap_key"))

Persons = dict[Row, Row]  # rows of `subject` by bucket, tenant and digest


class Former:
    """Keeps what a keyring's chain says of persons at the state that the data are of.

    That is known only where that state is one of the chain; else the newest keys are all there is.
    """

    def __init__(self, loader: Loader, chain: Sequence[Manifest], needed: int) -> None:
        """Args: `needed` is the number of the keyring that the data name."""
        numbers = {manifest.number for manifest in chain}
        self._loader, self._chain = loader, chain
        self._later = {number for number in numbers if number > needed} if needed in numbers else set()
        self._under: set[tuple[int, int]] = set()  # tenants, and the seal versions that wrap what was kept

    def take(self, block: Block, number: int) -> Block:
        """Return rows of `subject` without those of persons whose key of before stays; all columns are there.

        Args:
            number: of the manifest that they are of, whose ledger has been loaded.
        """
        if number not in self._later:
            return block
        kept = self._not_erased(self._others(block))
        self._under |= {(row[_TENANT], row[_WRAP_KEY]) for row in kept.values()}
        return Block(block.table, block.columns, [row for row in block.rows if _PERSON(row) not in kept])

    def settle(self, archive: Archive, identities: Sequence[Secret], keys: Mapping[int, TenantKeys]) -> None:
        """Give persons their newer key after all, where that of before cannot be opened any more.

        Args:
            identities: open the chunks of the chain; `keys` are what it holds in the end.
        """
        if all(_opens(keys, *under) for under in self._under):
            return
        self._loader.layer(full=False)
        for manifest in (one for one in self._chain if one.number in self._later):
            with closing(archive.blocks(manifest, identities)) as chunks:
                for block in (one for blocks in chunks for one in blocks if one.table == "subject"):
                    self._loader.put(self._newer(completed(block), keys))

    def _newer(self, block: Block, keys: Mapping[int, TenantKeys]) -> Block:
        """Return rows of persons who are there with another key, which cannot be opened."""
        shut = {
            person: row for person, row in self._others(block).items()
            if not _opens(keys, row[_TENANT], row[_WRAP_KEY])
        }  # fmt: skip
        return Block(block.table, block.columns, [row for row in block.rows if _PERSON(row) in shut])

    def _others(self, block: Block) -> Persons:
        """Return the rows that are there, and not gone by now, of persons who have another key in the block."""
        new = {_PERSON(row): row[_KEY] for row in block.rows}
        connection, dialect = self._loader.connection, self._loader.dialect
        there = Block("subject", COLUMNS["subject"], replay.persons(connection, dialect, list(new)))
        rows = map(tuple, self._loader.alive(there).rows)
        return {_PERSON(row): row for row in rows if row[_KEY] != new[_PERSON(row)]}

    def _not_erased(self, persons: Persons) -> Persons:
        """Return them without those whose key was destroyed by a release that remembered no departures."""
        by_tenant: dict[int, list[bytes]] = defaultdict(list)
        for _, tenant, digest in persons:
            by_tenant[tenant].append(digest)
        connection, dialect = self._loader.connection, self._loader.dialect
        gone = {
            (tenant, *one) for tenant, digests in by_tenant.items()
            for one in replay.erased(connection, dialect, tenant, digests)
        }  # fmt: skip
        return {person: row for person, row in persons.items() if (*person[1:], row[_KEY]) not in gone}


def _opens(keys: Mapping[int, TenantKeys], tenant: int, version: int) -> bool:
    return tenant in keys and version in keys[tenant].versions.get(Purpose.SEAL, {})
