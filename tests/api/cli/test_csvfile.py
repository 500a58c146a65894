"""CSV files as they come: marks, encodings, line ends, quotes, rows that do not fit."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from api.cli import csvfile
from api.cli.failure import Failure


def read(path: Path, content: bytes, encoding: str | None = None, delimiter: str = ",") -> csvfile.CsvFile:
    path.write_bytes(content)
    with csvfile.opened(str(path), encoding, delimiter) as file:
        file.found = list(file.rows())  # type: ignore[attr-defined]
        return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    ("content", "encoding", "kept"),
    [
        ("姓名,b\r\n张,1\r\n".encode(), None, "utf-8"),
        (codecs.BOM_UTF8 + "姓名,b\n张,1\n".encode(), None, "utf-8-sig"),
        ("姓名,b\n张,1\n".encode("gb18030"), "gb18030", "gb18030"),
        ("姓名,b\n张,1\n".encode("utf-16"), "utf-16", "utf-16"),
        ("姓名,b\r张,1".encode(), None, "utf-8"),
    ],
)
def test_the_same_rows_whatever_the_encoding(
    path: Path, content: bytes, encoding: str | None, kept: str
) -> None:
    file = read(path, content, encoding)
    assert file.header == ["姓名", "b"]
    assert [row.cells for row in file.found] == [["张", "1"]]  # type: ignore[attr-defined]
    assert file.layout.encoding == kept


@pytest.mark.parametrize(("end", "newline"), [(b"\r\n", "\r\n"), (b"\n", "\n"), (b"\r", "\r")])
def test_line_ends_are_kept(path: Path, end: bytes, newline: str) -> None:
    assert read(path, b"a" + end + b"1" + end).layout.newline == newline


def test_rows_name_the_physical_line_they_begin_on(path: Path) -> None:
    file = read(path, b'a,b\n"1\n1",2\n\n3,"4\n\n4"\n5,6\n')
    assert [(row.line, row.cells) for row in file.found] == [  # type: ignore[attr-defined]
        (2, ["1\n1", "2"]),
        (4, []),
        (5, ["3", "4\n\n4"]),
        (8, ["5", "6"]),
    ]


def test_a_header_over_two_lines(path: Path) -> None:
    file = read(path, b'"a\nb",c\n1,2\n')
    assert file.header == ["a\nb", "c"]
    assert file.found[0].line == 3  # type: ignore[attr-defined]


def test_rows_that_do_not_fit(path: Path) -> None:
    file = read(path, b'a,b\n1\n1,2,3\n"1"x,2\n1,2\n')
    assert [(row.line, row.wrong) for row in file.found] == [  # type: ignore[attr-defined]
        (2, "1 cell, the header has 2"),
        (3, "3 cells, the header has 2"),
        (4, "a cell goes on after its closing quote"),
        (5, None),
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty"),
        (b"\n", "line 1: it is empty"),
        (b'a\n"open\n1\n', "line 2: a quote is opened and never closed"),
        (b'a\n"' + b"x" * (2 << 20), "line 2: a quote is opened and never closed"),
        (b"a\n1\n\xff-canary\n", "line 3 is not utf-8"),
        ("a\n1\n".encode("utf-16"), "is UTF-16"),
    ],
)
def test_files_that_cannot_be_used(path: Path, content: bytes, text: str) -> None:
    with pytest.raises(Failure, match=text) as caught:
        read(path, content)
    assert caught.value.__context__ is None  # a decoding error holds the bytes
    assert "canary" not in caught.value.message


def test_counting_reads_the_whole_file(path: Path) -> None:
    path.write_bytes(b"a\n" + b"1\n" * 25_000)
    assert csvfile.count(str(path), None, ",") == 25_000
    path.write_bytes(b"a\n" + b"1\n" * 25_000 + b"\xff\n")
    with pytest.raises(Failure, match="line 25002"):
        csvfile.count(str(path), None, ",")
