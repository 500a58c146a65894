"""Whole files through the command and a real service."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.cli.conftest import Command
from tests.api.cli.terminal import on_terminal
from tests.client.faults import Request, answer, hang_up, problem, serve, tokens

CANARY = "6212345678901266"  # a wrong check digit
FIELDS = {
    "fields": [{"name": "phone", "sample": "", "masked": "", "lookup": True, "shapable": True, "class": "C2"}]
}


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_there_and_back(strongroom: Command) -> None:
    content = "﻿id,person_name,phone,备注\r\n" + "".join(
        f'{n},张三,134{n:08},"a, ""b""\nc"\r\n' for n in range(12_345)
    )
    strongroom.write("in.csv", content)
    made = strongroom("tokenize", "in.csv", "-o", "tokens.csv", "--subject", "id", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["values"] == 2 * 12_345
    tokenized = (strongroom.folder / "tokens.csv").read_text("utf-8")
    assert "张三" not in tokenized
    assert stat.S_IMODE((strongroom.folder / "tokens.csv").stat().st_mode) == 0o600
    back = strongroom("reveal", "tokens.csv", "-o", "back.csv", "--purpose", "service", "--plain", "--json")
    assert back.returncode == 0, back.stderr
    expected = content.replace(",134", ",+86134")
    assert (strongroom.folder / "back.csv").read_bytes() == expected.encode()


def test_views_and_comparisons(strongroom: Command) -> None:
    given = "phone,claimed\n13800138000,+86 138 0013 8000\n13800138001,13800138009\n13800138002,no number\n"
    strongroom.write("in.csv", given)
    made = strongroom("tokenize", "in.csv", "-o", "tokens.csv", "--tag", "vip", "--tag", "b")
    assert made.returncode == 0, made.stderr
    shown = {}
    for view in ("last4", "fingerprint", "masked", "full"):
        why = ("--purpose", "legal", "--case", "2026/17", "--view", view)
        shown[view] = [
            row.split(",")[0] for row in strongroom("reveal", "tokens.csv", *why).stdout.splitlines()
        ][1:]
    assert shown["last4"] == ["**********8000", "**********8001", "**********8002"]
    assert shown["full"] == ["+8613800138000", "+8613800138001", "+8613800138002"]
    assert [one[:3] for one in shown["fingerprint"]] == ["fp_"] * 3
    bare = strongroom("reveal", "tokens.csv", "--purpose", "legal")
    assert bare.returncode != 0
    assert "case" in bare.stderr
    both = strongroom("reveal", "tokens.csv", "--purpose", "service", "--plain", "--view", "last4")
    assert "say one of the two" in both.stderr
    compared = strongroom("compare", "tokens.csv", "--value", "claimed", "--purpose", "verify-identity")
    assert compared.returncode == 1  # one of the values is none
    assert [row.split(",")[0] for row in compared.stdout.splitlines()] == ["phone", "yes", "no", ""]
    assert "(invalid_value)" in compared.stderr
    assert "no number" not in compared.stderr


def test_standard_input_to_standard_output(strongroom: Command) -> None:
    made = strongroom("tokenize", "-", given="phone,city\n13800138000,北京\n")
    assert made.returncode == 0
    header, row = made.stdout.splitlines()
    assert header == "phone,city"
    assert row.startswith("tok_test_")
    assert row.endswith(",北京")


def test_gbk_with_another_delimiter(strongroom: Command) -> None:
    strongroom.write("in.csv", "姓名\t城市\n张三\t北京\n".encode("gbk"))
    arguments = ("--field", "姓名=person_name", "--encoding", "gbk", "--delimiter", r"\t")
    assert strongroom("tokenize", "in.csv", "-o", "out.csv", *arguments).returncode == 0
    text = (strongroom.folder / "out.csv").read_bytes().decode("gbk")
    assert text.startswith("姓名\t城市\ntok_test_")
    assert text.endswith("\t北京\n")
    made = strongroom("tokenize", "in.csv", "-o", "no.csv", "--field", "姓名=person_name")
    assert made.returncode == 2
    assert "in.csv: line 1 is not utf-8" in made.stderr
    assert "--encoding gb18030" in made.stderr


def test_a_value_that_the_encoding_lacks_is_not_shown(strongroom: Command) -> None:
    strongroom.write("in.csv", "person_name\n㐀㐁𠀀\n")
    strongroom("tokenize", "in.csv", "-o", "tokens.csv")
    done = strongroom(
        "reveal", "tokens.csv", "-o", "o.csv", "--purpose", "service", "--plain", "--encoding", "gbk"
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == [
        "error: a value cannot be written in gbk",
        "hint: say --encoding gb18030 or utf-8",
    ]
    assert not (strongroom.folder / "o.csv").exists()


def test_bad_values_appear_nowhere(strongroom: Command) -> None:
    strongroom.write(
        "in.csv", f"id,bank_card\n{CANARY}x,{CANARY}\n" + "1,6212345678901265\n" * 60 + f"2,{CANARY}\n" * 60
    )
    made = strongroom("tokenize", "in.csv", "-o", "out.csv", "--keep", "id")
    assert made.returncode == 1
    assert CANARY not in made.stdout + made.stderr
    assert "… and 11 more; --json lists them all" in made.stderr
    found = rows(strongroom.folder / "out.csv")
    assert [row[1] == "" for row in found[1:]] == [True] + [False] * 60 + [True] * 60
    listed = strongroom("tokenize", "in.csv", "-o", "again.csv", "--json")
    assert CANARY not in listed.stdout + listed.stderr
    assert [item["line"] for item in json.loads(listed.stdout)["refused"]] == [2, *range(63, 123)]


def test_rows_with_a_bad_subject_are_refused_alone(strongroom: Command) -> None:
    strongroom.write(
        "in.csv", f'who,phone\nok,13400000001\n"a\nb",13400000002\n{"x" * 129},13400000003\n,13400000004\n'
    )
    made = strongroom("tokenize", "in.csv", "-o", "out.csv", "--subject", "who", "--json")
    assert made.returncode == 1
    refused = json.loads(made.stdout)["refused"]
    assert [(item["line"], item["column"], item["code"]) for item in refused] == [
        (3, "who", "invalid_subject"),
        (5, "who", "invalid_subject"),
    ]
    assert [bool(row[1]) for row in rows(strongroom.folder / "out.csv")[1:]] == [True, False, False, True]


def test_a_column_that_must_not_be_kept_is_warned_about(strongroom: Command) -> None:
    strongroom.write("in.csv", "phone,CVV\n13400000001,123\n")
    made = strongroom("tokenize", "in.csv", "-o", "out.csv")
    assert "warning: in.csv: CVV is copied as it is, but must not be kept" in made.stderr
    assert "passwords" not in made.stderr


def test_a_column_of_passwords_is_warned_about_with_where_they_belong(strongroom: Command) -> None:
    strongroom.write("in.csv", "phone,Login_Password\n13400000001,x\n")
    made = strongroom("tokenize", "in.csv", "-o", "out.csv")
    assert "warning: in.csv: Login_Password is copied as it is, but passwords" in made.stderr
    assert "POST /v1/passwords" in made.stderr
    assert "PCI" not in made.stderr
    refused = strongroom("tokenize", "in.csv", "--field", "phone=password")
    assert refused.returncode == 2
    assert "password is no field type" in refused.stderr
    assert "POST /v1/passwords" in refused.stderr


def test_nothing_is_sent_from_a_file_that_is_broken_further_down(strongroom: Command) -> None:
    with serve() as faults:
        faults.play(answer(FIELDS), answer(tokens))
        strongroom.write("in.csv", b"phone\n" + b"13400000001\n" * 20_000 + b"\xff\n")
        made = strongroom("tokenize", "in.csv", "-o", "out.csv", STRONGROOM_URL=faults.url)
    assert made.returncode == 2
    assert "line 20002 is not utf-8" in made.stderr
    assert [request.path for request in faults.seen] == ["/v1/fields"]


def test_a_run_that_breaks_off_leaves_nothing_and_can_be_repeated(strongroom: Command) -> None:
    strongroom.write("in.csv", "phone\n" + "13400000001\n" * 25_000)
    with serve() as faults:
        faults.play(answer(FIELDS), answer(tokens), hang_up)
        made = strongroom("tokenize", "in.csv", "-o", "out.csv", STRONGROOM_URL=faults.url)
        assert made.returncode == 3
        assert sorted(os.listdir(strongroom.folder)) == ["in.csv", "key.txt"]
        hint = made.stderr.splitlines()[-1]
        assert hint.startswith("hint: ")
        key = hint.partition("--idempotency-key ")[2].split()[0]
        faults.seen.clear()
        faults.play(answer(FIELDS), answer(tokens))
        again = strongroom(
            "tokenize", "in.csv", "-o", "out.csv", "--idempotency-key", key, STRONGROOM_URL=faults.url
        )
        assert again.returncode == 0
        sent = [request.headers["idempotency-key"] for request in faults.seen[1:]]
    assert sent == [f"{key}.0.0", f"{key}.0.10000", f"{key}.0.20000"]


def test_the_same_run_twice_makes_one_set_of_tokens(strongroom: Command) -> None:
    strongroom.write("in.csv", "phone,email\n13400000001,a@example.com\n")
    for name in ("a.csv", "b.csv"):
        strongroom("tokenize", "in.csv", "-o", name, "--idempotency-key", f"run-{strongroom.folder.name}")
    assert rows(strongroom.folder / "a.csv") == rows(strongroom.folder / "b.csv")


def test_memory_does_not_grow_with_the_file(strongroom: Command) -> None:
    """Requests arrive while the file is still being read: at most 10,000 rows are held."""
    strongroom.write("in.csv", "phone\n" + "13400000001\n" * 30_000)
    with serve() as faults:

        def made(request: Request) -> dict[str, object]:
            assert len(request.json["values"]) <= 10_000
            return tokens(request)

        faults.play(answer(FIELDS), answer(made))
        done = strongroom("tokenize", "in.csv", "-o", "out.csv", STRONGROOM_URL=faults.url)
    assert done.returncode == 0
    assert len(faults.seen) == 4


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (problem(401, "unauthenticated", detail="a valid API key is needed"), 4),
        (problem(503, "deadline_exceeded", headers={"Retry-After": "90"}), 4),
        (answer(b"<html>"), 3),
    ],
)
def test_exit_codes(strongroom: Command, act: object, code: int) -> None:
    with serve() as faults:
        faults.play(act)  # type: ignore[arg-type]
        done = strongroom("fields", STRONGROOM_URL=faults.url)
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert "\nhint: " in done.stderr or code == 4


def test_nothing_secret_can_be_an_argument(strongroom: Command) -> None:
    for command in ("tokenize", "reveal", "fields", "apikey create", "token find"):
        shown = strongroom(*command.split(), "--help").stdout
        assert "--key " not in shown
        assert "--api-key" not in shown
        assert "--value" not in shown
    refused = strongroom("token", "find", "--field", "phone", "13400000001")
    assert refused.returncode == 2


def test_no_key_no_call(strongroom: Command) -> None:
    done = strongroom("fields", STRONGROOM_API_KEY_FILE="")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: no API key is given",
        "hint: set STRONGROOM_API_KEY, or STRONGROOM_API_KEY_FILE to a file that holds it",
    ]


def test_api_keys_from_birth_to_end(strongroom: Command) -> None:
    made = strongroom(
        "apikey", "create", "backend", "--operation", "tokenize", "--field", "phone", "-o", "new.txt"
    )
    assert made.returncode == 0, made.stderr
    key_id = made.stdout.split()[0]
    text = (strongroom.folder / "new.txt").read_text()
    assert text.startswith("sr_test_")
    assert text.strip() not in made.stdout + made.stderr
    strongroom.write("in.csv", "phone,email\n13400000001,a@example.com\n")
    own = {"STRONGROOM_API_KEY_FILE": "new.txt"}
    assert strongroom("tokenize", "in.csv", "--keep", "email", **own).returncode == 0
    refused = strongroom("tokenize", "in.csv", "-o", "o.csv", **own)
    assert refused.returncode == 4
    assert "the API key does not reach this field" in refused.stderr
    rotated = json.loads(strongroom("apikey", "rotate", key_id, "--overlap", "0", "--json").stdout)
    assert rotated["key"].startswith("sr_test_")
    assert strongroom("tokenize", "in.csv", "--keep", "email", **own).returncode == 4
    assert strongroom("apikey", "revoke", rotated["id"]).returncode == 0
    listed = strongroom("apikey", "list", "--json").stdout
    assert rotated["key"] not in listed
    assert {key["id"] for key in json.loads(listed)["apikeys"]} >= {key_id, rotated["id"]}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(strongroom: Command, shell: str) -> None:
    done = strongroom("completion", shell)
    assert done.returncode == 0
    assert "_STRONGROOM_COMPLETE" in done.stdout


def test_what_the_shell_is_told(strongroom: Command) -> None:
    asked = {
        "_STRONGROOM_COMPLETE": "bash_complete",
        "COMP_WORDS": "strongroom reveal x --purpose s",
        "COMP_CWORD": "4",
    }
    assert strongroom(**asked).stdout.split() == [
        "plain,service",
        "plain,settle",
        "plain,statistics",
        "plain,support",
        "plain,subject-request",
    ]


def test_a_reader_that_stops_reading_is_no_error(strongroom: Command) -> None:
    strongroom.write("in.csv", "phone\n" + "13400000001\n" * 30_000)
    line = f"{sys.executable} -m api.cli tokenize in.csv | head -1; echo ${{PIPESTATUS[0]}}"
    environment = {**os.environ, **strongroom.environment, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=strongroom.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["phone", "141"]
    assert done.stderr == "columns: phone\n"


def test_on_a_terminal_there_is_a_bar_and_a_hidden_prompt(strongroom: Command) -> None:
    strongroom.write("in.csv", "phone\n134 0000 9999\n")
    shown = on_terminal(strongroom, "tokenize", "in.csv", "-o", "out.csv")
    assert "1/1" in shown
    shown = on_terminal(strongroom, "token", "find", "--field", "phone", typed={"Value: ": "134 0000 9999\n"})
    assert "tok_test_" in shown
    assert "0000" not in shown.partition("tok_test_")[0]
    shown = on_terminal(strongroom, "token", "delete", "tok_test_x", typed={"[y/N]: ": "n\n"})
    assert shown.splitlines()[-1] == "error: nothing was done"
