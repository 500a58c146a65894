"""The file sink by itself: parts and their names, what a process before left, what a loss brings back."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

import pytest

from tests.vault.sinks.places import records
from tests.vault.sinks.records import Log, leaf
from vault.sinks.file import FileSink
from vault.sinks.protocol import SinkFailed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.ndjson"


def grown(size: int, tenant: int = 1) -> Log:
    log = Log(1, tenant)
    log.grow(*map(leaf, range(size)))
    return log


def events(file: Path) -> list[tuple[str, dict[str, int]]]:
    """Return why each part was opened, and what it says those before hold."""
    said = [json.loads(line) for line in file.read_bytes().splitlines()]
    return [(one["why"], one["holds"]) for one in said if one.get("event") == "opened"]


def lost(sink: FileSink, code: str) -> None:
    with pytest.raises(SinkFailed) as failure:
        sink.probe()
    assert failure.value.code == code


def test_parts_are_finished_in_order_and_for_ever(path: Path) -> None:
    log = grown(60)
    sink = FileSink(path, time.time, rotate=8_000)
    for at in range(0, 60, 10):
        sink.deliver(log.batch(at, at + 10))
    parts = sorted(path.parent.glob("audit.ndjson.*"))
    assert [part.name for part in parts] == [f"audit.ndjson.{n:08}" for n in range(1, len(parts) + 1)]
    assert len(parts) > 1
    assert {stat.S_IMODE(part.stat().st_mode) for part in parts} == {0o400}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [line for part in (*parts, path) for line in part.read_bytes().splitlines()]
    assert records(lines) == {(log.origin, at): one for at, one in enumerate(log.leaves)}
    assert [line for line in lines if b'"position"' in line] == sorted(
        (line for line in lines if b'"position"' in line), key=lambda line: json.loads(line)["position"]
    )
    sink.close()


def test_another_process_goes_on_where_the_last_ended(path: Path) -> None:
    log, other = grown(10), grown(3, tenant=2)
    first = FileSink(path, time.time)
    first.deliver(log.batch(0, 5))
    first.deliver(other.batch())
    first.close()
    second = FileSink(path, time.time)
    assert second.restart_from(log.origin) is None  # it has not looked yet
    second.probe()
    assert [second.restart_from(one) for one in (log.origin, other.origin, "unknown")] == [5, 3, 0]
    second.deliver(log.batch(0))  # the cursor was not moved before the first process ended
    second.close()
    text = path.read_bytes().splitlines()
    assert sorted(json.loads(line).get("position", -1) for line in text if b'"leaf"' in line) == [
        0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9,
    ]  # fmt: skip
    assert len(events(path)) == 1


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_torn_last_line_is_cut_off(path: Path, cut: int) -> None:
    log = grown(5)
    sink = FileSink(path, time.time)
    sink.deliver(log.batch(note=False))
    sink.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    sink = FileSink(path, time.time)
    sink.probe()
    assert sink.restart_from(log.origin) == 4
    assert path.read_bytes() == whole[: whole[:-cut].rfind(b"\n") + 1]
    sink.deliver(log.batch(4, note=False))
    assert path.read_bytes() == whole
    sink.close()


def test_after_a_loss_only_what_the_lost_part_held_comes_again(path: Path) -> None:
    log = grown(40)
    sink = FileSink(path, time.time, rotate=8_000)
    for at in range(0, 35, 5):
        sink.deliver(log.batch(at, at + 5, note=False))
    finished = max(path.parent.glob("audit.ndjson.*"))
    kept = max(position for _, position in records(finished.read_bytes().splitlines())) + 1
    assert 0 < kept < 35
    path.unlink()
    lost(sink, "sink_removed")
    sink.probe()
    assert sink.restart_from(log.origin) == kept
    assert events(path) == [("sink_removed", {log.origin: kept})]
    sink.close()


def test_a_file_that_was_damaged_is_put_aside_and_not_touched(path: Path) -> None:
    log = grown(5)
    sink = FileSink(path, time.time)
    sink.deliver(log.batch())
    os.truncate(path, 100)
    damaged = path.read_bytes()
    lost(sink, "sink_truncated")
    sink.probe()
    assert path.with_name("audit.ndjson.00000001.truncated").read_bytes() == damaged
    assert sink.restart_from(log.origin) == 0
    sink.close()


def test_a_file_lost_while_no_process_ran_is_delivered_anew(path: Path) -> None:
    log = grown(5)
    sink = FileSink(path, time.time)
    sink.deliver(log.batch())
    sink.close()
    path.unlink()
    sink = FileSink(path, time.time)
    sink.probe()
    assert sink.restart_from(log.origin) == 0
    sink.close()


def test_a_long_file_says_again_what_it_holds(path: Path) -> None:
    quiet, log = grown(3, tenant=9), Log()
    log.grow(*(leaf(at, tokens=bytes(16 * 20_000)) for at in range(16)))
    sink = FileSink(path, time.time)
    sink.deliver(quiet.batch())
    for at in range(16):
        sink.deliver(log.batch(at, at + 1, note=False))
    sink.close()
    assert b'"event":"continued"' in path.read_bytes()
    sink = FileSink(path, time.time)
    sink.probe()
    assert [sink.restart_from(one.origin) for one in (quiet, log)] == [3, 16]
    sink.close()


@pytest.mark.parametrize(
    "content", [b"SQLite format 3\0 and\nmore", b"no line", b"a line\n", b'{"a":1}\n{"b']
)
def test_a_file_that_is_none_of_ours_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    sink = FileSink(path, time.time)
    with pytest.raises(SinkFailed) as failure:
        sink.probe()
    assert failure.value.code == "sink_not_a_file"
    with pytest.raises(SinkFailed):
        sink.deliver(grown(3).batch(0, 3))
    assert path.read_bytes() == content
