"""A log that was tampered with, in every way there is: always found, and the first bad record named.

`STRONGROOM_CAMPAIGN=full` examines 10,000 mutations of a log of 100,000 records, an hour or two of one core; otherwise
210 of a small one, and a few of the large one.
"""

from __future__ import annotations

import random

import pytest

from tests.scenarios.campaign import FULL, rounds
from tests.vault.audit.logs import Log, whole
from tests.vault.audit.mutations import MUTATIONS, NOTES, Mutation, edit, remake, remove, swap

SMALL, SMALL_EVERY, LARGE, LARGE_EVERY = 700, 90, 100_000, 2_000
EACH = rounds(14, 10_000 // len(MUTATIONS) + 1)


def found(log: Log, mutation: Mutation, draw: random.Random) -> None:
    told = mutation(log, draw)
    report = log.examine(draw.choice((100, 1_024, 4_096)), **told.evidence)
    assert not report.intact
    if told.kinds == NOTES:
        assert {finding.kind for finding in report.findings} <= NOTES
        return
    kinds = [finding for finding in report.findings if finding.kind in told.kinds]
    first = min(kinds, key=lambda finding: -1 if finding.position is None else finding.position)
    bad = [finding for finding in report.findings if finding.kind not in NOTES]
    assert bad[0] == first, (told, report.findings)
    assert first.position is not None
    if told.exact:
        assert (first.position, first.until) == (told.position, None), (told, report.findings)
    else:
        until = first.until or first.position + 1
        assert first.position <= told.position < until, (told, report.findings)
    if report.checkpoint and "tile_damaged" not in told.kinds and not told.exact:
        assert report.checkpoint.size <= told.position or "forked" in told.kinds


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.__name__ for mutation in MUTATIONS])
def test_it_is_found(mutation: Mutation) -> None:
    size, every = (LARGE, LARGE_EVERY) if FULL else (SMALL, SMALL_EVERY)
    draw = random.Random(mutation.__name__)
    for _ in range(EACH):
        found(whole(size, every), mutation, draw)


@pytest.mark.parametrize("mutation", [edit, remove, swap, remake], ids=["edit", "remove", "swap", "remake"])
def test_it_is_found_among_100000(mutation: Mutation) -> None:
    found(whole(LARGE, LARGE_EVERY), mutation, random.Random(f"large {mutation.__name__}"))


def test_a_log_that_nobody_touched_is_intact() -> None:
    for size, every in ((SMALL, SMALL_EVERY), (LARGE, LARGE_EVERY)):
        log = whole(size, every)
        report = log.examine()
        assert report.intact
        assert report.findings == ()
        assert (report.records, report.checkpoint and report.checkpoint.size) == (size, size)
