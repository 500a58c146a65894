"""The rows of a manifest's chunks, in their order: fetched ahead, verified, opened and read."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256

from keys.secret import Secret
from vault.backup import blocks, envelope, layout
from vault.backup.model import Chunk, Manifest
from vault.errors import BackupDamaged, BackupLocked
from vault.recovery.targets.protocol import MissingFile, Target
from vault.store.streams import ESCROW, TABLES, Block

AHEAD = 3  # chunks that are fetched and opened before they are asked for
OPENERS = 2  # threads that open: SHA-256, age and zstd let others run


def opened(
    target: Target, manifest: Manifest, identities: Sequence[Secret]
) -> Generator[list[Block], None, None]:
    """Give the blocks of each chunk, once all of it proved to be what the manifest says.

    The target is called by one thread, which is not the caller's, until the iterator ends or is closed.

    Raises:
        BackupDamaged: a file is not there, is another, does not open or holds other rows; names file and chunk.
        BackupLocked: none of the identities opens it.
        TargetFailed: as the target does.
    """
    waiting: deque[Future[list[Block]]] = deque()
    with ThreadPoolExecutor(1) as fetcher, ThreadPoolExecutor(OPENERS) as openers:
        try:
            for place in range(len(manifest.chunks)):
                if len(waiting) == AHEAD:
                    yield waiting.popleft().result()
                fetched = fetcher.submit(_fetched, target, manifest, place)
                waiting.append(openers.submit(_opened, fetched, manifest, place, identities))
            while waiting:
                yield waiting.popleft().result()
        finally:
            fetcher.shutdown(wait=False, cancel_futures=True)
            openers.shutdown(wait=False, cancel_futures=True)


def verified(stored: bytes, manifest: Manifest, place: int) -> bytes:
    """Return what is stored of a chunk, if it is what the manifest says; raise BackupDamaged. No key is needed."""
    chunk, file = manifest.chunks[place], path(manifest, place)
    if len(stored) != chunk.size:
        raise BackupDamaged(f"a file of the backup has {len(stored)} bytes, not {chunk.size}", file, place)
    if sha256(stored).hexdigest() != chunk.digest:
        raise BackupDamaged("a file of the backup was altered", file, place)
    return stored


def path(manifest: Manifest, place: int) -> str:
    """Return where a chunk lies."""
    return layout.chunk(manifest.installation, manifest.stream, manifest.chunks[place].digest)


def _fetched(target: Target, manifest: Manifest, place: int) -> bytes:
    try:
        return target.get(path(manifest, place))
    except MissingFile:
        raise BackupDamaged("a file of the backup is not there", path(manifest, place), place) from None


def _opened(
    fetched: Future[bytes], manifest: Manifest, place: int, identities: Sequence[Secret]
) -> list[Block]:
    file = path(manifest, place)
    try:
        stored = verified(fetched.result(), manifest, place)
        found = blocks.decode(envelope.opened(stored, identities))
    except envelope.NoIdentity:
        raise BackupLocked("none of the keys at hand opens the backup") from None
    except (envelope.NotOpened, blocks.NotRows) as error:
        raise BackupDamaged(f"a file of the backup does not open: {error}", file, place) from None
    known = {*TABLES[manifest.stream], *((ESCROW,) if manifest.stream == "keyring" else ())}
    if _counted(found) != _expected(manifest.chunks[place]) or any(one.table not in known for one in found):
        raise BackupDamaged("a file of the backup has other rows than its manifest says", file, place)
    return found


def _counted(found: Sequence[Block]) -> dict[str, int]:
    """Return how many rows of each table there are; of a table with none there is nothing to say."""
    counts: dict[str, int] = {}
    for block in found:
        if block.rows:
            counts[block.table] = counts.get(block.table, 0) + len(block.rows)
    return counts


def _expected(chunk: Chunk) -> dict[str, int]:
    return {table: count for table, count in chunk.rows.items() if count}
