"""Reports of drills: written, signed, read back, and refused where anything about them is not ours."""

from __future__ import annotations

import json

import pytest

from tests.vault.recovery.told import KEYS, SIGNER, report
from vault.audit.notes import Signer, Verifier
from vault.errors import InvalidReport
from vault.recovery import reports
from vault.recovery.reports import CHECKS, Check


def test_a_signed_report_reads_back() -> None:
    note = reports.signed(report(), SIGNER)
    assert reports.read(note, KEYS) == reports.unverified(note) == report()
    assert (report().rpo, report().rto, report().passed, report().failed) == (1.5, 1.04, True, [])


def test_a_report_is_one_line_of_canonical_json() -> None:
    text, _, _ = reports.signed(report(), SIGNER).partition("\n")
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text


@pytest.mark.parametrize("state", ["failed", "skipped"])
def test_what_was_not_restored_did_not_pass(state: str) -> None:
    checks = [Check(name=name, state="passed") for name in CHECKS if name != "restored"]
    assert not report(checks=[Check(name="restored", state=state), *checks]).passed  # type: ignore[arg-type]
    assert not report(checks=checks).passed


def test_one_failed_check_fails_the_drill_and_a_skipped_one_does_not() -> None:
    restored = Check(name="restored", state="passed")
    assert report(checks=[restored, Check(name="live", state="skipped", code="asked")]).passed
    failed = Check(name="values", state="failed", code="unreadable_value", checked=9, bad=1)
    assert not report(checks=[restored, failed]).passed
    assert report(checks=[restored, failed]).failed == [failed]


def test_a_clock_that_is_behind_makes_no_negative_age() -> None:
    assert report(begun_at=1, taken_at=500).rpo == 0
    assert report(taken_at=0).rpo is None


def test_a_report_of_another_key_or_name_is_refused() -> None:
    other = Signer("strongroom/other", bytes(range(32)))
    for by, keys in ((reports.signer(bytes(32)), KEYS), (other, [Verifier(other.vkey)]), (SIGNER, [])):
        with pytest.raises(InvalidReport):
            reports.read(reports.signed(report(), by), keys)


def test_every_byte_of_a_report_is_signed() -> None:
    note = reports.signed(report(), SIGNER).encode()
    for at in range(0, len(note), 7):
        bad = note[:at] + bytes([note[at] ^ 1]) + note[at + 1 :]
        with pytest.raises(InvalidReport):
            reports.read(bad.decode("utf-8", "replace"), KEYS)


@pytest.mark.parametrize(
    "text",
    ['{"a":1}', "[]", "x", '{"format":"strongroom-drill/2"}', "[" * 5_000],
)  # fmt: skip
def test_what_is_signed_but_no_report_is_refused(text: str) -> None:
    with pytest.raises(InvalidReport):
        reports.read(SIGNER.sign(text + "\n"), KEYS)


@pytest.mark.parametrize("change", ["space", "order", "twice", "unknown", "format"])
def test_a_report_is_read_in_one_way_only(change: str) -> None:
    text = reports.signed(report(), SIGNER).partition("\n")[0]
    check = Check(name="values", state="passed")
    changed = {
        "space": text.replace(":", ": ", 1),
        "order": json.dumps(dict(reversed(json.loads(text).items())), separators=(",", ":")),
        "twice": reports.signed(report(checks=[check, check]), SIGNER).partition("\n")[0],
        "unknown": reports.signed(report(checks=[Check(name="luck", state="passed")]), SIGNER).partition(
            "\n"
        )[0],
        "format": reports.signed(report(format="strongroom-drill/9"), SIGNER).partition("\n")[0],
    }[change]
    with pytest.raises(InvalidReport):
        reports.read(SIGNER.sign(changed + "\n"), KEYS)
