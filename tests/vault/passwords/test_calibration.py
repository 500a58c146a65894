"""Calibration finds what comes closest below a target, never weaker than OWASP's minimum, and says if it cannot."""

from __future__ import annotations

import time

import pytest

from vault.passwords.calibration import TRIES, calibrate, find
from vault.passwords.profiles import INTERACTIVE, Profile, parse

MIB = 1_024
SHARE = 512 * MIB


class Machine:
    """Takes so many seconds a GiB and pass, and so many besides; counts what was measured on it."""

    def __init__(self, pace: float, besides: float = 0.0) -> None:
        self.pace, self.besides, self.measured = pace, besides, 0

    def __call__(self, profile: Profile) -> float:
        self.measured += 1
        return self.pace * profile.memory * profile.passes / (1_024 * MIB) + self.besides


def parameters(found: Profile) -> tuple[int, int, int]:
    return found.memory // MIB, found.passes, found.lanes


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (0.192, (64, 3, 1)),  # as many passes as fit over 64 MiB
        (0.185, (61, 3, 1)),
        (0.100, (50, 2, 1)),
        (0.060, (60, 1, 1)),
        (0.045, (22, 2, 1)),  # one pass over 45 MiB would be too weak
        (0.037, (12, 3, 1)),  # and two over 18
        (0.250, (83, 3, 1)),  # three passes are enough: more memory
        (30.00, (508, 59, 1)),  # but no more than the share
    ],
)
def test_what_comes_closest_below_the_target_is_found(target: float, expected: tuple[int, int, int]) -> None:
    machine = Machine(1.024)  # a millisecond a MiB and pass
    found = find(target, SHARE, machine)
    assert parameters(found.profile) == expected
    assert 0.9 * target <= found.seconds <= target
    assert found.profile == parse(f"{INTERACTIVE}:{found.profile.parameters}")


@pytest.mark.parametrize(("besides", "target"), [(0.01, 0.25), (-0.02, 0.25), (0.1, 0.4)])
def test_a_machine_that_is_not_quite_linear_is_tried_again(besides: float, target: float) -> None:
    machine = Machine(1.024, besides)
    found = find(target, SHARE, machine)
    assert 0.9 * target <= found.seconds <= target
    assert machine.measured <= TRIES + 1


@pytest.mark.parametrize("share", [10, 20, 48, 64, 100])
def test_the_memory_is_no_more_than_the_share(share: int) -> None:
    found = find(0.3, share * MIB, Machine(1.024))
    assert found.profile.memory <= share * MIB
    assert 0.27 <= found.seconds <= 0.3


def test_a_target_that_cannot_be_met_gives_the_quickest_that_is_strong_enough() -> None:
    found = find(0.03, SHARE, Machine(1.024))
    assert parameters(found.profile) == (7, 5, 1)
    assert found.seconds > 0.03
    assert parse(f"{INTERACTIVE}:{found.profile.parameters}") == found.profile


def test_the_least_is_found_where_there_is_hardly_memory() -> None:
    assert parameters(find(0.001, 5 * MIB, Machine(1.024)).profile) == (7, 5, 1)


def test_a_machine_is_calibrated() -> None:
    told: list[Profile] = []
    made = calibrate(0.001, 20 * MIB, time.monotonic, told.append)
    assert not made.met
    assert made.profile.name == INTERACTIVE
    assert made.profile.memory <= 20 * MIB
    assert [one.profile.name for one in made.named] == ["owasp", "owasp-12", "owasp-9", "owasp-7"]
    assert all(one.seconds > 0 for one in (made.found, *made.named))
    assert {one.profile for one in made.named} <= set(told)
