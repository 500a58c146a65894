"""Custodians' commands: keysets turned and followed, versions destroyed, and what must be confirmed."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.cli.duration import Duration
from api.cli.following import Pace, counted
from tests.api.cli.conftest import Command, clean
from tests.service import Service, running
from tests.working import working

ASKED = "error: this cannot be undone, and nobody is here to ask\nhint: say --yes\n"


@pytest.fixture(scope="module")
def turning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of these tests' own, for they turn its keys, and a worker."""
    folder = tmp_path_factory.mktemp("turning")
    url = f"sqlite:///{folder}/vault.db"
    with running(folder, url, STRONGROOM_WORKERS="1") as service, working(service):
        yield service


@pytest.fixture
def custodian(turning: Service, tmp_path: Path) -> Command:
    """The command with address and API key of `turning`."""
    (tmp_path / "key.txt").write_text(turning.keys["live"])
    return Command(
        tmp_path, {"STRONGROOM_URL": turning.url, "STRONGROOM_API_KEY_FILE": str(tmp_path / "key.txt")}
    )


def versions(custodian: Command, purpose: str) -> list[dict[str, Any]]:
    return list(json.loads(custodian("keys", "show", purpose, "--json").stdout)["versions"])


def test_a_rotation_is_followed_to_its_end(custodian: Command, turning: Service) -> None:
    status, _ = turning.post("/v1/tokens/column", {"field": "text", "values": ["a", "b", "c"]})
    assert status == 200
    (old,) = versions(custodian, "seal")
    done = custodian("keys", "rotate", "seal")
    assert (done.returncode, done.stderr.splitlines()[1:]) == (0, [])
    assert re.fullmatch(r"job_[0-9a-f]{16}: rotate keyset seal\n", done.stderr)
    assert re.fullmatch(r"rotate keyset seal: done, 3 rows, new version [0-9a-f]{16}\n", done.stdout), (
        done.stdout
    )
    now = versions(custodian, "seal")
    assert [(one["id"] == old["id"], one["state"], one["needed_by"]) for one in now] == [
        (True, "deactivated", {}), (False, "active", {"new_writes": 1, "tokens": 3}),
    ]  # fmt: skip
    shown = custodian("keys", "show", "seal").stdout.splitlines()
    assert shown[1].endswith("nothing")
    assert shown[2].endswith("1 new writes, 3 tokens")


def test_a_job_is_left_to_itself_and_watched_later(custodian: Command) -> None:
    left = custodian("keys", "rotate", "audit", "--detach")
    job_id = left.stdout.strip()
    assert re.fullmatch("job_[0-9a-f]{16}", job_id)
    watched = custodian("job", "watch", job_id, "--json")
    job = json.loads(watched.stdout)
    assert (watched.returncode, job["id"], job["state"]) == (0, job_id, "done")
    listed = custodian("job", "list").stdout.splitlines()
    assert listed[0].split("\t")[:4] == ["id", "kind", "target", "state"]
    assert listed[1].split("\t")[:4] == [job_id, "rotate_keyset", "keyset audit", "done"]
    shown = custodian("job", "show", job_id)
    assert shown.stdout.splitlines()[1].startswith(job_id)
    assert shown.stderr.startswith("new version ")
    assert json.loads(custodian("keys", "rotate", "audit", "--detach", "--json").stdout)["state"] == "waiting"


def test_a_version_is_taken_out_of_use(custodian: Command) -> None:
    assert custodian("keys", "rotate", "seal").returncode == 0
    old = versions(custodian, "seal")[0]["id"]
    assert custodian("keys", "disable", old).stdout == f"{old} is suspended\n"
    assert custodian("keys", "enable", old).stdout == f"{old} is deactivated\n"
    assert custodian("keys", "destroy", old).stderr == ASKED
    planned = custodian("keys", "destroy", old, "--wait", "36h", "--yes")
    assert re.fullmatch(old + r" is deactivated, to be destroyed on \S+Z\n", planned.stdout)
    row = next(line for line in custodian("keys", "list").stdout.splitlines() if old in line)
    assert row.split("\t")[-1] == planned.stdout.split()[-1]
    assert json.loads(custodian("keys", "cancel", old, "--json").stdout)["destroy_at"] is None
    given_up = custodian("keys", "destroy", old, "--forfeit-backups", "--yes", "--json")
    assert json.loads(given_up.stdout)["forfeits"] == []  # no backup needs it
    assert custodian("keys", "cancel", old).returncode == 0
    early = custodian("keys", "destroy", old, "--wait", "3600s", "--yes")
    assert early.returncode == 4
    assert "(at /wait_seconds, request " in early.stderr
    wrong = custodian("keys", "destroy", old, "--wait", "soon", "--yes")
    assert (wrong.returncode, "is no duration such as 30d" in wrong.stderr) == (2, True)


def test_a_leak_that_cannot_be_closed_is_a_failure(custodian: Command, turning: Service) -> None:
    turning.post("/v1/tokens", {"field": "phone", "value": "13800138000", "kind": "one_way"})
    leaked = versions(custodian, "index")[-1]["id"]
    assert custodian("keys", "compromise", leaked).stderr == ASKED
    failed = custodian("keys", "compromise", leaked, "--yes")
    assert failed.returncode == 1
    assert failed.stdout.startswith("compromise keyset index: failed, ")
    assert "needed by 1 one way tokens" in failed.stdout
    assert failed.stderr.splitlines()[-2:] == [
        "error: the job failed (key_in_use)",
        "hint: `strongroom keys show` counts what needs it; when that has gone, `strongroom keys destroy` it",
    ]


def test_roots(custodian: Command) -> None:
    name, version, state = custodian("keys", "root", "list").stdout.splitlines()[1].split("\t")
    assert (version, state) == ("-", "ok")
    assert json.loads(custodian("keys", "root", "list", "--json").stdout)["roots"][0]["name"] == name
    moved = custodian("keys", "root", "move", name)
    assert (moved.returncode, moved.stdout) == (0, f"move root {name}: done, 0 rows\n")
    assert custodian("keys", "root", "rotate", name).stderr == ASKED
    for refused in (custodian("keys", "root", "rotate", name, "--yes"), custodian("keys", "rewrap", name)):
        assert refused.returncode == 4
        assert refused.stderr.splitlines()[-1] == (
            "hint: POST /v1/roots/move wraps the keysets under another root"
        )


def test_on_a_terminal_it_asks_and_shows_how_far_it_is(custodian: Command) -> None:
    leaked = versions(custodian, "audit")[-1]["id"]
    code, said = on_a_terminal(custodian, b"n\n", "keys", "compromise", leaked)
    assert (code, "nothing was done" in said) == (2, True)
    code, said = on_a_terminal(custodian, b"", "keys", "rotate", "seal")
    assert code == 0, said
    assert re.search(r"rotate keyset seal: done, \d+ rows", said)
    assert "\u2501" in said  # the bar
    code, said = on_a_terminal(custodian, b"", "keys", "list")
    assert (code, "cryptoperiod" in said) == (0, True)


def on_a_terminal(command: Command, typed: bytes, *arguments: str) -> tuple[int, str]:
    """Run the command on a terminal of 200 columns; return its exit code and all it said."""
    ours, theirs = pty.openpty()
    environment = {
        **clean(), "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200", "TERM": "xterm", **command.environment,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", *arguments],
        cwd=command.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, typed)
    said, end = b"", time.monotonic() + 60
    while time.monotonic() < end and select.select([ours], [], [], 60)[0]:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # how a terminal says that nobody writes any more
            break
        said += part
    os.close(ours)
    return process.wait(60), said.decode(errors="replace")


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 2_592_000), ("24h", 86_400), ("90m", 5_400), ("1s", 1)]
)
def test_durations(text: str, seconds: int) -> None:
    assert Duration().convert(text, None, None) == seconds


def test_the_rate_counts_from_the_first_row() -> None:
    now = iter([0.0, 10.0, 12.0, 14.0])
    pace = Pace(lambda: next(now))
    assert [pace(done) for done in (0, 0, 1_000, 8_000)] == ["", "", "500 rows/s", "2,000 rows/s"]
    assert counted(12_345_678, "bytes") == "12.3 MB"


def test_doctor_names_keysets_that_should_turn(local: Command) -> None:
    local("db", "upgrade")
    local("bootstrap", "--tenant", "shop", "-o", "keys.json")
    year = 31_536_000 * 1_000_000
    with sqlite3.connect(local.folder / "data" / "vault.db") as connection:
        connection.execute(
            "UPDATE key_version SET activated_at = activated_at - ? WHERE purpose = 'seal'", (2 * year,)
        )
        connection.execute(
            "UPDATE key_version SET activated_at = activated_at - ? WHERE purpose = 'index' "
            "AND tenant = (SELECT id FROM tenant WHERE mode = 'test')", (int(1.9 * year),),
        )  # fmt: skip
    done = local("doctor", "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert (done.returncode, found["seal key"]["state"], found["index key"]["state"]) == (0, "warn", "warn")
    assert found["seal key"]["text"].startswith("the key's time or messages are used up: shop (")
    assert found["index key"]["text"].endswith("are used up: shop (test)")
    assert "strongroom keys rotate seal" in found["seal key"]["hint"]


def test_bootstrap_for_operators(local: Command) -> None:
    local("db", "upgrade")
    for name, more, carried in (("shop", [], False), ("host", ["--operator"], True)):
        made = json.loads(local("bootstrap", "--tenant", name, "--json", *more).stdout)
        assert {"keys", "custody"} <= set(made["live"]["operations"])
        assert ("roots" in made["live"]["operations"]) is carried
