"""Reports of drills, as tests need them."""

from __future__ import annotations

from vault.audit.notes import Verifier
from vault.recovery import reports
from vault.recovery.reports import CHECKS, Check, Report

SIGNER = reports.signer(bytes(range(32)))
KEYS = [Verifier(SIGNER.vkey)]


def report(**parts: object) -> Report:
    """A report of a drill that passed."""
    plain: dict[str, object] = {
        "format": reports.FORMAT, "id": "drl_0123456789abcdef", "target": "file backups", "begun_at": 2_000_000,
        "software": "1", "installation": "00000000000000ff", "number": 7, "digest": "ab" * 32, "keyring": 3,
        "taken_at": 500_000, "phases": [("keyring", 40), ("data", 1_000)], "rows": 5,
        "checks": [Check(name=name, state="passed", checked=1) for name in CHECKS],
    }  # fmt: skip
    return Report(**{**plain, **parts})  # type: ignore[arg-type]
