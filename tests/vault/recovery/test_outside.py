"""A backup is opened by programs that are not ours, from its description alone: every row is the one that went in."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from keys import identity
from tests.databases import missing
from tests.vault.backup import written
from tests.vault.backup.written import INSTALLATION, Written
from tests.vault.recovery import outside_reader
from vault.backup import manifests
from vault.store.streams import Block

EDGES = [-(2**63), -(2**31) - 1, -129, -33, -32, -1, 0, 127, 128, 255, 256, 65_536, 2**32, 2**63 - 1]
TEXTS = ["", "a" * 31, "b" * 32, "汉" * 86, "d" * 70_000, 'quotes " \\ \n\x7f\u2028']


@pytest.fixture(autouse=True)
def _commands() -> None:
    if not (shutil.which("age") and shutil.which("zstd")):
        missing("the commands age and zstd", "apt-get install age zstd")


def extremes() -> Iterator[Block]:
    """Values of every length and size that MessagePack writes differently, and more rows than its short arrays have."""
    texts = [(f"{n}", text, "approved", n, 1) for n, text in enumerate(TEXTS)]
    numbers = [(f"edge {n}", "", "approved", edge, 1) for n, edge in enumerate(EDGES)]
    yield Block("approval", ["proposal", "caller", "verdict", "at", "epoch"], texts + numbers)
    leaves = [(1, 1, b"%d" % length, b"\x00\xff" * length, 1) for length in (0, 1, 127, 128, 40_000)]
    yield Block("audit_record", ["bucket", "tenant", "id", "leaf", "epoch"], leaves)
    many = [(f"{n}", n, 1, n, n, n) for n in range(70_000)]
    yield Block("audit_sink", ["name", "tenant", "log", "position", "size", "at"], many)


def test_every_row_is_read_by_age_and_zstd(tmp_path: Path) -> None:
    backup = written.small(tmp_path)
    told = {"checkpoints": [*TEXTS, *map(chr, range(32))], "software": "0.1.0 \x7f é"}
    backup.add("data", 5, "incremental", [list(written.rows("data", 50)), list(extremes())], **told)
    text = identity.text(backup.identity).expose().decode()
    vkey = manifests.signer(backup.key, INSTALLATION).vkey
    found = [
        (stream, number, table, columns, [tuple(row) for row in rows])
        for stream, number, (table, columns, rows) in outside_reader.read(tmp_path, INSTALLATION, vkey, text)
    ]
    assert found == list(what_went_in(backup))


def what_went_in(backup: Written) -> Iterator[tuple[object, ...]]:
    for (stream, number), parts in sorted(
        backup.blocks.items(), key=lambda one: (one[0][0] == "data", one[0][1])
    ):
        for block in [block for part in parts for block in part]:
            yield stream, number, block.table, list(block.columns), [tuple(row) for row in block.rows]


def test_another_identity_opens_nothing_and_a_changed_file_is_noticed(tmp_path: Path) -> None:
    """So the reader does verify: the test above could fail."""
    backup = written.small(tmp_path)
    vkey = manifests.signer(backup.key, INSTALLATION).vkey
    stranger = identity.text(Written(tmp_path).identity).expose().decode()
    with pytest.raises(subprocess.CalledProcessError):
        list(outside_reader.read(tmp_path, INSTALLATION, vkey, stranger))
    path = tmp_path / INSTALLATION / "data" / "manifests" / "0000000004.txt"
    path.write_bytes(path.read_bytes().replace(b'"until":40', b'"until":41'))
    with pytest.raises(InvalidSignature):
        list(outside_reader.read(tmp_path, INSTALLATION, vkey, stranger))


def test_the_reader_is_short_and_shares_no_code_with_us() -> None:
    source = Path(outside_reader.__file__).read_text("utf-8")
    assert source.count("\n") <= 100
    for package in ("vault", "keys", "api", "tests", "pyrage", "msgspec"):
        assert f"import {package}" not in source
        assert f"from {package}" not in source
