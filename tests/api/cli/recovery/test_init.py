"""`recovery init` makes a key that is nowhere but in its shares, and gives each share to one custodian."""

from __future__ import annotations

import signal
import stat
from pathlib import Path

import pytest

from keys import identity, shares
from keys.secret import Secret
from tests.api.cli.conftest import Command
from tests.api.cli.recovery.conftest import TRUSTED
from tests.api.cli.recovery.custodian import OWN_SCREEN, Terminal, at_terminal, hold, numbered
from vault.recovery import recipients, record
from vault.recovery.record import Record


def written_down(terminal: Terminal, count: int, wrong_at: int = 0) -> list[list[str]]:
    """Be the custodians: write down what is shown and type words of it back; return the shares.

    Args:
        wrong_at: the share whose custodian mistypes a word, and sees it again.
    """
    found = []
    for number in range(1, count + 1):
        terminal.until(f"Share {number} of {count}, of which any")
        terminal.type("\n")
        words = shown(terminal)
        if number == wrong_at:
            terminal.until(r": word \d+: ")
            terminal.type("mistyped\n")
            terminal.until("that is not word")
            assert shown(terminal) == words
        for _ in range(3):
            asked = terminal.until(r"word (\d+): ")
            terminal.type(words[int(asked[1]) - 1] + "\n")
        found.append(words)
    return found


def shown(terminal: Terminal) -> list[str]:
    begun = terminal.since
    terminal.until("Written down?")
    words = numbered(terminal.shown[begun : terminal.since])
    terminal.type("\n")
    return words


def made_of(words: list[list[str]], made: Record) -> None:
    """Assert that these are the shares of the record, and make its key."""
    given = [Secret(" ".join(share).encode()) for share in words]
    assert [shares.share_digest(share) for share in given] == list(made.digests)
    assert identity.recipient(shares.combine(given[-made.threshold :])) == made.recipient


def test_each_custodian_sees_one_share_once_and_nothing_of_it_stays(offline: Command, trusted: Path) -> None:
    terminal = at_terminal(offline, "recovery", "init", "--trust", trusted.name)
    words = written_down(terminal, 5, wrong_at=2)
    line = terminal.until("recovery age1[a-z0-9]+")[0]
    assert terminal.end() == 0
    text = (offline.folder / "recovery.txt").read_text()
    made = record.read(text)
    made_of(words, made)
    assert (made.threshold, [key.vkey for key in made.keys]) == (3, TRUSTED)
    assert recipients.read(line).recovery == (made.recipient,)
    screens = OWN_SCREEN.findall(terminal.shown)
    for number, share in enumerate(words, 1):
        own = [screen for screen in screens if hold([screen], [share])]
        assert len(own) == (2 if number == 2 else 1)  # whoever mistyped sees it again
        assert not hold(own, [other for other in words if other is not share])
    assert not hold([terminal.outside(), text], words)
    assert {path.name for path in offline.folder.iterdir()} == {"recovery.txt", "trusted.txt"}


def test_other_numbers_and_no_words_typed_back(offline: Command) -> None:
    terminal = at_terminal(
        offline, "recovery", "init", "--shares", "2", "--threshold", "2", "--no-confirm", "--record", "r.txt"
    )
    words = []
    for _ in range(2):
        terminal.until("alone before the screen")
        terminal.type("\n")
        words.append(shown(terminal))
    terminal.until("it names no manifest key yet")
    assert terminal.end() == 0
    made_of(words, record.read((offline.folder / "r.txt").read_text()))


def test_broken_off_it_has_made_no_key(offline: Command) -> None:
    terminal = at_terminal(offline, "recovery", "init")
    terminal.until("alone before the screen")
    terminal.type("\n")
    terminal.until("Written down?")
    terminal.interrupt()
    assert terminal.end() == 130
    assert not list(offline.folder.iterdir())
    assert terminal.shown.count("\x1b[?1049h") == terminal.shown.count("\x1b[?1049l") == 2


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGHUP])
def test_ended_from_outside_it_leaves_no_share(
    offline: Command, in_memory: Path, told: signal.Signals
) -> None:
    """A window that is closed, a machine that goes down: no screen and no sheet keeps what it showed."""
    terminal = at_terminal(offline, "recovery", "init")
    terminal.until("alone before the screen")
    terminal.type("\n")
    terminal.until("Written down?")
    terminal.interrupt(told)
    assert terminal.end() == 128 + told
    assert terminal.shown.count("\x1b[?1049h") == terminal.shown.count("\x1b[?1049l") == 2
    terminal = at_terminal(offline, "recovery", "init", "--pages", str(in_memory))
    terminal.until("Printed?")
    assert list(in_memory.iterdir())
    terminal.interrupt(told)
    assert (terminal.end(), list(in_memory.iterdir())) == (128 + told, [])
    assert not list(offline.folder.iterdir())


def test_shares_are_not_shown_to_a_pipe(offline: Command) -> None:
    done = offline("recovery", "init")
    assert (done.returncode, done.stdout, "--pages" in done.stderr) == (2, "", True)
    assert not list(offline.folder.iterdir())


def test_a_terminal_that_cannot_show_a_whole_share_is_refused(offline: Command) -> None:
    """What scrolls off a screen of its own is gone, and nobody misses a line of it."""
    for size in ((80, 15), (40, 24)):
        terminal = at_terminal(offline, "recovery", "init", size=size)
        assert terminal.until("72 columns and 20 lines|alone before")[0] != "alone before"
        assert terminal.end() == 2
    terminal = at_terminal(offline, "recovery", "init", size=(72, 20))
    terminal.until("alone before the screen")
    terminal.interrupt()
    assert terminal.end() == 130
    assert not list(offline.folder.iterdir())


def test_a_record_that_cannot_be_written_is_said_before_a_share_is_shown(
    offline: Command, in_memory: Path
) -> None:
    """Else custodians would hold shares of a key that nobody knows the recipient of."""
    nowhere = "/proc/recovery.txt"  # a folder in which nobody makes a file
    terminal = at_terminal(offline, "recovery", "init", "--record", nowhere)
    assert terminal.until("/proc|alone before")[0] == "/proc"
    assert terminal.end() == 2
    done = offline("recovery", "init", "--pages", str(in_memory), "--no-confirm", "--record", nowhere)
    assert (done.returncode, list(in_memory.iterdir())) == (2, [])


def test_an_old_record_is_never_replaced(offline: Command, in_memory: Path) -> None:
    offline.write("recovery.txt", "of another key")
    done = offline("recovery", "init", "--pages", str(in_memory), "--no-confirm")
    assert (done.returncode, "recovery.txt exists" in done.stderr) == (2, True)
    assert not list(in_memory.iterdir())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--threshold", "4", "--shares", "3"), "--threshold is more"),
        (("--threshold", "1"), "2<=x<=16"),
        (("--shares", "17"), "2<=x<=16"),
        (("--trust", "nobody.txt"), "does not exist"),
        (("--pages", "nowhere"), "does not exist"),
    ],
)
def test_what_cannot_be_is_said_before_a_key_is_made(
    offline: Command, arguments: tuple[str, ...], why: str
) -> None:
    done = offline("recovery", "init", *arguments)
    assert (done.returncode, why in done.stderr) == (2, True), done.stderr
    assert not list(offline.folder.iterdir())


def test_a_line_of_the_trust_file_that_is_no_key_is_named(offline: Command) -> None:
    offline.write("trusted.txt", f"{TRUSTED[0]}\n{TRUSTED[1][:-2]}\n")
    done = offline("recovery", "init", "--trust", "trusted.txt")
    assert (done.returncode, "trusted.txt: line 2: " in done.stderr) == (2, True)


def test_sheets_on_a_disk_need_a_word(offline: Command, in_memory: Path) -> None:
    (folder := in_memory / "sheets").mkdir()
    disk = "/proc"  # neither tmpfs nor ramfs, on every machine
    done = offline("recovery", "init", "--no-confirm", "--pages", disk)
    assert (done.returncode, "is on a disk" in done.stderr) == (2, True)
    done = offline("recovery", "init", "--no-confirm", "--pages", str(folder))
    assert (done.returncode, len(list(folder.iterdir()))) == (0, 5)


def test_sheets_go_to_a_disk_where_that_is_said(offline: Command, tmp_path: Path) -> None:
    (folder := tmp_path / "sheets").mkdir()
    line = (
        "recovery",
        "init",
        "--no-confirm",
        "--yes",
        "--pages",
        "sheets",
        "--shares",
        "2",
        "--threshold",
        "2",
    )
    assert offline(*line).returncode == 0
    assert len(list(folder.iterdir())) == 2


def test_sheets_are_for_their_owner_alone_and_never_replaced(offline: Command, in_memory: Path) -> None:
    line = ("recovery", "init", "--no-confirm", "--pages", str(in_memory))
    assert offline(*line, "--record", "one.txt").returncode == 0
    before = {path: path.read_text() for path in in_memory.iterdir()}
    assert sorted(path.name for path in before) == [f"share-{number}-of-5.html" for number in range(1, 6)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in before} == {0o600}
    done = offline(*line, "--record", "two.txt")
    assert (done.returncode, "exists" in done.stderr, (offline.folder / "two.txt").exists()) == (
        2,
        True,
        False,
    )
    assert {path: path.read_text() for path in in_memory.iterdir()} == before
