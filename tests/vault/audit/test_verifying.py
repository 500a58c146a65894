"""What an examination says of a log, and where it cannot be exact that it says so."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.vault.audit.logs import (
    KEYS,
    ORIGIN,
    SIGNER,
    TENANT,
    THIEF,
    Log,
    Store,
    chain,
    record,
    records,
    signed,
    whole,
)
from vault.audit import checkpoints, merkle, tiles
from vault.audit.evidence import Batch, Evidence, Loss
from vault.audit.findings import Report
from vault.audit.notes import Signer
from vault.audit.reading import batches
from vault.audit.verifying import verify

SIZE, EVERY = 500, 50
COPIES = list(enumerate(records(SIZE)))


@pytest.fixture
def log() -> Log:
    return whole(SIZE, EVERY)


def told(report: Report) -> list[tuple[str, int | None, int | None]]:
    return [(finding.kind, finding.position, finding.until) for finding in report.findings]


def spoil(log: Log, at: int) -> None:
    log.leaves[at] = record(at, random.Random(at))


def test_without_tiles_a_range_is_told(log: Log) -> None:
    assert log.examine(tiled=False).intact
    spoil(log, 123)
    report = log.examine(tiled=False)
    assert told(report) == [("edited", 100, 150)]
    assert report.checkpoint == checkpoints.Checkpoint(ORIGIN, 100, merkle.root_of(log.hashes[:100]))
    assert (report.intact, report.first) == (False, report.findings[0])
    assert "between 100 and 149" in report.findings[0].reason


def test_copies_from_outside_make_it_exact(log: Log) -> None:
    spoil(log, 123)
    assert told(log.examine(tiled=False, copies=COPIES)) == [("edited", 123, None)]
    assert told(log.examine(tiled=False, copies=COPIES[100:])) == [("edited", 123, None)]
    assert told(log.examine(tiled=False, copies=[*COPIES[:9], *COPIES[99:200]])) == [("edited", 123, None)]
    assert told(log.examine(tiled=False, copies=COPIES[110:])) == [
        ("edited", 100, 124)
    ]  # 100 to 109 may be bad, too
    assert told(log.examine(tiled=False, copies=COPIES[:120])) == [("edited", 100, 150)]


def test_copies_that_come_again_are_passed_over(log: Log) -> None:
    again = [*COPIES[:200], *COPIES[100:]]
    assert log.examine(copies=again).intact
    spoil(log, 300)
    log.retile()
    assert told(log.examine(copies=again)) == [("edited", 300, None)]


def test_a_copy_that_is_wrong_is_told_from_a_record_that_is(log: Log) -> None:
    copies = [*COPIES[:70], (70, b"another"), *COPIES[71:]]
    assert told(log.examine(copies=copies)) == [("copy_damaged", 70, None)]
    spoil(log, 71)
    spoil(log, 200)
    report = log.examine(copies=copies)
    assert told(report) == [("copy_damaged", 70, None), ("edited", 71, None), ("edited", 200, None)]


def test_several_damages_are_all_named(log: Log) -> None:
    spoil(log, 7)
    log.leaves[60:62] = [None, None]
    log.leaves[333], log.leaves[334] = log.leaves[334], log.leaves[333]
    log.hashes[451] = bytes(32)
    report = log.examine()
    assert told(report) == [
        ("edited", 7, None),
        ("removed", 60, None),
        ("reordered", 333, None),
        ("tile_damaged", 451, None),
    ]
    assert report.findings[1].reason == "2 records were from 60 on removed"
    assert report.records == SIZE - 2


def test_damage_behind_the_newest_checkpoint_is_told_as_far_as_it_can(log: Log) -> None:
    log.inside = log.inside[:2]
    assert told(log.examine()) == [("inserted", 100, None)]
    spoil(log, 130)
    assert told(log.examine()) == [("edited", 100, 131)]
    assert told(log.examine(copies=COPIES)) == [("edited", 130, None)]
    log.inside = []
    log.leaves, log.hashes = [*records(SIZE)], []
    assert told(log.examine(tiled=False)) == [("unsigned", 0, None)]
    assert log.examine().checkpoint is None


def test_an_empty_log_is_intact() -> None:
    empty = Log([], [])
    report = empty.examine()
    assert (report.intact, report.records, report.root) == (True, 0, merkle.EMPTY_ROOT)
    empty.inside = [signed([], 0)]
    assert empty.examine().checkpoint == checkpoints.Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT)


def test_a_position_with_neither_record_nor_tile_is_a_gap(log: Log) -> None:
    def holed() -> list[Batch]:
        return [Batch(0, log.leaves[:90]), Batch(95, log.leaves[95:])]

    evidence = Evidence(ORIGIN, TENANT, KEYS, log.inside)
    assert told(verify(evidence, holed())) == [("gap", 90, None)]
    spoil(log, 20)
    assert told(verify(evidence, holed())) == [("edited", 0, 50), ("gap", 90, None)]
    with pytest.raises(ValueError, match="in order"):
        verify(evidence, reversed(holed()))


def test_a_tile_that_is_gone_is_told_and_the_records_go_on(log: Log) -> None:
    evidence = Evidence(ORIGIN, TENANT, KEYS, log.inside)
    packed = b"".join(log.hashes)
    short = [Batch(0, log.leaves[:256], packed[: 70 * 32]), Batch(256, log.leaves[256:], packed[256 * 32 :])]
    assert told(verify(evidence, short)) == [("tile_damaged", 70, None)]


@pytest.mark.parametrize("note", ["bad", "thief", "other", "text", "body", "twice"])
def test_checkpoints_that_do_not_count_are_told(log: Log, note: str) -> None:
    other = Signer(checkpoints.log_name(TENANT, 2), bytes(range(32)))
    spoilt = {
        "bad": (log.inside[2].replace("\n150\n", "\n151\n"), "bad_signature", 151),
        "thief": (signed(log.hashes, 150, THIEF), "unknown_key", 150),
        "other": (checkpoints.sign(other, 150, bytes(32)), "other_log", 150),
        "text": ("no note", "note_malformed", None),
        "body": (SIGNER.sign("no\ncheckpoint\n"), "checkpoint_malformed", None),
        "twice": (checkpoints.sign(SIGNER, 150, bytes(32)), "forked", 100),
    }
    text, kind, position = spoilt[note]
    log.outside = [text, text]
    report = log.examine()
    assert [finding[:2] for finding in told(report)] == [(kind, position)]
    assert report.checkpoint is not None
    assert report.checkpoint.size == SIZE


def test_a_checkpoint_of_another_history_is_told_from_a_log_that_was_changed(log: Log) -> None:
    log.outside = [checkpoints.sign(SIGNER, 170, bytes(32)), checkpoints.sign(SIGNER, 180, bytes(32))]
    assert told(log.examine()) == [("forked", 150, 170)]
    log.outside = [checkpoints.sign(SIGNER, SIZE, bytes(32))]
    log.inside = log.inside[:-1]
    assert told(log.examine()) == [("forked", 450, SIZE)]


def test_a_record_that_is_none_is_told_although_it_was_sealed(log: Log) -> None:
    log.leaves[30] = b"\x02no record"
    log.leaves[31] = record(31, random.Random(1), tenant=TENANT + 1)
    log.retile()
    log.inside = chain(log.hashes, [SIZE])
    assert told(log.examine()) == [("not_canonical", 30, None), ("not_canonical", 31, None)]


class TestArchived:
    """Logs whose first records are gone."""

    @pytest.fixture
    def store(self, log: Log) -> Store:
        store = Store()
        store.grow(0, log.hashes)
        return store

    def examine(self, log: Log, store: Store, dropped: int, **changed: Any) -> Report:
        frontier = tiles.frontier(dropped, store.read).hashes()
        evidence = Evidence(
            ORIGIN, TENANT, KEYS, log.inside, dropped=dropped, frontier=frontier, copies=COPIES
        )
        batch = Batch(dropped, log.leaves[dropped:], b"".join(log.hashes[dropped:]))
        return verify(replace(evidence, **changed), [batch])

    @pytest.mark.parametrize("dropped", [150, 177])
    def test_the_rest_is_examined(self, log: Log, store: Store, dropped: int) -> None:
        report = self.examine(log, store, dropped)
        assert told(report) == []
        assert (report.records, report.root) == (SIZE - dropped, merkle.root_of(log.hashes))
        spoil(log, 400)
        assert told(self.examine(log, store, dropped)) == [("edited", 400, None)]

    def test_tiles_that_do_not_vouch_for_what_is_gone_are_told(self, log: Log, store: Store) -> None:
        store.tiles[0, 0] = bytes(32) + store.tiles[0, 0][32:]
        assert told(self.examine(log, store, 150)) == [("tile_damaged", 0, 150)]
        assert [finding.kind for finding in self.examine(log, store, 177).findings] == ["forked"]


class TestRestored:
    """Logs that a restore took back to an earlier state, while a later checkpoint was outside."""

    @pytest.fixture
    def back(self, log: Log) -> Log:
        del log.leaves[300:], log.hashes[300:]
        log.outside, log.inside = log.inside[-1:], log.inside[:6]
        return log

    def loss(self, back: Log, **changed: Any) -> Loss:
        return replace(Loss(back.outside[-1], 300, SIZE, sealed=True), **changed)

    def test_what_the_next_log_says_is_no_tampering(self, back: Log) -> None:
        report = back.examine(loss=self.loss(back), copies=COPIES)
        assert (report.intact, told(report)) == (True, [("restored", 300, SIZE)])
        assert back.examine(loss=self.loss(back)).findings == report.findings

    def test_without_it_the_tail_was_cut(self, back: Log) -> None:
        assert told(back.examine()) == [("cut_tail", 300, None)]

    @pytest.mark.parametrize(
        "changed",
        [
            {"sealed": False},
            {"first": 299},
            {"first": 301},
            {"end": 499},
            {"end": 501},
            {"note": "no note"},
        ],
        ids=str,
    )
    def test_what_does_not_hold_is_not_taken(self, back: Log, changed: Mapping[str, Any]) -> None:
        assert ("cut_tail", 300, None) in told(back.examine(loss=self.loss(back, **changed)))

    def test_the_last_checkpoint_must_be_the_newest(self, back: Log) -> None:
        newest = checkpoints.sign(SIGNER, SIZE + 9, bytes(32))
        note = back.outside[0]
        back.outside.append(newest)
        assert told(back.examine(loss=self.loss(back, note=note))) == [("cut_tail", 300, None)]

    def test_other_damage_is_tampering_as_ever(self, back: Log) -> None:
        spoil(back, 20)
        report = back.examine(loss=self.loss(back))
        assert told(report) == [("edited", 20, None), ("restored", 300, SIZE)]
        assert report.first == report.findings[0]


class TestReading:
    """Batches from rows and tiles as they lie in a database."""

    def examine(self, log: Log, rows: Mapping[int, bytes], found: Store, page: int = 70) -> Report:
        order = sorted(rows)
        pages = [
            [(at, rows[at]) for at in order[first : first + page]] for first in range(0, len(order), page)
        ]

        def read(numbers: range) -> dict[int, bytes]:
            return {number: found.tiles[0, number] for number in numbers if (0, number) in found.tiles}

        return verify(Evidence(ORIGIN, TENANT, KEYS, log.inside), batches(pages, read, 0, SIZE))

    def test_rows_and_tiles_are_put_together(self, log: Log) -> None:
        store = Store()
        store.grow(0, log.hashes)
        assert self.examine(log, dict(COPIES), store).intact
        for gone in ([0], [69, 70, 71], [250], [499], range(430, 500), range(SIZE)):
            rows = {at: leaf for at, leaf in COPIES if at not in gone}
            kind = "cut_tail" if SIZE - 1 in gone else "removed"
            assert told(self.examine(log, rows, store)) == [(kind, gone[0], None)]
        del store.tiles[0, 0]
        assert told(self.examine(log, dict(COPIES), store, SIZE)) == [("tile_damaged", 0, None)]
