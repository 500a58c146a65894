"""The page of drills: the newest with all its checks, and how the restores went over time; loads and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from api.drills import measures, plots
from api.drills import words as said
from api.drills.pagestyle import STYLE
from api.words.said import Said

if TYPE_CHECKING:
    from vault.recovery.reports import Check, Report

POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # CSP Level 3: nothing is loaded, no script is run
LISTED = 30  # drills in the table of past ones


def page(reports: Sequence[Report], language: str = "en") -> str:
    """Return the page, whole.

    Args:
        reports: in any order; of past ones the newest 30 are shown.
        language: en or zh.
    """
    shown = sorted(reports, key=lambda report: report.begun_at)[-LISTED:]
    return _Page(language).whole(shown)


class _Page:
    """Writes in one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def whole(self, reports: Sequence[Report]) -> str:
        """Return the page of drills, the oldest first."""
        body = [self._newest(reports[-1]), self._trend(reports), self._past(reports)] if reports else []
        title = self._said(said.TITLE)
        return (
            f'<!doctype html>\n<html lang="{self._language}">\n<meta charset="utf-8">\n<title>{title}</title>\n'
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
            f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>\n'
            f"<main>\n<p class=brand>strongroom</p>\n<h1>{title}</h1>\n"
            + ("\n".join(body) or f"<p>{self._said(said.NONE)}</p>")
            + "\n</main>\n</html>\n"
        )

    def _newest(self, report: Report) -> str:
        kind = "passed" if report.passed else "failed"
        return (
            f'<section class="verdict {kind}"><p class=mark>{self._state(kind)}</p>'
            f"<div><h2>{self._verdict(report)}</h2><p>{self._facts(report)}</p>"
            f"<p class=small>{self._software(report)}</p></div></section>\n"
            f"<section class=tiles>{''.join(self._tiles(report))}</section>\n"
            f"<section><h2>{self._said(said.CHECKED)}</h2>{self._checks(report)}</section>"
        )

    def _verdict(self, report: Report) -> str:
        if report.passed:
            return self._said(said.PASSED)
        failed = [self._said(said.FAILED_CHECK, check=self._title(check)[0]) for check in report.failed]
        return self._said(said.FAILED, checks=self._said(said.SEPARATOR).join(failed) or self._said(said.BUT))

    def _facts(self, report: Report) -> str:
        gaps = {
            "target": _code(report.target), "number": report.number,
            "begun": f"{measures.instant(report.begun_at)} UTC", "taken": f"{measures.instant(report.taken_at)} UTC",
        }  # fmt: skip
        return self._said(said.FACTS if report.taken_at else said.NOTHING, **gaps)

    def _software(self, report: Report) -> str:
        keys = self._said(said.KEYS.get(report.keys, Said(report.keys, report.keys)))
        software = self._said(
            said.SOFTWARE,
            software=escape(report.software),
            scratch=escape(report.scratch or measures.NONE),
            keys=keys,
        )
        return f"{self._said(said.DRILL)} {_code(report.id)} · {software}"

    def _tiles(self, report: Report) -> Iterator[str]:
        rate = measures.rate(report)
        per_second = measures.NONE if rate is None else self._said(said.PER_SECOND, rate=f"{rate:,.0f}")
        taken = self._said(said.ROWS_MEANS, size=measures.size(report.bytes))
        for name, value, means in (
            (said.RPO, measures.duration(report.rpo), self._said(said.RPO_MEANS)),
            (said.RTO, measures.duration(report.rto if report.phases else None), self._said(said.RTO_MEANS)),
            (said.ROWS, f"{report.rows:,}", taken),
            (said.RATE, per_second, self._said(said.RATE_MEANS)),
        ):
            yield (
                f"<div><p class=name>{self._said(name)}</p><p class=value>{value}</p><p class=small>{means}</p></div>"
            )

    def _checks(self, report: Report) -> str:
        titles = (said.STATE, said.CHECK, said.COUNT, said.BAD, said.TIME)
        return self._table(titles, [self._check(check) for check in report.checks], "checks")

    def _check(self, check: Check) -> list[str]:
        name, rest = self._title(check)
        code = f" {_code(check.code)}" if check.code else ""
        bad = f"<b>{check.bad:,}</b>" if check.bad else "0"
        return [
            self._state(check.state), f"<b>{name}</b> <span class=small>{rest}</span>{code}", f"{check.checked:,}", bad,
            measures.duration(check.milliseconds / 1_000),
        ]  # fmt: skip

    def _title(self, check: Check) -> tuple[str, str]:
        """Return a check's name, and what it says."""
        name, _, rest = self._said(said.CHECKS.get(check.name, Said(check.name, check.name))).partition(
            ": " if self._language == "en" else "："
        )
        return name, rest

    def _trend(self, reports: Sequence[Report]) -> str:
        drawn = (
            (said.PLOT_RTO, plots.rto(reports, self._language)),
            (said.PLOT_RPO, plots.rpo(reports, self._language)),
            (said.PLOT_RATE, plots.rate(reports, self._language)),
        )
        figures = "\n".join(
            f"<figure><figcaption>{self._said(title)}</figcaption>{drawing}</figure>"
            for title, drawing in drawn
        )
        return (
            f"<section class=trend><h2>{self._said(said.TREND)}</h2>\n"
            f"<div class=plots>{figures}</div></section>"
        )

    def _past(self, reports: Sequence[Report]) -> str:
        titles = (said.RESULT, said.WHEN, said.TARGET, said.BACKUP, said.RPO, said.RTO, said.RATE)
        rows = [self._drill(report) for report in reversed(reports)]
        return f"<section><h2>{self._said(said.PAST)}</h2>{self._table(titles, rows, 'past')}</section>"

    def _drill(self, report: Report) -> list[str]:
        rate = measures.rate(report)
        codes = " ".join(_code(check.code) for check in report.failed if check.code)
        return [
            f"{self._state('passed' if report.passed else 'failed')} {codes}".strip(),
            measures.instant(report.begun_at), escape(report.target), str(report.number or measures.NONE),
            measures.duration(report.rpo), measures.duration(report.rto if report.phases else None),
            measures.NONE if rate is None else self._said(said.PER_SECOND, rate=f"{rate:,.0f}"),
        ]  # fmt: skip

    def _table(self, titles: Sequence[Said], rows: Sequence[Sequence[str]], kind: str) -> str:
        head = "".join(f"<th>{self._said(title)}" for title in titles)
        body = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
        return f"<div class=wide><table class={kind}><thead><tr>{head}<tbody>{body}</table></div>"

    def _state(self, state: str) -> str:
        return f"<span class={state}>{self._said(said.STATES[state])}</span>"

    def _said(self, text: Said, **gaps: object) -> str:
        """Return a text in this page's language as HTML; `gaps` are HTML already."""
        told: str = getattr(text, self._language)
        return escape(told).format(**gaps) if gaps else escape(told)


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"
