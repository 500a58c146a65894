"""Memory for Argon2, mapped once and used by one hash after another.

Argon2 asks for its memory anew for each hash; what malloc maps for it then comes page by page, zeroed by the kernel,
at a quarter to a half of the whole time. Kept memory costs that once, and huge pages make the first use cheap.
"""

from __future__ import annotations

import ctypes
import math
import mmap
from contextlib import suppress

from vault.errors import HashingUnavailable

KIB = 1024

# ctypes and not cffi makes the functions that Argon2 calls: its libffi needs no memory that can be both written and
# run, which systemd's MemoryDenyWriteExecute= and SELinux forbid.
_PLACE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_size_t)
_LEAVE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t)


class Arena:
    """Memory of one hash at a time, as large as that hash needs; what it keeps in between is all zeros.

    Attributes:
        kept: kibibytes that it holds.
        place, leave: addresses of the functions that Argon2 calls for memory; 0 where none can be made: it uses malloc.
    """

    def __init__(self) -> None:
        self._map: mmap.mmap | None = None
        self._address = 0
        self.kept = 0
        try:
            self._functions = _PLACE(self._place), _LEAVE(_nothing)  # kept: Argon2 has only their addresses
            self.place, self.leave = (ctypes.cast(one, ctypes.c_void_p).value or 0 for one in self._functions)
        except MemoryError:
            self.place = self.leave = 0

    def fit(self, memory: int) -> None:
        """Have room for a hash of so many kibibytes, and no more; HashingUnavailable if the machine has none left."""
        if not self.place or self.kept == memory:
            return
        if self._map is not None and self.kept > memory:
            self._map.resize(memory * KIB)  # madvise would not give locked pages back
            self._point(self._map, memory)
            return
        self.release()
        try:
            self._map = made = mmap.mmap(-1, memory * KIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except OSError:
            raise HashingUnavailable("there is no memory left for a hash") from None
        for advice in (mmap.MADV_HUGEPAGE, mmap.MADV_DONTDUMP):
            with suppress(OSError):  # a kernel without huge pages
                made.madvise(advice)
        self._point(made, memory)

    def release(self) -> None:
        """Give the memory back; the next hash maps it anew."""
        if self._map is not None:
            self._map.close()
            self._map, self._address, self.kept = None, 0, 0

    def content(self) -> bytes:
        """Return what is in it."""
        return b"" if self._map is None else self._map[:]

    def _point(self, made: mmap.mmap, memory: int) -> None:
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(made))
        self.kept = memory

    def _place(self, where: ctypes._Pointer[ctypes.c_void_p], size: int) -> int:
        """Tell Argon2 where its memory is; it takes no address as a refusal."""
        if size <= self.kept * KIB:
            where[0] = self._address
        return 0


def _nothing(address: int | None, size: int) -> None:
    """Take the memory back, which Argon2 has filled with zeros before."""


class Shelf:
    """Arenas that nobody uses, the one used last on top. Not safe to share between threads."""

    def __init__(self) -> None:
        self._arenas: list[tuple[float, Arena]] = []

    @property
    def kept(self) -> int:
        """Kibibytes that they hold."""
        return sum(arena.kept for _, arena in self._arenas)

    def take(self) -> Arena:
        """Return the arena used last, or a new one."""
        return self._arenas.pop()[1] if self._arenas else Arena()

    def put(self, arena: Arena, now: float) -> None:
        """Keep an arena that was used until now."""
        self._arenas.append((now, arena))

    def shrink(self, most: int, since: float = -math.inf) -> None:
        """Give memory back from below: down to `most` kibibytes, and of what was used last before `since`."""
        while self._arenas and (self.kept > most or self._arenas[0][0] < since):
            self._arenas.pop(0)[1].release()
