"""Exit codes of drills: the worst of what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keys.errors import (
    KeyFileError,
    PassphraseError,
    RootForbidden,
    RootLoginRefused,
    RootUnavailable,
    RootUnfit,
    RootUntrusted,
    UnknownRoot,
)

if TYPE_CHECKING:
    from vault.recovery.reports import Report

NOT_HANDED_IN, NO_TARGET, FAILED, NO_KEY = 1, 3, 5, 7  # in the numbers of all commands
LOCKED = frozenset({
    "backup_locked",
    *(kind.code for kind in (
        KeyFileError, PassphraseError, UnknownRoot, RootUnavailable, RootForbidden, RootLoginRefused, RootUntrusted,
        RootUnfit,
    )),
})  # fmt: skip
"""Codes of what is at fault where the backup may be good."""


def code(made: Sequence[Report], handed_in: bool) -> int:
    """Return the code of the worst: a backup that is bad, no key, no target, a report that nobody took."""
    whys = [_why(report) for report in made if not report.passed]
    locked, away = [why in LOCKED for why in whys], [why.startswith("target_") for why in whys]
    if not all(one or other for one, other in zip(locked, away, strict=True)):
        return FAILED
    return NO_KEY if any(locked) else NO_TARGET if any(away) else 0 if handed_in else NOT_HANDED_IN


def _why(report: Report) -> str:
    """Return the code of why nothing was restored, "" where something was."""
    return next((check.code for check in report.failed if check.name == "restored"), "")
