"""The folder of reports: what is kept, what is passed over, and whose turn it is."""

from __future__ import annotations

from pathlib import Path

from api.drills.shelf import PAGE, Shelf, due
from tests.vault.recovery.told import SIGNER, report
from vault.recovery import reports


def kept(shelf: Shelf, **parts: object) -> Path:
    made = report(**parts)
    return shelf.keep(made, reports.signed(made, SIGNER))


def test_reports_come_back_oldest_first_and_strange_files_are_passed_over(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    kept(shelf, id="drl_2", begun_at=9_000_000)
    kept(shelf, id="drl_1", begun_at=1_000_000)
    (tmp_path / "20200101T000000Z-drl_0.note").write_text("nothing of ours")
    assert [one.id for one in shelf.past()] == ["drl_1", "drl_2"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("*drl_[12].note")} == {0o600}


def test_the_page_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.show("one")
    assert shelf.show("two").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == [PAGE]


def test_the_target_that_waited_longest_is_next() -> None:
    past = [report(target="a", begun_at=5), report(target="b", begun_at=3), report(target="b", begun_at=9)]
    assert due(["a", "b"], past) == "a"
    assert due(["a", "b", "c"], past) == "c"
    assert due(["a"], []) == "a"
