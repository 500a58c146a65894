"""Argon2's memory: as large as the hash needs, used again, wiped, and left to malloc where there is no other way."""

from __future__ import annotations

import ctypes
import mmap
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import _argon2_cffi_bindings
import pytest

from vault.errors import HashingUnavailable
from vault.passwords import argon2id
from vault.passwords.arena import Arena
from vault.passwords.profiles import Profile

SALT = bytes(range(16))
KIB = 1024


def small(memory: int) -> Profile:
    return Profile("small", memory, 1, 1)


@contextmanager
def unwiped() -> Iterator[None]:
    """Let Argon2 leave its memory as it is."""
    library = ctypes.CDLL(_argon2_cffi_bindings._ffi.__file__)
    flag = ctypes.c_int.in_dll(library, "FLAG_clear_internal_memory")
    flag.value = 0
    try:
        yield
    finally:
        flag.value = 1


def test_nothing_is_left_of_a_hash() -> None:
    arena = Arena()
    with unwiped():
        argon2id.hash_one(b"pass", small(256), SALT, arena)
    assert any(arena.content())  # so this is where the hash was
    argon2id.hash_one(b"pass", small(256), SALT, arena)
    assert arena.content() == bytes(256 * KIB)


def test_memory_is_used_again_as_large_as_the_hash_needs() -> None:
    arena = Arena()
    expected = {memory: argon2id.hash_one(b"pass", small(memory), SALT) for memory in (300, 100, 1000)}
    for memory in (300, 100, 100, 1000, 300):
        assert argon2id.hash_one(b"pass", small(memory), SALT, arena) == expected[memory]
        assert (arena.kept, len(arena.content())) == (memory, memory * KIB)
    arena.release()
    assert (arena.kept, arena.content()) == (0, b"")
    assert argon2id.hash_one(b"pass", small(100), SALT, arena) == expected[100]


def test_a_machine_without_memory_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> mmap.mmap:
        raise OSError

    arena = Arena()
    monkeypatch.setattr(mmap, "mmap", refuse)
    with pytest.raises(HashingUnavailable):
        argon2id.hash_one(b"pass", small(100), SALT, arena)
    assert arena.kept == 0


# systemd's MemoryDenyWriteExecute=, as a process asks for it itself (PR_SET_MDWE, linux/prctl.h).
HARDENED = """
import ctypes, mmap
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0:
    try:
        mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        raise SystemExit("it was not denied")
    except PermissionError:
        pass
"""
HASH = """
from vault.passwords import argon2id
from vault.passwords.arena import Arena
from vault.passwords.profiles import Profile
print(argon2id.hash_one(b"pass", Profile("small", 100, 1, 1), bytes(range(16)), Arena()))
"""
NO_CLOSURES = """
from vault.passwords import arena
def none(function):
    raise MemoryError
arena._PLACE = none
"""


@pytest.mark.parametrize("before", [HARDENED, NO_CLOSURES], ids=["hardened", "no closures"])
def test_it_hashes_where_memory_cannot_be_made_to_run(before: str) -> None:
    done = subprocess.run([sys.executable, "-c", before + HASH], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == argon2id.hash_one(b"pass", small(100), SALT)
