"""The page of drills says what the reports say, in both languages; it loads nothing, runs nothing and escapes all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from api.drills import measures, words
from api.drills.page import page
from api.words.telling import LANGUAGES
from vault.recovery.reports import CHECKS, FORMAT, Check, Report

DAY = 86_400_000_000
BEGUN = 1_793_000_000_000_000  # 2026-10-26T07:33:20Z
PASSED = Report(
    format=FORMAT, id="drl_0123456789abcdef", target="s3 backups", begun_at=BEGUN, software="0.1.0",
    checks=[Check(name=name, state="passed", checked=12, milliseconds=1_500) for name in CHECKS],
    installation="00000000000000aa", keyring=7, number=1_180, digest="00" * 32, taken_at=BEGUN - 7_400_000,
    phases=[("choose", 100), ("keyring", 900), ("data", 30_000), ("index", 20_000)], rows=1_000_000, bytes=260 * 2**20,
    scratch="sqlite",
)  # fmt: skip
FAILED = msgspec.structs.replace(
    PASSED, id="drl_fedcba9876543210", begun_at=BEGUN + DAY, taken_at=BEGUN + DAY - 3_000_000,
    checks=[Check(name="values", state="failed", code="unreadable_value", checked=1_000, bad=3)],
)  # fmt: skip
NOTHING = Report(
    format=FORMAT, id="drl_0000000000000000", target="file backups", begun_at=BEGUN + 2 * DAY, software="0.1.0",
    checks=[Check(name="restored", state="failed", code="target_unreachable")],
)  # fmt: skip


@dataclass
class Page(HTMLParser):
    """A page taken apart: its texts without drawings, its tables' rows, all elements and attributes."""

    html: str
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)
    elements: set[str] = field(default_factory=set)
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._skipped: list[str] = []  # elements that are open and say nothing in words
        self._cell = False
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag in ("svg", "style"):
            self._skipped.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if self._skipped[-1:] == [tag]:
            self._skipped.pop()
        self._cell = self._cell and tag != "table"

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.text += data
            if self._cell:
                self.rows[-1][-1] += data.strip("\n")


def drawings(html: str) -> dict[str, ET.Element]:
    found = [ET.fromstring(drawn) for drawn in re.findall("<svg.*?</svg>", html, re.DOTALL)]
    return {drawing.attrib["id"]: drawing for drawing in found}


def values(drawing: ET.Element) -> list[str]:
    """Return what the points or bars of a drawing stand for."""
    return [
        one.text or "" for one in drawing.iter() if one.tag.endswith("}desc") and one.get("class") == "value"
    ]


def texts(drawing: ET.Element) -> list[str]:
    return [one.text or "" for one in drawing.iter() if one.tag.endswith("}text")]


def test_the_newest_drill_is_told_with_every_check() -> None:
    told = Page(page([FAILED, PASSED][1:]))
    assert "The backup was restored, and nothing about it is wrong" in told.text
    assert (
        "Backup 1180 at s3 backups, taken 2026-10-26 07:33:12 UTC, restored 2026-10-26 07:33:20 UTC"
        in told.text
    )
    assert "drl_0123456789abcdef · strongroom 0.1.0, scratch on sqlite, keys by the root" in told.text
    for value in ("7.4 s", "51 s", "1,000,000", "260 MiB of sealed chunks", "19,608/s"):
        assert value in told.text
    checks = told.rows[1 : 1 + len(CHECKS)]
    assert [row[0] for row in checks] == ["passed"] * len(CHECKS)
    assert [row[2:] for row in checks] == [["12", "0", "1.5 s"]] * len(CHECKS)


def test_a_failed_one_says_which_check_and_why() -> None:
    told = Page(page([FAILED, PASSED]))
    assert "The drill failed: “Values” did not pass" in told.text
    assert told.rows[1][0] == "failed"
    assert "unreadable_value" in told.rows[1][1]
    assert told.rows[1][2:4] == ["1,000", "3"]
    assert [row[0] for row in told.rows[3:]] == ["failed unreadable_value", "passed"]


def test_one_that_restored_nothing_has_no_numbers() -> None:
    told = Page(page([NOTHING]))
    assert "Nothing at file backups could be restored, tried 2026-10-28 07:33:20 UTC" in told.text
    assert told.rows[-1][2:] == ["file backups", *[measures.NONE] * 4]


def test_the_newest_is_the_newest_in_whatever_order_they_come() -> None:
    reports = [PASSED, FAILED, NOTHING]
    assert page(reports) == page(reports[::-1])
    assert "Nothing at file backups" in Page(page(reports)).text


def test_before_the_first_there_is_none() -> None:
    assert "No drill has been made yet." in Page(page([])).text
    assert "尚未进行过演练。" in Page(page([], "zh")).text


def test_the_plots_are_of_the_reports() -> None:
    drawn = drawings(page([PASSED, FAILED, NOTHING]))
    assert {name: drawing.findtext("{*}title") for name, drawing in drawn.items()} == {
        "chart-rto": "RTO by phase, seconds", "chart-rpo": "RPO, seconds", "chart-rate": "Rate, rows a second",
    }  # fmt: skip
    assert [value for value in values(drawn["chart-rto"]) if value != "0"] == [
        "0.1",
        "0.1",
        "0.9",
        "0.9",
        "30",
        "30",
        "20",
        "20",
    ]
    assert values(drawn["chart-rpo"]) == ["7.4", "3"]
    assert [value.split(".")[0] for value in values(drawn["chart-rate"])] == ["19,607", "19,607"]
    shown = texts(drawn["chart-rto"])
    assert {"10-26", "10-27 \N{MULTIPLICATION X}", "10-28 \N{MULTIPLICATION X}"} <= set(shown)
    assert [text for text in shown if text in dict(PASSED.phases)] == [name for name, _ in PASSED.phases]


def test_the_newest_thirty_are_shown() -> None:
    many = [msgspec.structs.replace(PASSED, begun_at=BEGUN + day * DAY, number=day + 1) for day in range(40)]
    told = Page(page(many))
    assert [row[3] for row in told.rows[2 + len(CHECKS) :]] == [str(number) for number in range(40, 10, -1)]
    assert len(values(drawings(told.html)["chart-rpo"])) == 30


def test_several_drills_a_day_have_one_date() -> None:
    many = [msgspec.structs.replace(PASSED, begun_at=BEGUN + hour * DAY // 24) for hour in range(3)]
    assert [text for text in texts(drawings(page(many))["chart-rpo"]) if "-" in text] == ["10-26"]


def test_the_same_reports_make_the_same_page() -> None:
    assert page([PASSED, FAILED]) == page([PASSED, FAILED])


def test_chinese_words_for_all_of_it() -> None:
    told = Page(page([PASSED, FAILED], "zh"))
    assert 'lang="zh"' in told.html
    assert "演练未通过：“值”未通过" in told.text
    assert "数据" in texts(drawings(told.html)["chart-rto"])
    left = set(re.findall("[a-z]{4,}", told.text.replace(FAILED.id, ""))) - {
        "strongroom",
        "backups",
        "unreadable",
        "value",
        "sqlite",
    }
    assert not left


def test_it_loads_and_runs_nothing() -> None:
    told = Page(page([PASSED, FAILED, NOTHING]))
    assert not told.elements & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "a",
        "image",
        "use",
    }
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in told.attributes
    assert not [
        name for name, _ in told.attributes if name.startswith("on") or name in ("href", "src", "xlink:href")
    ]
    assert "url(" not in told.html
    assert "@import" not in told.html


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_what_a_report_holds_is_never_markup_or_a_template(language: str) -> None:
    bad = "<b onclick=x>{number}&"
    changed = msgspec.structs.replace(
        PASSED, id=bad, target=bad, software=bad, scratch=bad, keys=bad, phases=[(bad, 5)],
        checks=[Check(name=bad, state="failed", code=bad)],
    )  # fmt: skip
    told = Page(page([changed], language))
    assert "b" not in told.elements - {"b"} or ("onclick", "x") not in told.attributes
    assert told.text.count(bad) >= 7
    assert bad in texts(drawings(told.html)["chart-rto"])


def test_every_check_has_its_words() -> None:
    assert words.CHECKS.keys() == CHECKS.keys()
    assert all(": " in said.en and "：" in said.zh for said in words.CHECKS.values())


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "–"), (0, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.9, "60 s"), (60, "1 min"), (111.2, "1 min 51 s"),
     (3_600, "1 h"), (7_500, "2 h 5 min"), (90_000, "1 d 1 h"), (864_000, "10 d")],
)  # fmt: skip
def test_durations_as_people_say_them(seconds: Any, said: str) -> None:
    assert measures.duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (1_023, "1023 B"), (1_536, "1.5 KiB"), (2**30, "1.0 GiB"), (2**50, "1024 TiB")],
)
def test_sizes_as_people_say_them(count: int, said: str) -> None:
    assert measures.size(count) == said
