"""Blocks of a snapshot into sealed chunks: gathered, compressed and encrypted, in bounded memory."""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256

from vault.backup import blocks, envelope
from vault.backup.blocks import Packed
from vault.backup.model import Chunk

ENOUGH = 6 * 1_024 * 1_024  # bytes of rows with which a chunk ends
MOST_BLOCKS = 4_096  # in a chunk
THREADS = 2  # compressing and encrypting leave the interpreter to others
LEAST = 19  # niceness of what has time: whatever else this machine has to do goes first


@dataclass(slots=True, repr=False)
class Sealed:
    """A chunk as it goes to the targets, and what the manifest says of it."""

    chunk: Chunk
    stored: bytes


@dataclass(slots=True)
class _Gathered:
    """Blocks on their way into a chunk."""

    parts: list[Packed] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    size: int = 0

    def add(self, block: Packed) -> bool:
        """Take a block; return whether the chunk has enough."""
        self.parts.append(block)
        self.rows[block.table] += block.count
        self.size += len(block.head) + len(block.rows)
        return self.size >= ENOUGH or len(self.parts) >= MOST_BLOCKS


class Sealer:
    """Seals chunks in a few threads; for one backup at a time."""

    def __init__(self, hasty: bool = False) -> None:
        """Args: `hasty` threads have the priority of others; else the least."""
        self._pool = ThreadPoolExecutor(THREADS, "seal backups", initializer=None if hasty else give_way)

    def chunks(self, source: Iterable[Packed], recipients: Sequence[str]) -> Iterator[Sealed]:
        """Yield the chunks of blocks in their order; a few are being sealed while the next is gathered."""
        under_way: deque[Future[Sealed]] = deque()
        try:
            for gathered in _gather(source):
                under_way.append(self._pool.submit(_seal, gathered, recipients))
                if len(under_way) > THREADS:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for left in under_way:
                left.cancel()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def give_way() -> None:
    """Give the calling thread the least priority: requests do not wait for backups (setpriority(2), of a thread)."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LEAST)


def _gather(source: Iterable[Packed]) -> Iterator[_Gathered]:
    filling = _Gathered()
    for block in source:
        if filling.add(block):
            yield filling
            filling = _Gathered()
    if filling.parts:
        yield filling


def _seal(gathered: _Gathered, recipients: Sequence[str]) -> Sealed:
    stored = envelope.seal(blocks.joined(gathered.parts), recipients)
    return Sealed(Chunk(sha256(stored).hexdigest(), len(stored), dict(gathered.rows)), stored)
