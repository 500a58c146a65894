"""Printed sheets have one share, its codes and what is public; they load nothing, run nothing and keep nothing back."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import segno

from api.cli.recovery.sheet import record_sheet, share_sheet
from keys.secret import Secret
from tests.api.cli.conftest import Command
from tests.api.cli.recovery.conftest import TRUSTED, Known
from tests.api.cli.recovery.custodian import at_terminal, hold
from vault.audit.notes import Signer, Verifier
from vault.recovery import record

STROKES = re.compile(r"M(\d+) ([\d.]+)h(\d+)|m(-?\d+) (\d+)h(\d+)")


class Sheet(HTMLParser):
    """A sheet taken apart: texts by element, drawings, and all elements and attributes that it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.codes: list[str] = []
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.languages: set[str] = set()
        self._path: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._path = [tag, *self._path]
        if tag == "path":
            self.codes.append(dict(attrs)["d"] or "")
        if (language := dict(attrs).get("lang")) is not None:
            self.languages.add(language)
        if tag == "ol":
            self._listing = dict(attrs).get("class") == "words"

    def handle_data(self, data: str) -> None:
        if self._path[:1] == ["li"] and self._listing and data.strip():
            self.words.append(data.strip())


def drawn(path: str) -> list[list[int]]:
    """Return the modules of a code that is drawn as horizontal strokes, without its border."""
    cells, column, row = set(), 0, 0
    for begun, line, length, right, down, more in STROKES.findall(path):
        column, row = (int(begun), int(float(line))) if begun else (column + int(right), row + int(down))
        for _ in range(int(length or more)):
            cells.add((row, column))
            column += 1
    rows, columns = {row for row, _ in cells}, {column for _, column in cells}
    return [
        [int((row, column) in cells) for column in range(min(columns), max(columns) + 1)]
        for row in range(min(rows), max(rows) + 1)
    ]


def modules(text: str, error: str) -> list[list[int]]:
    return [list(row) for row in segno.make(text, error=error, micro=False, boost_error=False).matrix]


@pytest.fixture(scope="session")
def sheets(known: Known) -> list[str]:
    return [share_sheet(known.record, number, words) for number, words in enumerate(known.shares, 1)]


def test_each_has_its_own_share_and_no_other(sheets: list[str], known: Known) -> None:
    for html, words in zip(sheets, known.shares, strict=True):
        assert Sheet(html).words == words.expose().decode().split()
        others = [share.expose().decode().split() for share in known.shares if share is not words]
        assert not hold([html], others)


def test_the_codes_are_the_words_and_the_record(sheets: list[str], known: Known) -> None:
    share, public = map(drawn, Sheet(sheets[1]).codes)
    assert share == modules(known.shares[1].expose().decode().upper(), "m")
    assert public == modules(record.write(known.record), "l")


def test_what_tells_share_and_key_is_on_it(sheets: list[str], known: Known) -> None:
    html = sheets[2]
    for text in ("share 3 of 5", "第 3 份（共 5 份）", known.record.check_value, known.record.digests[2],
                 known.record.recipient, *TRUSTED, "2026-11-26 05:01 UTC", "Restore, 3 custodians"):  # fmt: skip
        assert text in html, text
    assert known.record.digests[0] not in html


def test_the_record_s_sheet_has_all_that_is_public_and_no_word(known: Known) -> None:
    html = record_sheet(known.record)
    for text in (*known.record.digests, known.record.check_value, known.record.recipient, *TRUSTED):
        assert text in html
    assert not hold([html], [share.expose().decode().split() for share in known.shares])
    assert drawn(Sheet(html).codes[0]) == modules(record.write(known.record), "l")


def test_it_loads_and_runs_nothing(sheets: list[str], known: Known) -> None:
    for html in (sheets[0], record_sheet(known.record)):
        sheet = Sheet(html)
        assert sheet.elements <= {
            "html", "meta", "title", "style", "main", "header", "aside", "section", "div", "h1", "h2", "p", "span",
            "ol", "ul", "li", "pre", "code", "table", "tr", "th", "td", "figure", "figcaption", "svg", "path",
        }  # fmt: skip
        names = {name for name, _ in sheet.attributes}
        assert names <= {
            "lang",
            "charset",
            "http-equiv",
            "content",
            "name",
            "class",
            "viewbox",
            "stroke",
            "d",
        }
        assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in sheet.attributes
        assert "url(" not in html
        assert "@import" not in html
        assert sheet.languages == {"en", "zh"}


def test_so_many_manifest_keys_that_no_code_holds_them_are_printed_all_the_same(known: Known) -> None:
    many = replace(known.record, keys=known.record.keys * 20)
    html = record_sheet(many)
    assert Sheet(html).codes == []
    assert html.count(TRUSTED[0]) == 20


def test_what_comes_from_a_key_s_name_is_escaped(known: Known) -> None:
    key = Verifier(Signer("<script>alert('x')</script>", bytes(32)).vkey)
    html = record_sheet(replace(known.record, keys=(key,)))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_page_writes_the_record_s_sheet(recorded: Command, known: Known) -> None:
    assert recorded("recovery", "page", "recovery.txt").stdout == record_sheet(known.record)
    done = recorded("recovery", "page", "recovery.txt", "-o", "page.html")
    assert (done.returncode, (recorded.folder / "page.html").read_text()) == (0, record_sheet(known.record))
    assert recorded("recovery", "page", "recovery.txt", "-o", "page.html").returncode == 2
    assert recorded("recovery", "page", "recovery.txt", "-o", "recovery.txt", "--force").returncode == 2


def test_page_prints_newer_manifest_keys(recorded: Command, known: Known) -> None:
    recorded.write("newer.txt", f"{TRUSTED[1]}\n")
    html = recorded("recovery", "page", "recovery.txt", "--trust", "newer.txt").stdout
    assert (TRUSTED[1] in html, TRUSTED[0] in html) == (True, False)


def test_sheets_are_removed_once_words_of_each_were_read_back(offline: Command, in_memory: Path) -> None:
    terminal = at_terminal(
        offline, "recovery", "init", "--shares", "3", "--threshold", "2", "--pages", str(in_memory)
    )
    terminal.until("Printed?")
    sheets = sorted(in_memory.iterdir())
    words = [Sheet(path.read_text()).words for path in sheets]
    terminal.type("\n")
    for number, share in enumerate(words, 1):
        for _ in range(3):
            asked = terminal.until(rf"Share {number} of 3: word (\d+): ")
            terminal.type(share[int(asked[1]) - 1] + "\n")
    terminal.until("Remove the sheets")
    terminal.type("\n")
    terminal.until("recovery age1")
    assert terminal.end() == 0
    assert not list(in_memory.iterdir())
    assert not hold([terminal.shown, (offline.folder / "recovery.txt").read_text()], words)
    assert record.read((offline.folder / "recovery.txt").read_text()).threshold == 2


def test_sheets_that_were_not_read_back_are_removed_when_it_is_broken_off(
    offline: Command, in_memory: Path
) -> None:
    terminal = at_terminal(offline, "recovery", "init", "--pages", str(in_memory))
    terminal.until("Printed?")
    terminal.interrupt()
    assert terminal.end() == 130
    assert not list(in_memory.iterdir())
    assert not (offline.folder / "recovery.txt").exists()


def test_a_word_with_markup_stays_a_word(known: Known) -> None:
    assert "<b>" not in share_sheet(known.record, 1, Secret(b"<b> word"))
