"""Passwords through the command and a real service: typed unseen, imported from files, and never told again."""

from __future__ import annotations

import csv
import hashlib
import json
import stat
from itertools import count
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from api.cli.keys import COUNTED, PURPOSES
from keys.keyset import COUNTED as SEALING
from keys.keyset import OF_TENANTS
from tests.api.cli.conftest import Command
from tests.api.cli.terminal import on_terminal
from tests.client.faults import Faults, Request, answer, hang_up, problem, serve
from tests.service import Service

PASSWORD, OTHER = "a canary, a kite, two rivers", "three mills behind the hill"
BCRYPT = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
_numbers = count()


@pytest.fixture
def live(served: Service, tmp_path: Path) -> Command:
    """The command with the live key: passwords of test data belong to the transcripts, which count them."""
    (tmp_path / "key.txt").write_text(served.keys["live"])
    return Command(
        tmp_path, {"STRONGROOM_URL": served.url, "STRONGROOM_API_KEY_FILE": str(tmp_path / "key.txt")}
    )


@pytest.fixture
def name(live: Command) -> str:
    """A login name that has a token and no password."""
    return names(live, 1)[0]


def names(live: Command, many: int) -> list[str]:
    made = [f"user.{next(_numbers)}" for _ in range(many)]
    live.write("names.csv", "login_name\n" + "\n".join(made) + "\n")
    done = live("tokenize", "names.csv", "-o", "tokens.csv", "--force", "--deterministic")
    assert done.returncode == 0, done.stderr
    return made


def test_a_password_from_standard_input(live: Command, name: str) -> None:
    whose = ("--login-name", name)
    stored = live("passwords", "store", *whose, given=PASSWORD + "\n")
    assert (stored.returncode, stored.stderr) == (0, "")
    assert stored.stdout == "the password is stored; how hard it is to guess, 0 to 4: 4\n"
    for given in (PASSWORD, PASSWORD + "\n", PASSWORD + "\r\n"):
        right = live("passwords", "verify", *whose, given=given)
        assert (right.returncode, right.stdout) == (0, "the password is right\n")
    wrong = live("passwords", "verify", *whose, given=PASSWORD + " ")
    assert (wrong.returncode, wrong.stdout) == (1, "the password is not right\n")
    assert json.loads(live("passwords", "verify", *whose, "--json", given=OTHER).stdout)["verified"] is False
    reset = live("passwords", "reset", "--login-name", "-", "--json", given=f"{name}\n{OTHER}\n")
    assert set(json.loads(reset.stdout)) == {"score", "warning"}
    assert live("passwords", "verify", *whose, given=OTHER).returncode == 0
    assert live("passwords", "delete", *whose).stderr.endswith("hint: say --yes\n")
    assert live("passwords", "delete", *whose, "--yes").stdout == "the password is deleted\n"
    gone = live("passwords", "delete", *whose, "--yes")
    assert (gone.returncode, "no such login" in gone.stderr) == (4, True)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"", "standard input is empty"), (b"\n", "standard input is empty"), (b"\xff\xfe\n", "is not UTF-8"),
        (f"{PASSWORD}\n{OTHER}\n".encode(), "goes on after the line with the password"),
    ],
)  # fmt: skip
def test_what_is_not_one_line_is_no_password(live: Command, name: str, given: bytes, why: str) -> None:
    done = live("passwords", "store", "--login-name", name, given=given)
    assert (done.returncode, why in done.stderr, PASSWORD in done.stderr) == (2, True, False)
    assert live("passwords", "verify", "--login-name", name, given=PASSWORD).returncode == 1


def test_on_a_terminal_it_is_typed_twice_and_not_shown(live: Command, name: str) -> None:
    line = PASSWORD + "\n"
    twice = {"Password: ": line, "Repeat for confirmation: ": line}
    stored = on_terminal(live, "passwords", "store", "--login-name", name, typed=twice)
    assert "the password is stored" in stored
    shown = on_terminal(live, "passwords", "verify", "--login-name", name, typed={"Password: ": line})
    assert "the password is right" in shown
    assert PASSWORD not in stored + shown


def test_no_password_is_an_argument_a_variable_or_in_a_log(live: Command, name: str, served: Service) -> None:
    for command in ("store", "verify", "reset"):
        shown = live("passwords", command, "--help").stdout
        assert "--password" not in shown
        assert live("passwords", command, "--login-name", name, PASSWORD, given=OTHER).returncode == 2
        live("passwords", command, "--login-name", name, given="", STRONGROOM_PASSWORD=PASSWORD)
    assert live("passwords", "verify", "--login-name", name, given=PASSWORD).returncode == 1
    live("passwords", "store", "--login-name", name, given=PASSWORD)
    again = live("passwords", "store", "--login-name", name, given=OTHER, STRONGROOM_URL=served.url)
    assert again.returncode == 4
    failed = live(
        "passwords", "verify", "--login-name", name, given=PASSWORD, STRONGROOM_URL="http://127.0.0.1:1"
    )
    assert failed.returncode == 3
    said = again.stdout + again.stderr + failed.stderr + served.log.read_text()
    assert PASSWORD not in said
    assert OTHER not in said


def test_guessing_is_told_with_the_time_to_wait(live: Command, name: str) -> None:
    whose = ("--login-name", name)
    live("passwords", "store", *whose, given=PASSWORD)
    assert live("passwords", "unlock", *whose).stdout == "no wrong passwords were counted\n"
    codes = [live("passwords", "verify", *whose, given=OTHER).returncode for _ in range(10)]
    assert codes == [1] * 10
    barred = live("passwords", "verify", *whose, "--json", given=PASSWORD)
    error = json.loads(barred.stdout)["error"]
    assert (barred.returncode, error["code"], error["retry_after"] >= 1) == (4, "too_many_attempts", True)
    assert "again after " in live("passwords", "verify", *whose, given=PASSWORD).stderr
    assert live("passwords", "unlock", *whose).stdout == "the wrong passwords are forgotten\n"
    assert live("passwords", "verify", *whose, given=PASSWORD).returncode == 0


def test_log_ins_of_a_person(live: Command, name: str) -> None:
    whose = ("--login-name", name)
    live("passwords", "store", *whose, given=PASSWORD)
    for given in (PASSWORD, OTHER):
        live("passwords", "verify", *whose, given=given)
    listed = live("logins", *whose, "--purpose", "subject_request").stdout.splitlines()
    assert listed[0].split("\t")[:3] == ["at", "result", "ip"]
    assert [line.split("\t")[1] for line in listed[1:]] == ["refused", "ok"]
    newest = live("logins", *whose, "--purpose", "audit", "--plain", "--limit", "1", "--json").stdout
    assert [one["result"] for one in json.loads(newest)["logins"]] == ["refused"]
    later = live("logins", *whose, "--purpose", "audit", "--since", "2999-01-01", "--json").stdout
    assert json.loads(later) == {"logins": []}
    assert live("logins", "--purpose", "audit").stderr == (
        "error: say whose: one of --login, --login-name and --subject\n"
    )
    assert live("logins", *whose).returncode == 2


def test_an_import_and_the_same_again(live: Command, served: Service) -> None:
    one, two, three = names(live, 3)
    live.write("users.csv", (
        f"name,password_hash,note\n{one},{BCRYPT},x\n{two},\"{PASSWORD}\",plain text\nnobody.here,{BCRYPT},x\n"
        f"{three},{BCRYPT}\n\n,{BCRYPT},x\n{three},{BCRYPT},y\n"
    ))  # fmt: skip
    line = ("passwords", "import", "users.csv", "--login-name", "name", "--hash", "password_hash")
    done = live(*line, "--report", "refused.csv")
    assert done.returncode == 1
    assert done.stdout == (
        "rows: 7, imported: 2, there already: 0, refused: 4 "
        "(unknown_scheme 1, unknown_login 1, malformed_row 1, empty_cell 1) -> refused.csv\n"
    )
    with (live.folder / "refused.csv").open(newline="") as file:
        told = list(csv.reader(file))
    assert [row[:2] for row in told] == [
        ["line", "code"], ["3", "unknown_scheme"], ["4", "unknown_login"], ["5", "malformed_row"],
        ["7", "empty_cell"],
    ]  # fmt: skip
    assert stat.S_IMODE((live.folder / "refused.csv").stat().st_mode) == 0o600
    again = live(*line, "--json")
    found = json.loads(again.stdout)
    assert (again.returncode, found["imported"], found["there_already"]) == (1, 0, 2)
    assert found["refused"] == {
        "unknown_scheme": 1, "unknown_login": 1, "malformed_row": 1, "empty_cell": 1,
    }  # fmt: skip
    said = done.stdout + done.stderr + again.stdout + again.stderr + served.log.read_text()
    for secret in (PASSWORD, BCRYPT, BCRYPT[7:29], one):
        assert secret not in said
        assert secret not in str(told)
    assert live("passwords", "verify", "--login-name", one, given=PASSWORD).returncode == 0
    assert live(*line, "--report", "refused.csv").stderr.startswith("error: refused.csv exists\n")


def test_an_import_that_leaves_nothing_out_is_a_success(live: Command) -> None:
    users = names(live, 3)
    live.write("users.csv", "login_name;hash\n" + "".join(f"{user};{BCRYPT}\n" for user in users))
    line = ("passwords", "import", "users.csv", "--delimiter", ";", "--wrap")
    done = live(*line)
    assert (done.returncode, done.stdout, done.stderr) == (
        0, "rows: 3, imported: 3, there already: 0, refused: 0\n", "",
    )  # fmt: skip
    assert "3/3" in on_terminal(live, *line)  # the bar
    assert live(*line).returncode == 0
    assert "\nargon2id+bcrypt" in live("passwords", "status").stdout
    assert live("passwords", "verify", "--login-name", users[2], given=PASSWORD).returncode == 0


def test_salts_and_a_layout(live: Command) -> None:
    (user,) = names(live, 1)
    digest = hashlib.md5(hashlib.md5(PASSWORD.encode()).hexdigest().encode() + b"a1b2c3").hexdigest()
    live.write("users.csv", f"login_name,hash,salt\n{user},{digest},a1b2c3\n")
    undeclared = live("passwords", "import", "users.csv")
    assert (undeclared.returncode, "imported: 0" in undeclared.stdout) == (1, True)
    done = live("passwords", "import", "users.csv", "--layout", "md5(md5(password)+salt)")
    assert done.returncode == 0, done.stderr
    assert live("passwords", "verify", "--login-name", user, given=PASSWORD).returncode == 0


@pytest.mark.parametrize(
    ("header", "options", "why"),
    [
        ("name,hash", (), "no column says whose the hashes are"),
        ("login,subject,hash", (), "more than one column says whose the hashes are"),
        ("name,hash", ("--login", "name", "--subject", "name"), "more than one column says whose"),
        ("login,password", (), "has no column hash"),
        ("login,hash", ("--salt", "pepper"), "has no column pepper"),
        ("login,login,hash", (), "has 2 columns named login"),
        ("login,hash", ("--report", "users.csv"), "is the file that is read"),
        ("login,hash", ("--encoding", "klingon"), "there is no such encoding"),
    ],
)
def test_nothing_is_sent_of_a_file_that_is_not_understood(
    live: Command, header: str, options: tuple[str, ...], why: str
) -> None:
    live.write("users.csv", f"{header}\n" + ",".join("x" * len(header.split(","))) + "\n")
    with serve() as faults:
        done = live("passwords", "import", "users.csv", *options, STRONGROOM_URL=faults.url)
    assert (done.returncode, why in done.stderr, faults.seen) == (2, True, []), done.stderr


def took(request: Request) -> dict[str, object]:
    return {"imported": len(request.json["hashes"]), "errors": []}


def imported(live: Command, faults: Faults, *options: str) -> Any:
    return live("passwords", "import", "users.csv", *options, STRONGROOM_URL=faults.url)


@pytest.mark.parametrize(("options", "most"), [((), 1_000), (("--wrap",), 16)])
def test_memory_does_not_grow_with_the_file(live: Command, options: tuple[str, ...], most: int) -> None:
    live.write("users.csv", "subject,hash\n" + "".join(f"s{n},h{n}\n" for n in range(2_500)))
    with serve() as faults:
        faults.play(answer(took))
        done = imported(live, faults, *options)
        sizes = [len(request.json["hashes"]) for request in faults.seen]
        sent = [subject for request in faults.seen for subject in request.json["subjects"]]
    assert done.stdout == "rows: 2500, imported: 2500, there already: 0, refused: 0\n"
    assert max(sizes) == most
    assert sent == [f"s{n}" for n in range(2_500)]


def test_what_breaks_off_says_how_to_go_on_and_leaves_no_report(live: Command) -> None:
    live.write("users.csv", "subject,hash\n" + "s,h\n" * 1_500)
    with serve() as faults:
        faults.play(answer(took), hang_up)
        done = imported(live, faults, "--report", "refused.csv")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].endswith(
        "the same command goes on: what was taken is told as there already"
    )
    assert not (live.folder / "refused.csv").exists()
    assert len(faults.seen) == 2  # the second may have been taken: it is not sent again
    with serve() as faults:
        faults.play(problem(403, "forbidden"))
        refused = imported(live, faults)
    assert (refused.returncode, "goes on" in refused.stderr) == (4, False)


def test_of_many_refusals_the_first_are_shown(live: Command) -> None:
    live.write("users.csv", "subject,hash\n" + "s,\n" * 60)
    with serve() as faults:
        done = imported(live, faults)
    assert (done.returncode, faults.seen) == (1, [])
    assert len(done.stderr.splitlines()) == 51
    assert done.stderr.splitlines()[-1] == "… and 10 more; --report writes them all"


def test_a_subject_that_the_service_would_refuse_with_all_others_is_refused_alone(live: Command) -> None:
    live.write("users.csv", f'subject,hash\n"a\nb",h\n{"x" * 129},h\nok,h\n')
    with serve() as faults:
        faults.play(answer(took))
        done = imported(live, faults, "--json")
        assert faults.seen[0].json["subjects"] == ["ok"]
    assert json.loads(done.stdout)["refused"] == {"invalid_subject": 2}


def test_the_lists_of_keysets_are_those_of_the_keys() -> None:
    assert OF_TENANTS == PURPOSES
    assert set(COUNTED) == SEALING
