"""A database made again from the backups at one target: all of it verified, or nothing written.

The keyring comes first and is the newest that there is. So what was deleted, or whose person was erased, after the data
were backed up stays out, and keys that were destroyed since open nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from time import monotonic as seconds
from typing import Any

from keys.keyring import Keyring
from keys.openkeys import TenantKeys
from keys.secret import Secret
from vault.backup.model import Manifest
from vault.recovery import keysin, logsin, picking, primaries, settlingin, tallying
from vault.recovery.archive import Archive
from vault.recovery.choosing import Choice
from vault.recovery.former import Former
from vault.recovery.indexing import Indexing
from vault.recovery.keysin import KeyRow
from vault.recovery.logsin import Ending
from vault.recovery.pouring import Pour, Take
from vault.recovery.reindexing import Indexed, Reindexer
from vault.recovery.replaying import Sieve
from vault.recovery.restored import Means, Restored, Wanted
from vault.recovery.watching import Progress, Watch
from vault.store.dialect import COLUMNS
from vault.store.loading import Loader
from vault.store.streams import ESCROW, STREAMS, Block


def restore(
    archive: Archive,
    loader: Loader,
    keyring: Keyring,
    wanted: Wanted,
    means: Means | None = None,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _phase, _done, _total: None,
    monotonic: Callable[[], float] = seconds,
) -> Restored:
    """Restore into an empty database.

    Args:
        archive: of the target, with the keys that are trusted.
        loader: of the database, not entered yet.
        keyring: has the root keys; new primaries, and keysets out of escrow, come under its primary root.
        means: what opens the backup where that is not the root.
        dry_run: read and verify all of it, and leave no database.
        progress: hears how far each phase is.
        monotonic: the clock of the phases, in seconds.
    Raises:
        DatabaseNotEmpty: there is something in the database.
        BackupDamaged and its kinds: a file of it is not what was signed; `file` and `chunk` say which.
        BackupLocked, KeyProblem: nothing at hand opens it.
        InvalidRequest: the target has backups of several installations.
        UnknownBackup, BackupFromNewer, InvalidCheckpoint, TargetFailed, StoreUnavailable.
        In every case the database is as it was.
    """
    watch = Watch(monotonic, progress)
    with watch.phase("choose"):
        choice = picking.picked(archive, wanted)
        outside = logsin.by_tenant([*logsin.newest_known(archive, choice), *wanted.checkpoints])
    with loader:
        done = _Restoration(archive, loader, keyring, means or Means(), watch).run(choice, outside)
        if not dry_run:
            with watch.phase("settle"):
                loader.finish()
        return done


class _Restoration:
    """One restore as it goes on."""

    def __init__(
        self, archive: Archive, loader: Loader, keyring: Keyring, means: Means, watch: Watch
    ) -> None:
        self._archive, self._loader, self._keyring = archive, loader, keyring
        self._means, self._watch, self._now = means, watch, loader.database.now()
        self._tenants: list[dict[str, Any]] = []
        self._versions: list[KeyRow] = []
        self._escrow: dict[int, bytes] = {}
        self._identities: list[Secret] = []
        self._left_out, self._unreadable = Counter[str](), Counter[str]()
        self._new_keys = 0
        self._number = 0  # of the manifest that is being loaded

    def run(self, choice: Choice, outside: Mapping[int, Sequence[str]]) -> Restored:
        """Do all but the end, after which the database is there.

        Args:
            outside: checkpoints of tenants' logs that are known elsewhere than in the backup.
        """
        with self._watch.phase("keyring", _rows(choice.keyring)):
            keys = self._load_keyring(choice.keyring, choice.data)
        try:
            with self._watch.phase("data", _rows(choice.data)):
                self._load_data(choice, keys)
            with self._watch.phase("check", _rows(choice.data, "audit_leaf")):
                self._unreadable += tallying.unreadable(self._loader, keys)
                endings = self._examine_logs(keys, outside)
            with self._watch.phase("settle"):
                made = self._settle(choice, keys, endings)
        finally:
            keysin.forget(keys)
        return Restored(
            choice.origin.installation, choice.origin.number, choice.data[-1].taken_at, choice.keyring[-1].number,
            made, self._watch.phases, self._counts(), +self._left_out, +self._unreadable, self._new_keys,
            [ending.told for ending in endings.values()], choice.passed_over,
        )  # fmt: skip

    def _load_keyring(self, chain: Sequence[Manifest], data: Sequence[Manifest]) -> dict[int, TenantKeys]:
        """Load the keyring; return the keys of all tenants, with new primaries.

        Args:
            data: the chain that is loaded next.
        """
        former = Former(self._loader, chain, data[-1].keyring)
        special: dict[str, Take] = {
            "subject": lambda block, _: former.take(block, self._number),
            "tenant": self._take_tenants, "key_version": self._take_versions, ESCROW: self._take_escrow,
        }  # fmt: skip
        self._identities = keysin.identities(chain, self._keyring, self._means)
        self._pour(chain, special, {})
        found = self._loader.state().counts("keyring")
        tallying.require(chain[-1], found, {}, exact=True)
        self._left_out["persons"] += self._loader.replay()["subject"]
        versions = keysin.resumed(self._versions, data)
        if self._means.recovery is not None:
            held = keysin.escrowed(self._escrow, self._means.recovery)
            versions, lost = keysin.rewrapped(versions, held, self._keyring, self._now)
            self._unreadable["keys"] += lost
        self._versions, self._new_keys = primaries.renewed(versions, self._keyring, self._now)
        keys = keysin.opened(self._versions, self._keyring)
        former.settle(self._archive, self._identities, keys)
        return keys

    def _load_data(self, choice: Choice, keys: Mapping[int, TenantKeys]) -> None:
        """Load the rows, tokens with an index of their own, which takes a phase of its own."""
        sieve = Sieve(self._loader)
        self._identities += keysin.of_service(keys)
        with Indexing(keys, _rows(choice.data, "token")) as indexing:

            def take(block: Block, _first: bool) -> None:
                self._put_tokens(indexing.push(*sieve.sift(block)))

            special: dict[str, Take] = {
                "token": take, "job": lambda block, _: settlingin.ended(block, self._now),
            }  # fmt: skip
            self._pour(choice.data, special, keys, lambda: self._put_tokens(indexing.rest()))
        gone = self._loader.replay()
        self._left_out["tokens"] += sieve.left_out["tokens"] + gone["token"]
        self._left_out["passwords"] += gone["password"]
        exact = choice.keyring[-1].number == choice.data[-1].keyring
        found = self._loader.state().counts("data")
        tallying.require(choice.data[-1], found, self._left_out, exact=exact)
        if self._unreadable["tokens"]:  # rows that later ones replaced were counted, too
            self._unreadable["tokens"] = self._closed(sieve, Reindexer(keys))
        with self._watch.indexing():
            self._loader.index(found["token"])

    def _closed(self, sieve: Sieve, reindexer: Reindexer) -> int:
        """Return how many tokens that are there do not open."""
        blocks = self._loader.state().table("token")
        return sum(reindexer.work(*sieve.sift(block)).unreadable["tokens"] for block in blocks)

    def _put_tokens(self, indexed: Iterable[Indexed]) -> None:
        waiting = iter(indexed)
        while True:
            with self._watch.indexing():
                done = next(waiting, None)
            if done is None:
                return
            self._unreadable += done.unreadable
            self._loader.put(Block("token", COLUMNS["token"], done.rows))

    def _pour(
        self,
        chain: Sequence[Manifest],
        special: Mapping[str, Take],
        keys: Mapping[int, TenantKeys],
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        pour = Pour(self._loader, special)
        for manifest in chain:
            self._number = manifest.number
            pour.begin(manifest, keysin.digest_key(keys, manifest))
            with closing(self._archive.blocks(manifest, self._identities)) as chunks:
                for blocks in chunks:
                    for block in blocks:
                        pour.take(block)
                        self._watch.done(len(block.rows))
            rest()
            pour.end(manifest)

    def _take_tenants(self, block: Block, first: bool) -> Block:
        self._tenants = [*([] if first else self._tenants), *_mappings(block)]
        return block

    def _take_versions(self, block: Block, first: bool) -> Block:
        self._versions = [*([] if first else self._versions), *_mappings(block)]
        return block

    def _take_escrow(self, block: Block, _first: bool) -> None:
        self._escrow |= {row[0]: row[1] for row in block.rows}

    def _examine_logs(
        self, keys: Mapping[int, TenantKeys], outside: Mapping[int, Sequence[str]]
    ) -> dict[int, Ending]:
        logsin.require_known(outside, keys)
        return {
            tenant: logsin.examine(self._loader, held, outside.get(tenant, ()), self._now, self._watch.done)
            for tenant, held in keys.items() if logsin.has_log(held)
        }  # fmt: skip

    def _settle(self, choice: Choice, keys: Mapping[int, TenantKeys], endings: Mapping[int, Ending]) -> str:
        """Make it a database of its own; return its name."""
        modes = {row["id"]: row["mode"] for row in self._tenants}
        for tenant, ending in endings.items():
            target = f"{choice.origin.installation} {choice.origin.number}"
            logsin.begin(self._loader, keys[tenant], modes.get(tenant, ""), ending, target)
        settlingin.put_keys(self._loader, self._tenants, self._versions)
        return settlingin.name_installation(self._loader, choice.origin)

    def _counts(self) -> dict[str, int]:
        state = self._loader.state()
        return {name: count for stream in STREAMS for name, count in state.counts(stream).items()}


def _mappings(block: Block) -> list[dict[str, Any]]:
    return [dict(zip(block.columns, row, strict=True)) for row in block.rows]


def _rows(chain: Sequence[Manifest], *tables: str) -> int:
    """Return how many rows of these tables there are to load, or of all."""
    found = [chunk.rows for manifest in chain for chunk in manifest.chunks]
    return sum(count for rows in found for table, count in rows.items() if table in tables or not tables)
