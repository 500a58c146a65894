"""Plots of past drills as SVG that stands in a page: no script, nothing loaded, the same for the same drills."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

from api.drills import measures, words
from api.words.said import Said

if TYPE_CHECKING:
    from vault.recovery.reports import Report

# pygal sets a finder of modules behind all others, for maps, of which there are none here; it is of a kind that Python
# has given up, and warns of whenever a module is found nowhere.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

FEWEST = 12  # drills for which there is room, so that one alone is no wall
FAILED = "\N{MULTIPLICATION X}"
WIDE, HALF = 1_032, 504  # pixels of the page's columns
DATES = {WIDE: 32, HALF: 8}  # labels that find room
# Told apart by who sees few colours, and in grey (Okabe and Ito, "Color Universal Design", 2008).
COLOURS = {
    "choose": "#999999", "keyring": "#cc79a7", "data": "#0072b2", "index": "#e69f00", "check": "#009e73",
    "settle": "#5a5a5a",
}  # fmt: skip
OTHER = "#56b4e9"
Chart: TypeAlias = Any  # pygal has no types
_SVG = "http://www.w3.org/2000/svg"
_FONT = 'system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif'


def rto(reports: Sequence[Report], language: str) -> str:
    """Return how long each phase of each restore took, stacked."""
    names = list(dict.fromkeys(name for report in reports for name, _ in report.phases))
    colours = tuple(COLOURS.get(name, OTHER) for name in names) or (OTHER,)
    chart = _chart(pygal.StackedBar, "rto", reports, colours, WIDE, height=340, legend_at_bottom=True,
                   legend_at_bottom_columns=max(1, len(names)), legend_box_size=11)  # fmt: skip
    for name in names:
        took = [dict(report.phases).get(name) for report in reports]
        title = words.PHASES.get(name, Said(name, name))
        chart.add(getattr(title, language), [None if one is None else one / 1_000 for one in took])
    return _drawn(chart, words.PLOT_RTO, language)


def rpo(reports: Sequence[Report], language: str) -> str:
    """Return how far behind what could be restored was."""
    return _line("rpo", reports, [report.rpo for report in reports], words.PLOT_RPO, language)


def rate(reports: Sequence[Report], language: str) -> str:
    """Return rows a second."""
    return _line("rate", reports, [measures.rate(report) for report in reports], words.PLOT_RATE, language)


def _line(
    name: str, reports: Sequence[Report], values: list[float | None], title: Said, language: str
) -> str:
    chart = _chart(pygal.Line, name, reports, (COLOURS["data"],), HALF, height=220, show_legend=False, dots_size=3,
                   allow_interruptions=True)  # fmt: skip
    chart.add(getattr(title, language), values)
    return _drawn(chart, title, language)


def _chart(
    kind: Callable[..., Chart], name: str, reports: Sequence[Report], colours: tuple[str, ...], width: int,
    **more: object,
) -> Chart:  # fmt: skip
    style = Style(
        background="transparent", plot_background="transparent", foreground="#333", foreground_strong="#111",
        foreground_subtle="#666", opacity="1", opacity_hover="1", transition="0s", colors=colours,
        font_family=_FONT, label_font_size=11, major_label_font_size=11, legend_font_size=12, stroke_width=2,
        guide_stroke_color="#ddd", major_guide_stroke_color="#ccc", guide_stroke_dasharray="1,0",
        major_guide_stroke_dasharray="1,0",
    )  # fmt: skip
    labels = _labels(reports, DATES[width])
    labels += [""] * (FEWEST - len(labels))
    chart = kind(
        js=[], style=style, width=width, margin=6, spacing=6, include_x_axis=True, zero=0, max_scale=6, min_scale=3,
        x_label_rotation=50 if len(reports) > DATES[width] // 2 else 0, value_formatter=_number, **more,
    )  # fmt: skip
    chart.uuid = name  # else a random one, with which the page would be another each time
    chart.x_labels = labels
    return chart


def _labels(reports: Sequence[Report], room: int) -> list[str]:
    """Return a label for each drill: its day if there is room and it is another day, and a mark if it failed."""
    days = [f"{datetime.fromtimestamp(report.begun_at / 1e6, UTC):%m-%d}" for report in reports]
    every = -(-len(days) // room)
    said = [
        day if at % every == 0 and day not in days[max(0, at - every) : at] else ""
        for at, day in enumerate(days)
    ]
    return [
        day if report.passed else f"{day} {FAILED}".strip() for day, report in zip(said, reports, strict=True)
    ]


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _drawn(chart: Chart, title: Said, language: str) -> str:
    """Return the drawing without its script and its comments, which name the day on which it was drawn."""
    tree = chart.render_tree()
    for parent in list(tree.iter()):
        for child in list(parent):
            if not isinstance(child.tag, str) or child.tag.rpartition("}")[2] == "script":
                parent.remove(child)
            elif parent is tree and child.tag.rpartition("}")[2] == "title":
                child.text = getattr(title, language)
    tree.set("role", "img")
    ET.register_namespace("", _SVG)
    return ET.tostring(tree, encoding="unicode")
