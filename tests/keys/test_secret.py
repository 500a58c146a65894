"""A Secret gives its bytes to nobody who does not ask by name."""

from __future__ import annotations

import copy
import pickle

import pytest

from keys.secret import Secret


def test_nothing_prints_it() -> None:
    key = Secret(b"canary-canary-canary-canary-cana")
    for shown in (repr(key), str(key), f"{key}", f"{[key]}"):
        assert "canary" not in shown


def test_it_is_not_pickled_copied_or_hashed() -> None:
    key = Secret.random()
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(key)
    with pytest.raises(TypeError):
        hash(key)


def test_equal_bytes_are_equal() -> None:
    assert Secret(b"a" * 32) == Secret(b"a" * 32)
    assert Secret(b"a" * 32) != Secret(b"b" * 32)
    assert Secret(b"a" * 32) != b"a" * 32


def test_wiped_it_is_gone() -> None:
    key = Secret.random()
    held = key._bytes
    key.wipe()
    assert bytes(held) == b""
    with pytest.raises(ValueError, match="wiped"):
        key.expose()


def test_random_keys_differ() -> None:
    assert len({Secret.random().expose() for _ in range(100)}) == 100
