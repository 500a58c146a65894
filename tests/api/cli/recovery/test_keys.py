"""`recovery keys` writes manifest keys into the record, says which, and leaves the rest of it as it was."""

from __future__ import annotations

from dataclasses import replace

from tests.api.cli.conftest import Command
from tests.api.cli.recovery.conftest import TRUSTED, Known
from vault.audit.notes import Signer
from vault.recovery import record

NEW = Signer("strongroom/00000000000000ff/backups", bytes(32)).vkey


def test_new_keys_come_after_those_that_are_named(recorded: Command, known: Known) -> None:
    done = recorded("recovery", "keys", "recovery.txt", "-", given=f"{TRUSTED[0]}\n{NEW}\n")
    assert (done.returncode, done.stdout) == (0, f"new: {NEW}\n"), done
    there = record.read((recorded.folder / "recovery.txt").read_text())
    assert [key.vkey for key in there.keys] == [*TRUSTED, NEW]
    assert replace(there, keys=known.record.keys) == known.record
    done = recorded("recovery", "keys", "recovery.txt", "recovery.txt")
    assert (done.returncode, done.stdout, "nothing is new" in done.stderr) == (0, "", True), done


def test_former_ones_go_when_that_is_said(recorded: Command) -> None:
    keys = str(recorded.write("keys.txt", f"{NEW}\n"))
    done = recorded("recovery", "keys", "recovery.txt", keys, "--replace")
    assert (done.returncode, sorted(done.stdout.splitlines())) == (0, sorted(
        [f"new: {NEW}", *(f"gone: {one}" for one in TRUSTED)]
    )), done  # fmt: skip
    (left,) = record.read((recorded.folder / "recovery.txt").read_text()).keys
    assert left.vkey == NEW


def test_what_is_no_key_leaves_the_record_as_it_was(recorded: Command) -> None:
    before = (recorded.folder / "recovery.txt").read_bytes()
    for given in ("", "much\n", f"{NEW}x\n"):
        done = recorded("recovery", "keys", "recovery.txt", "-", given=given)
        assert (done.returncode, done.stdout) == (2, ""), done
    assert (recorded.folder / "recovery.txt").read_bytes() == before
