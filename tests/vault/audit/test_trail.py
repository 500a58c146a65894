"""The trail: runs and merges hold exactly what a plain list of the leaves' digests holds, and find it again."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.audit import trail
from vault.audit.leaf import FIRST_FORMAT, Record, encode

digests = st.lists(st.sampled_from([bytes([n]) * 8 + bytes(8) for n in range(6)]), max_size=5)
columns = st.lists(digests, max_size=30)


def entries(page: bytes) -> list[tuple[bytes, int]]:
    """Return a page's entries as digest prefix and position."""
    cut = [page[at : at + 16] for at in range(0, len(page), 16)]
    return [(one[:8], int.from_bytes(one[8:], "big")) for one in cut]


def record(**parts: object) -> Record:
    """Return a record with these parts."""
    usual: dict[str, object] = {
        "id": bytes(range(16)), "at": 5, "tenant": 1, "actor": "key_é", "request_id": "r", "operation": "reveal",
        "field": "", "purpose": "", "view": "", "result": "ok", "count": 1, "refused": 0, "key": 77,
        "tokens": b"t" * 16 + b"u" * 16,
    }  # fmt: skip
    return Record(**{**usual, **parts})  # type: ignore[arg-type]


@given(columns)
def test_a_run_holds_each_digest_of_each_leaf_once_and_in_order(column: list[list[bytes]]) -> None:
    run = trail.make(100, [b"".join(found) for found in column])
    expected = sorted({(digest[:8], 100 + at) for at, found in enumerate(column) for digest in found})
    assert entries(run) == expected


@given(st.lists(columns, min_size=1, max_size=20), st.integers(1, 5))
def test_merged_runs_hold_what_the_runs_held(runs: list[list[list[bytes]]], size: int) -> None:
    made, start = [], 0
    for column in runs:
        made.append(trail.make(start, [b"".join(found) for found in column]))
        start += len(column)

    def cut(run: bytes) -> Iterator[bytes]:
        return (run[at : at + 16 * size] for at in range(0, len(run), 16 * size))

    merged = list(trail.merge([cut(run) for run in made]))
    assert entries(b"".join(page.entries for page in merged)) == sorted(
        entry for run in made for entry in entries(run)
    )


def test_pages_of_a_merge_are_full_and_know_their_first_and_last_entry() -> None:
    draw = random.Random(3)
    runs = [trail.make(9_000 * n, [draw.randbytes(16) for _ in range(9_000)]) for n in range(3)]
    merged = list(trail.merge([[page.entries for page in trail.pages(run)] for run in runs]))
    assert [len(page.entries) for page in merged[:-1]] == [trail.PAGE] * (len(merged) - 1)
    assert all(page.entries.startswith(page.first) and page.entries.endswith(page.last) for page in merged)
    assert all(one.last < other.first for one, other in pairwise(merged))
    assert sum(len(page.entries) for page in merged) == 27_000 * 16


@given(columns, st.integers(0, 40))
def test_a_digest_is_found_at_the_positions_before_a_bound(column: list[list[bytes]], below: int) -> None:
    run, where = trail.make(0, [b"".join(found) for found in column]), defaultdict(set)
    for at, found in enumerate(column):
        for digest in found:
            where[digest].add(at)
    for digest in [bytes([n]) * 8 + b"anything" for n in range(7)]:
        expected = sorted(at for at in where[digest[:8] + bytes(8)] if at < below)
        assert trail.find(run, digest, below) == expected
        least, end = trail.bounds(digest, below)
        inside = [at * 16 for at in range(len(run) // 16) if least <= run[at * 16 : at * 16 + 16] < end]
        assert len(inside) == len(expected)


def test_a_leaf_is_found_by_its_tokens_persons_caller_and_id() -> None:
    found = trail.marks(encode(record(persons=b"p" * 16, whose=b"\0\1\0\0")))
    assert (found.at, found.key) == (5, 77)
    cut = [found.digests[at : at + 16] for at in range(0, len(found.digests), 16)]
    assert cut == [
        bytes(range(8, 16)) + bytes(8), trail.caller_digest("key_é".encode()), b"t" * 16, b"u" * 16, b"p" * 16,
    ]  # fmt: skip


def test_a_leaf_of_the_first_format_has_marks_too() -> None:
    found = trail.marks(encode(record(), FIRST_FORMAT))
    assert (found.key, len(found.digests)) == (77, 4 * 16)


@pytest.mark.parametrize(
    "leaf", [b"", b"\x02", b"\x02\xff\xff\xff\xff", b"\x02" + bytes(4_000), encode(record(tokens=b"odd"))]
)
def test_a_leaf_that_cannot_be_read_has_none(leaf: bytes) -> None:
    assert trail.marks(leaf) == trail.Marks()


def test_sixteen_runs_of_a_tier_become_one_of_the_next() -> None:
    assert trail.mergeable([(0, 1)] * 15) is None
    assert trail.mergeable([(1, 2), *[(0, 1)] * 16]) == slice(1, 17)
    assert trail.mergeable([*[(1, 2)] * 16, (0, 1)]) == slice(0, 16)


def test_runs_grow_to_a_million_entries_and_are_left_alone_then() -> None:
    assert trail.mergeable([(2, 100)] * 16) == slice(0, 4)
    assert trail.mergeable([(2, 244)] * 16) == slice(0, 2)
    assert trail.mergeable([*[(2, 245)] * 40, *[(2, 1)] * 15]) is None
    assert trail.mergeable([*[(2, 245)] * 40, *[(2, 1)] * 16]) == slice(40, 56)


def test_an_entry_is_written_about_three_times_and_lies_in_few_runs() -> None:
    runs: list[tuple[int, int]] = []
    written = 0
    for _ in range(5_000):
        runs.append((0, 8))
        written += 8
        while (part := trail.mergeable(runs)) is not None:
            pages = sum(size for _, size in runs[part])
            runs[part] = [(runs[part.start][0] + 1, pages)]
            written += pages
    assert sum(size for _, size in runs) == 40_000
    assert written <= 3 * 40_000
    assert len(runs) < 40_000 / (trail.LARGEST / 2) + 3 * trail.FAN
