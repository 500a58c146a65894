"""The exit code of drills is that of the worst."""

from __future__ import annotations

import pytest

from api.cli.drill import exits
from tests.vault.recovery.told import report
from vault.recovery.reports import Check, Report


def failed(name: str, code: str) -> Report:
    return report(checks=[Check(name=name, state="failed", code=code, bad=1)])


GOOD, BAD = report(), failed("restored", "backup_damaged")
AWAY, LOCKED = failed("restored", "target_unreachable"), failed("restored", "root_unavailable")
WRONG = report(
    checks=[
        Check(name="restored", state="passed"),
        Check(name="live", state="failed", code="root_unavailable"),
    ]
)


@pytest.mark.parametrize(
    ("made", "handed_in", "code"),
    [
        ([GOOD], True, 0), ([GOOD], False, 1), ([GOOD, AWAY], True, 3), ([AWAY, LOCKED], False, 7),
        ([AWAY, BAD, LOCKED], True, 5), ([WRONG], True, 5), ([WRONG, LOCKED], True, 5), ([], True, 0),
    ],
)  # fmt: skip
def test_the_worst_of_all_drills_is_told(made: list[Report], handed_in: bool, code: int) -> None:
    assert exits.code(made, handed_in) == code
