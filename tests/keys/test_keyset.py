"""States of SP 800-57 Part 1 Rev. 5, section 7: every way from one to another that there is, and no other."""

from __future__ import annotations

import itertools

import pytest

from keys.errors import KeyStateError, UnknownKey
from keys.keyset import Keyset, KeyVersion, Purpose, State

GOOD = {
    ("pre-active", "active"), ("pre-active", "destroyed"),
    ("active", "deactivated"), ("active", "compromised"),
    ("deactivated", "suspended"), ("deactivated", "compromised"), ("deactivated", "destroyed"),
    ("suspended", "deactivated"), ("suspended", "compromised"), ("suspended", "destroyed"),
    ("compromised", "destroyed"),
}  # fmt: skip


def holding(state: State) -> Keyset:
    return Keyset(1, Purpose.SEAL, (KeyVersion(7, state, "root", b"wrapped", 1.0, destroy_at=9.0),))


@pytest.mark.parametrize(("old", "new"), list(itertools.permutations(State, 2)))
def test_each_way(old: State, new: State) -> None:
    keyset = holding(old)
    if (old.value, new.value) not in GOOD:
        with pytest.raises(KeyStateError, match=f"is {old} cannot become {new}"):
            keyset.turned(7, new, 5.0)
        return
    turned = keyset.turned(7, new, 5.0).version(7)
    assert turned.state is new
    assert turned.activated_at == (5.0 if new is State.ACTIVE else None)
    assert turned.deactivated_at == (5.0 if old is State.ACTIVE else None)
    assert turned.wrapped == (b"" if new is State.DESTROYED else b"wrapped")
    assert turned.destroy_at == (None if new in {State.DESTROYED, State.ACTIVE} else 9.0)


def test_an_unknown_version_is_named_so() -> None:
    with pytest.raises(UnknownKey):
        holding(State.ACTIVE).turned(8, State.DEACTIVATED, 1.0)
