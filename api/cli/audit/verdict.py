"""What became of the verification of one log, and how it is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from api.cli.screen import Screen
from vault.audit.findings import Finding, Report

MOST = 20  # findings that are listed
# Kinds by which a record is bad; by the others a copy, a tile, a file or a checkpoint is.
_RECORDS = frozenset(
    {"edited", "inserted", "removed", "reordered", "cut_tail", "gap", "forked", "not_canonical"}
)
_UNKNOWN = frozenset({"unknown_key"})
_UNCOVERED = frozenset(
    {"unsigned", "inserted"}
)  # so, too, where the checkpoint that covers it is of an unknown key


@dataclass
class Verdict:
    """Of one log.

    Attributes:
        log: its name.
        report: None if it was not examined.
        more: findings that its examination cannot have, such as damaged files.
        remarks: what should be known and is no damage.
        unverified: why it could not be verified; "" if it was.
    """

    log: str
    report: Report | None = None
    more: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    unverified: str = ""

    @property
    def findings(self) -> list[Finding]:
        """Return all findings of damage."""
        return [one for one in self._all() if one.tampering and not self._is_unknown(one)]

    @property
    def state(self) -> Literal["intact", "damaged", "unverified"]:
        """Return whether it is what was signed."""
        if self.findings:
            return "damaged"
        return "unverified" if self.why else "intact"

    @property
    def why(self) -> str:
        """Return why it could not be verified; "" if it was."""
        unknown = [one for one in self._all() if one.tampering]
        if self.unverified or not unknown:
            return self.unverified
        return f"no key that is trusted signed {len(unknown):,} of its checkpoints or files"

    def _all(self) -> list[Finding]:
        return [*self.more, *(self.report.findings if self.report else ())]

    def _is_unknown(self, one: Finding) -> bool:
        """Whether a finding says no more than that a key is not known."""
        unknown = [found for found in self._all() if found.kind in _UNKNOWN]
        if one.kind in _UNKNOWN:
            return True
        good = self.report.checkpoint.size if self.report and self.report.checkpoint else 0
        return bool(unknown) and one.kind in _UNCOVERED and one.position == good and one.until is None

    def restored(self) -> list[Finding]:
        """Return what was lost in a restore, which is no damage."""
        return [one for one in self._all() if not one.tampering]


def show(screen: Screen, verdict: Verdict) -> None:
    """Print a verdict: one sentence, and what was found."""
    screen.say(f"{verdict.log}: {_sentence(verdict)}")
    for remark in _remarks(verdict):
        screen.say(f"  {remark}")
    found = verdict.findings
    for one in found[:MOST]:
        screen.say(f"  {one.kind}\t{_place(one)}\t{one.reason}")
    if len(found) > MOST:
        screen.say(f"  and {len(found) - MOST:,} more")


def as_data(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return verdicts for --json."""
    return {
        "intact": all(one.state == "intact" for one in verdicts),
        "logs": [_data(one) for one in verdicts],
    }


def _data(verdict: Verdict) -> dict[str, object]:
    report, found = verdict.report, verdict.findings
    return {
        "log": verdict.log,
        "state": verdict.state,
        "records": report.records if report else None,
        "checkpoint": report.checkpoint.size if report and report.checkpoint else None,
        "first": _first(found) if found else None,
        "findings": found[:MOST],
        "more": max(0, len(found) - MOST),
        "unverified": verdict.why,
        "remarks": list(_remarks(verdict)),
    }


def _sentence(verdict: Verdict) -> str:
    report, found = verdict.report, verdict.findings
    if found:
        first = _first(found)
        if first.kind not in _RECORDS or first.position is None:
            return f"damaged ({first.kind}): {first.reason}"
        return f"damaged: the first bad record is {_place(first)} ({first.kind}): {first.reason}"
    if verdict.why:
        return f"could not be verified: {verdict.why}"
    if report is None or report.checkpoint is None:
        return f"intact: {report.records if report else 0:,} records"
    return f"intact: {report.records:,} records, as a signed checkpoint of {report.checkpoint.size:,} says"


def _first(found: Sequence[Finding]) -> Finding:
    """Return the first bad record, or where none is bad what else was found first."""
    return next((one for one in found if one.kind in _RECORDS), found[0])


def _place(one: Finding) -> str:
    if one.position is None:
        return "-"
    if one.until is None or one.until == one.position + 1:
        return str(one.position)
    return f"one of {one.position} to {one.until - 1}"


def _remarks(verdict: Verdict) -> Iterator[str]:
    yield from verdict.remarks
    for one in verdict.restored():
        yield one.reason
