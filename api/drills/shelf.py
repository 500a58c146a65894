"""The folder of reports on a drill host: a signed note a drill, and a page of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.drills import durable
from vault.errors import InvalidReport
from vault.recovery import reports
from vault.recovery.reports import Report

NOTE, PAGE = ".note", "drills.html"
SHOWN = 200  # drills on the page


@dataclass(frozen=True, slots=True)
class Shelf:
    """One folder; what lies in it is replaced whole or not at all."""

    folder: Path

    def keep(self, report: Report, note: str) -> Path:
        """Keep a drill's report; return its file."""
        at = datetime.fromtimestamp(report.begun_at / 1e6, UTC)
        path = self.folder / f"{at:%Y%m%dT%H%M%SZ}-{report.id}{NOTE}"
        durable.write(path, note.encode(), replace=True)
        return path

    def show(self, page: str) -> Path:
        """Put the page of all drills in the place of the one before; return its file."""
        path = self.folder / PAGE
        durable.write(path, page.encode(), replace=True)
        return path

    def past(self) -> list[Report]:
        """Return the newest drills, the oldest of them first; files that are none are passed over."""
        found = []
        for path in sorted(self.folder.glob(f"*{NOTE}"))[-SHOWN:]:
            try:
                found.append(reports.unverified(path.read_text("utf-8")))
            except (InvalidReport, OSError, UnicodeDecodeError):
                continue
        return found


def due(targets: Sequence[str], past: Sequence[Report]) -> str:
    """Return which target's turn it is: the one whose last drill is the longest ago, or that never had one."""
    last = {report.target: report.begun_at for report in past}
    return min(targets, key=lambda name: last.get(name, 0))
