"""Rows of tokens sifted before they are loaded: what was deleted since, or whose person was erased, stays out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from vault.recovery.reindexing import Persons
from vault.store import replay, subjects
from vault.store.dialect import COLUMNS
from vault.store.loading import Loader
from vault.store.streams import Block, Row
from vault.store.subjects import Wrapped

_AT = {name: at for at, name in enumerate(COLUMNS["token"])}
_TENANT, _TOKEN, _SUBJECT, _SEAL_KEY = (_AT[name] for name in ("tenant", "token", "subject", "seal_key"))


class Sieve:
    """Holds rows of tokens against the keyring, which is loaded before them.

    Attributes:
        left_out: how many rows stayed out; a token that comes twice is counted twice.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self.left_out: Counter[str] = Counter()

    def sift(self, block: Block) -> tuple[Sequence[Row], Persons]:
        """Return the rows that are loaded, in order, and the wrapped keys of the persons that they name."""
        alive = self._loader.alive(block).rows
        by_tenant: dict[int, list[Row]] = defaultdict(list)
        for row in alive:
            if row[_SUBJECT] is not None:
                by_tenant[row[_TENANT]].append(row)
        gone, persons = set[tuple[int, bytes]](), dict[tuple[int, bytes], Wrapped]()
        for tenant, mine in by_tenant.items():
            digests = list({row[_SUBJECT] for row in mine})
            known = subjects.known(self._loader.connection, self._loader.dialect, tenant, digests)
            gone |= {(tenant, token) for token in self._erased(tenant, mine, known)}
            persons |= {(tenant, digest): wrapped for digest, wrapped in known.items()}
        kept = [row for row in alive if (row[_TENANT], row[_TOKEN]) not in gone] if gone else alive
        self.left_out["tokens"] += len(block.rows) - len(kept)
        return kept, persons

    def _erased(self, tenant: int, rows: Sequence[Row], known: Mapping[bytes, Wrapped]) -> set[bytes]:
        """Return the tokens sealed under a person key that was destroyed, and those of persons who have none any more.

        Somebody who was erased and came again has another key, and keeps what is sealed under it.
        """
        odd = [
            row for row in rows
            if row[_SUBJECT] not in known or row[_SEAL_KEY] not in {None, known[row[_SUBJECT]][0]}
        ]  # fmt: skip
        if not odd:
            return set()
        digests = {row[_SUBJECT] for row in odd}
        connection, dialect = self._loader.connection, self._loader.dialect
        destroyed = replay.erased(connection, dialect, tenant, digests)
        left = {one for one, _ in destroyed} | replay.departed(connection, dialect, tenant, digests)
        return {
            row[_TOKEN] for row in odd
            if (row[_SUBJECT], row[_SEAL_KEY]) in destroyed or (row[_SUBJECT] not in known and row[_SUBJECT] in left)
        }  # fmt: skip
