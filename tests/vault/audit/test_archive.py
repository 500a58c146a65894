"""Files of records: what is written comes back, nothing altered is taken, nothing in them harms a reader."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vault.audit import outside
from tests.vault.audit.logs import KEYS, ORIGIN, SIGNER, THIEF, record, records, whole
from vault.audit import checkpoints
from vault.audit.archive import CSV, NDJSON, Entry, Reader, write
from vault.audit.faults import AuditFault, BadSignature, CheckpointMalformed, FileDamaged
from vault.audit.faults import UnknownKey as NoKey
from vault.audit.forms import Form, Header
from vault.audit.notes import Signer, parse
from vault.audit.readable import MEMBERS, time_text

ENTRIES: list[Entry] = list(enumerate(records(1_100)))
CHECKPOINT = whole(100, 100).inside[0]
FORMS = pytest.mark.parametrize("form", [NDJSON, CSV], ids=["ndjson", "csv"])


def made(
    form: Form, entries: list[Entry] = ENTRIES, step: int = 700, signer: Signer = SIGNER, why: str = "a test"
) -> bytes:
    header = Header(ORIGIN, 0, 1_100, "2027-01-15T08:00:00Z", why)
    pages = (entries[at : at + step] for at in range(0, len(entries), step))
    return b"".join(write(form, header, pages, CHECKPOINT, signer))


def pieces(raw: bytes, size: int) -> Iterable[bytes]:
    return (raw[at : at + size] for at in range(0, len(raw), size))


def read(raw: bytes, size: int = 65_536) -> tuple[list[Entry], Reader]:
    reader = Reader(pieces(raw, size), KEYS)
    return [entry for batch in reader for entry in batch], reader


@FORMS
@pytest.mark.parametrize("why", ["a test", "123", 'quotes "," and \\u202e \u202e', "=1+1", ""])
def test_what_was_written_comes_back(form: Form, why: str) -> None:
    entries, reader = read(made(form, why=why), 10_007)
    assert entries == ENTRIES
    assert reader.header == Header(ORIGIN, 0, 1_100, "2027-01-15T08:00:00Z", why)
    assert reader.summary is not None
    assert (reader.summary.records, reader.summary.checkpoint) == (1_100, CHECKPOINT)


@FORMS
def test_an_export_may_have_some_positions_or_none(form: Form) -> None:
    for entries in ([], ENTRIES[7:1_000:3]):
        assert read(made(form, entries))[0] == entries


@FORMS
def test_the_signature_is_one_that_others_verify_and_no_checkpoint(form: Form) -> None:
    raw = made(form, ENTRIES[:3])
    last = raw.splitlines()[-1].decode()
    signature = json.loads(last)["signature"] if form is NDJSON else form.read_last(last)[2]
    text = parse(signature).text
    assert text.splitlines()[:3] == ["strongroom-audit-file/1", ORIGIN, "3"]
    with pytest.raises(CheckpointMalformed):
        checkpoints.read(text)
    with pytest.raises(ValueError, match="invalid literal"):
        outside.checkpoint(signature, SIGNER.vkey)


@FORMS
def test_every_altered_byte_and_every_cut_is_noticed(form: Form) -> None:
    raw, draw = made(form, ENTRIES[:2]), random.Random(7)
    spoilt = [
        raw[:at] + bytes([raw[at] ^ 1 << draw.randrange(8)]) + raw[at + 1 :] for at in range(0, len(raw), 3)
    ]
    spoilt += [raw[:at] for at in range(0, len(raw), 7)]
    spoilt += [raw + more for more in (b"\n", b"{}\n", b"x", raw)]
    for damaged in spoilt:
        with pytest.raises(AuditFault):
            read(damaged)


@FORMS
def test_lines_taken_out_turned_round_or_put_in_are_noticed(form: Form) -> None:
    lines = made(form, ENTRIES[:9]).splitlines(keepends=True)
    at = form.head_lines
    other = made(form, ENTRIES[9:10]).splitlines(keepends=True)[at]
    for changed in (
        [*lines[:at], *lines[at + 1 :]],
        [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]],
        [*lines[: at + 1], *lines[at:]],
        [*lines[:-1], other, lines[-1]],
        lines[:-1],
        [*lines[:-2], lines[-1]],
        [*lines, lines[-1]],
        lines[at:],
    ):
        with pytest.raises(AuditFault):
            read(b"".join(changed))


@FORMS
def test_only_the_logs_own_key_counts(form: Form) -> None:
    with pytest.raises(NoKey):
        read(made(form, ENTRIES[:1], signer=THIEF))
    with pytest.raises(NoKey):
        read(made(form, ENTRIES[:1], signer=Signer("strongroom/other/1", bytes(range(32)))))


@FORMS
def test_the_checkpoint_is_bound_to_the_file(form: Form) -> None:
    entries, reader = read(made(form, ENTRIES[:1]))
    older = b"".join(write(form, reader.header, [entries], "", SIGNER))
    body = made(form, ENTRIES[:1])
    _, _, signature = form.read_last(body.decode().splitlines()[-1])
    swapped = older[: older.rindex(b"\n", 0, -1) + 1] + form.last(1, "", signature)
    with pytest.raises(BadSignature):
        read(swapped)
    assert read(older)[1].summary is not None


def test_positions_outside_of_the_header_are_refused() -> None:
    for entries in ([(1_100, ENTRIES[0][1])], [(5, b"a"), (5, b"a")], [(5, b"a"), (4, b"a")]):
        with pytest.raises(FileDamaged, match="out of order"):
            read(made(NDJSON, entries))


def test_a_line_without_an_end_is_not_held_for_ever() -> None:
    with pytest.raises(FileDamaged, match="too long"):
        Reader((b"x" * 1_048_576 for _ in range(64)), KEYS)


HOSTILE = [
    "=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "＝1", "'quoted", "a\nb\r\nforged,row", "\x1b[31m", "\u202egnp.exe",
    "\u2066x\u2069", "\u200b", "\x00", 'a","b', "\\u0041", "\u2028", "\U000e0041", "\x7f", "\x85",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_in_a_record_harms_a_reader(text: str) -> None:
    leaf = record(1, random.Random(8), actor=text, reference=text)
    for form in (NDJSON, CSV):
        raw = made(form, [(0, leaf)], why=text)
        assert len(raw.splitlines()) == form.head_lines + 2
        for line in raw.decode().splitlines():
            assert line.isprintable()
        entries, reader = read(raw)
        assert (entries, reader.header.why) == ([(0, leaf)], text)
    rows = list(csv.reader(io.StringIO(made(CSV, [(0, leaf)]).decode(), newline="")))
    assert len(rows) == 4
    assert len(rows[2]) == len(rows[1]) == 2 + len(MEMBERS)
    assert not any(cell.startswith(tuple("=+-@＝＋－＠\t\r")) for row in rows for cell in row)
    shown = json.loads(made(NDJSON, [(0, leaf)]).splitlines()[1])["record"]
    assert (shown["actor"], shown["reference"]) == (text, text)


def test_a_record_is_readable() -> None:
    line = made(NDJSON, ENTRIES[:1]).splitlines()[1]
    shown = json.loads(line)
    assert shown["position"] == 0
    assert tuple(shown["record"]) == MEMBERS
    assert shown["record"]["at"] == "2027-01-15T08:00:00.000000Z"
    assert shown["record"]["tenant"] == "0000000000001234"
    assert len(shown["record"]["tokens"]) == shown["record"]["count"] == len(shown["record"]["whose"])
    assert json.loads(made(NDJSON, [(0, b"none")]).splitlines()[1])["record"] is None
    assert time_text(2**63) == str(2**63)


@FORMS
@given(st.binary(max_size=40))
def test_nothing_crashes_the_reader(form: Form, noise: bytes) -> None:
    head = made(form, [])[: -len(made(form, []).splitlines(keepends=True)[-1])]
    for raw in (
        noise,
        head + noise,
        head + noise + b"\n",
        head + b"[" * 5_000 + b"\n",
        head + b'"' + noise + b'"\r\n',
    ):
        with pytest.raises(AuditFault):
            read(raw)
