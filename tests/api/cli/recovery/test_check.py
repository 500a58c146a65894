"""`recovery check` tells whole shares from others, and the record's from others'; what is typed is never shown."""

from __future__ import annotations

import json

import pytest

from keys import shares
from keys.secret import Secret
from tests.api.cli.conftest import Command
from tests.api.cli.recovery.conftest import KEY, Known
from tests.api.cli.recovery.custodian import at_terminal, hold
from vault.recovery import record

FROM_INPUT = ("--shares-file", "-")


def texts(known: Known) -> list[list[str]]:
    return [share.expose().decode().split() for share in known.shares]


def test_one_share_is_whole_and_the_record_s(recorded: Command, known: Known) -> None:
    done = recorded("recovery", "check", "recovery.txt", *FROM_INPUT, given=known.lines(4))
    assert done.returncode == 0, done
    assert done.stdout.splitlines() == [
        f"share 4 of 5 is whole, and the record's: {known.record.digests[3]}",
        "the key was not tried: that needs 2 more of the shares",
    ]


@pytest.mark.parametrize("numbers", [(1, 2, 3), (5, 2, 4), (1, 2, 3, 4, 5)])
def test_enough_of_them_make_the_record_s_key(
    recorded: Command, known: Known, numbers: tuple[int, ...]
) -> None:
    given = f"# of the custodians\n\n{known.lines(*numbers)}"
    done = recorded("recovery", "check", "recovery.txt", *FROM_INPUT, given=given)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, len(numbers) + 1)
    assert done.stdout.endswith(f"record's key; its check value is {known.record.check_value}\n")


def test_as_json(recorded: Command, known: Known) -> None:
    done = recorded("recovery", "check", "recovery.txt", "--json", *FROM_INPUT, given=known.lines(1, 1, 2))
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "shares": [
            {"number": 1, "code": None},
            {"number": 1, "code": "share_repeated"},
            {"number": 2, "code": None},
        ],
        "key": "not_tried",
        "check_value": known.record.check_value,
    }


def test_a_share_of_another_splitting_of_the_same_key_is_not_the_record_s(
    recorded: Command, known: Known
) -> None:
    other = shares.split(KEY, 3, 5)[1].expose().decode()
    done = recorded("recovery", "check", "recovery.txt", *FROM_INPUT, given=f"{known.lines(1, 3)}{other}\n")
    assert done.returncode == 1
    assert done.stdout.splitlines()[2:] == [
        "the share is whole, but it is not the record's",
        "the key was not tried: that needs 1 more of the shares",
    ]


def test_a_record_of_another_key_with_these_digests_is_found_out(recorded: Command, known: Known) -> None:
    """Whoever changes the record's recipient has to change its check value with it; the shares tell."""
    recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    text = record.write(known.record).replace(known.record.recipient, recipient)
    recorded.write("recovery.txt", text.replace(known.record.check_value, shares.check_value(recipient)))
    done = recorded("recovery", "check", "recovery.txt", *FROM_INPUT, given=known.lines(1, 2, 3))
    assert (done.returncode, "but not the record's" in done.stdout) == (1, True)


def test_a_mistake_is_named_by_its_place_and_the_others_are_checked(recorded: Command, known: Known) -> None:
    two = texts(known)[1]
    broken = " ".join([*two[:6], "mistyped", *two[7:]]) + "\n"
    done = recorded("recovery", "check", "recovery.txt", *FROM_INPUT, given=broken + known.lines(3))
    assert (done.returncode, done.stdout.splitlines()[:2]) == (
        1,
        [
            "share 1: word 7 is not of the list",
            f"share 3 of 5 is whole, and the record's: {known.record.digests[2]}",
        ],
    )
    assert not hold([done.stdout, done.stderr], texts(known))
    assert "mistyped" not in done.stdout + done.stderr


def test_shares_in_a_file_that_others_may_read_are_refused(recorded: Command, known: Known) -> None:
    path = recorded.write("shares.txt", known.lines(1))
    path.chmod(0o640)
    done = recorded("recovery", "check", "recovery.txt", "--shares-file", "shares.txt")
    assert (done.returncode, "chmod 600 shares.txt" in done.stderr) == (2, True)
    path.chmod(0o600)
    assert recorded("recovery", "check", "recovery.txt", "--shares-file", "shares.txt").returncode == 0


@pytest.mark.parametrize(
    ("given", "why"),
    [("", "there is no share"), ("# none\n\n", "there is no share")],
)
def test_nothing_given_is_said(recorded: Command, known: Known, given: str, why: str) -> None:
    done = recorded("recovery", "check", "recovery.txt", *FROM_INPUT, given=given)
    assert (done.returncode, why in done.stderr) == (2, True)


def test_without_a_terminal_nobody_is_asked(recorded: Command, known: Known) -> None:
    done = recorded("recovery", "check", "recovery.txt", given=known.lines(1))
    assert (done.returncode, "--shares-file" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "line 1: "), (b"strongroom-recovery/1\n", "line 2: the record ends"), (b"\xff\xfe", "not UTF-8"),
        (b"a\n" * 600_000, "too long"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_said(offline: Command, content: bytes, why: str) -> None:
    offline.write("other.txt", content)
    done = offline("recovery", "check", "other.txt", *FROM_INPUT)
    assert (done.returncode, why in done.stderr) == (2, True), done.stderr


def test_custodians_type_unseen_in_as_many_lines_as_they_like(recorded: Command, known: Known) -> None:
    one, two, three, *_ = texts(known)
    terminal = at_terminal(recorded, "recovery", "check", "recovery.txt")
    terminal.until("Share 1 of 3, word 1 and on: ")
    terminal.type(" ".join(word[:4].upper() for word in one) + "\n")
    terminal.until("share 1 of 5 is whole")
    terminal.until("Share 2 of 3, word 1 and on: ")
    terminal.type(" ".join([*two[:6], "mistyped", *two[7:9]]) + "\n")
    terminal.until("word 7 is not of the list")
    terminal.until("Share 2 of 3, word 7 and on: ")
    terminal.type(" ".join(two[6:-1]) + "\n")
    terminal.until("Share 2 of 3, word 33 and on: ")
    terminal.type(f"{two[-1]}\n")
    terminal.until("share 2 of 5 is whole")
    terminal.until("Share 3 of 3, word 1 and on: ")
    terminal.type(" ".join(["zero" if three[0] != "zero" else "acid", *three[1:]]) + "\n")
    terminal.until("check words do not fit.*; type it again")
    terminal.until("Share 3 of 3, word 1 and on: ")
    terminal.type(" ".join(three) + "\n")
    terminal.until(f"its check value is {known.record.check_value}")
    assert terminal.end() == 0
    assert not hold([terminal.shown], texts(known))
    assert "mistyped" not in terminal.shown


def test_an_empty_line_ends_it(recorded: Command, known: Known) -> None:
    terminal = at_terminal(recorded, "recovery", "check", "recovery.txt")
    terminal.until("word 1 and on: ")
    terminal.type(known.lines(2))
    terminal.until("share 2 of 5 is whole")
    terminal.until("word 1 and on: ")
    terminal.type("\n")
    terminal.until("that needs 2 more")
    assert terminal.end() == 0


def test_a_share_of_another_set_is_told_at_once_and_makes_it_fail(recorded: Command, known: Known) -> None:
    other: Secret = shares.split(KEY, 3, 5)[0]
    terminal = at_terminal(recorded, "recovery", "check", "recovery.txt")
    terminal.until("word 1 and on: ")
    terminal.type(other.expose().decode() + "\n")
    terminal.until("it is not the record's")
    terminal.until("Share 1 of 3, word 1 and on: ")
    terminal.type("\n")
    assert terminal.end() == 1
