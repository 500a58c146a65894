"""Commands of policy, approvals, decoys and frozen callers, against a real service."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.cli.conftest import Command
from tests.service import Service

OPERATIONS = ["policy", "approve", "decoys", "callers", "reveal", "reveal_plain"]
POLICY = """format = 1

[roles.officer]
label = "Officers"
[[roles.officer.allow]]
operations = ["*"]
fields = ["*"]
purposes = ["*"]
view = "full"
reason = "they answer for it"

[roles.clerk]
budget = { day = 100 }
[[roles.clerk.allow]]
operations = ["reveal"]
fields = ["bank_card"]
purposes = ["settle"]

[callers]
"*" = ["officer"]
"key_00112233aabbccdd" = ["clerk"]

[[cases]]
roles = ["clerk"]
operation = "reveal"
field = "bank_card"
purpose = "settle"
view = "full"
expect = "deny"
"""


@dataclass(frozen=True)
class Desk:
    """Two people at their own terminals, in folders of their own."""

    ann: Command
    bob: Command


@pytest.fixture
def desk(served: Service, tmp_path: Path) -> Desk:
    made = []
    for name in ("ann", "bob"):
        (tmp_path / name).mkdir()
        status, body = served.post("/v1/apikeys", {"name": name, "operations": OPERATIONS})
        assert status == 201
        (tmp_path / name / "key.txt").write_text(str(body["key"]))
        settings = {"STRONGROOM_URL": served.url, "STRONGROOM_API_KEY_FILE": str(tmp_path / name / "key.txt")}
        made.append(Command(tmp_path / name, settings))
    return Desk(*made)


def test_a_policy_is_taken_by_two(desk: Desk) -> None:
    ann, bob = desk.ann, desk.bob
    ann.write("policy.toml", POLICY)
    checked = ann("policy", "check", "policy.toml")
    assert checked.returncode == 0, checked.stderr
    assert "clerk" in checked.stdout
    first = ann("policy", "take", "policy.toml")
    assert first.returncode == 1
    found = re.fullmatch(
        r"1 of 2: proposed; another person: strongroom approvals approve (apr_[0-9a-f]{16})\n", first.stdout
    )
    assert found, first.stdout
    assert ann("policy", "take", "policy.toml").stdout == first.stdout  # the same proposal
    own = ann("approvals", "approve", found[1])
    assert (
        own.returncode,
        own.stderr.splitlines()[0].startswith("error: nobody approves what they proposed"),
    ) == (4, True)
    shown = bob("approvals", "show", found[1])
    assert shown.stdout.splitlines()[1:] == POLICY.splitlines()
    approved = bob("approvals", "approve", found[1])
    assert (approved.returncode, "2 of 2" in approved.stdout) == (0, True)
    taken = ann("policy", "take", "policy.toml")
    assert (taken.returncode, taken.stdout) == (0, "policy version 1 is in force\n"), taken.stderr
    assert taken.stderr == f"2 of 2: {found[1]}\n"
    assert bob("policy", "show").stdout == POLICY
    assert ann("policy", "versions").stdout.splitlines()[1].split("\t")[0] == "1"
    listed = bob("approvals", "list", "--state", "used")
    assert listed.stdout.splitlines()[1].startswith(f"{found[1]}\tused\t2 of 2\t")
    assert ann("policy", "diff", "policy.toml").stdout == "nobody gains or loses anything\n"
    assert ann("policy", "test").returncode == 0
    asked = ("--field", "bank_card", "--purpose", "settle", "--role", "clerk")
    line = POLICY.splitlines().index("[[roles.clerk.allow]]") + 1
    allowed = ann("policy", "explain", *asked)
    assert allowed.returncode == 0
    assert allowed.stdout.splitlines()[-1] == f"line {line}: [[roles.clerk.allow]]"
    assert "allowed by line" in allowed.stdout
    denied = ann(
        "policy", "explain", *asked, "--view", "full", "--at", "2026-11-25T09:00:00+08:00", "--age", "90d"
    )
    assert denied.returncode == 0
    assert "denied" in denied.stdout
    told = json.loads(ann("policy", "explain", *asked, "--json").stdout)
    assert (told["allowed"], told["line"]) == (True, line)


def test_a_policy_that_is_wrong_is_told_by_file_and_line(desk: Desk) -> None:
    desk.ann.write("bad.toml", POLICY.replace('["bank_card"]', '["bank_crad"]', 1))
    line = POLICY[: POLICY.index('["bank_card"]')].count("\n") + 1
    for command, code in (("check", 1), ("take", 2), ("diff", 2), ("test", 2)):
        done = desk.ann("policy", command, "bad.toml")
        assert done.returncode == code, done.stderr
        assert done.stderr.startswith(f"error: bad.toml:{line}: "), done.stderr
    desk.ann.write("case.toml", POLICY.replace('expect = "deny"', 'expect = "allow"'))
    tried = desk.ann("policy", "test", "case.toml")
    assert tried.returncode == 1
    assert ": wrong: expected allow, found deny" in tried.stdout
    desk.ann.write("latin.toml", POLICY.encode() + b"# \xff\n")
    assert desk.ann("policy", "check", "latin.toml").returncode == 2
    assert desk.ann("policy", "explain", "--field", "phone").returncode == 2


def test_proposals_are_rejected_and_withdrawn(desk: Desk) -> None:
    ids = []
    for limit in (5, 6):
        desk.ann.write("more.toml", POLICY + f"[bulk]\nlimit = {limit}\n")
        ids.append(json.loads(desk.ann("policy", "take", "more.toml", "--json").stdout)["proposal"])
    assert "rejected" in desk.bob("approvals", "reject", ids[0]).stdout
    assert desk.bob("approvals", "withdraw", ids[1]).returncode == 4
    assert "withdrawn" in desk.ann("approvals", "withdraw", ids[1]).stdout
    assert desk.bob("approvals", "approve", ids[1]).returncode == 4
    assert desk.bob("approvals", "show", "apr_0").returncode == 4


def test_decoys_are_made_and_who_uses_one_is_frozen_by_hand(desk: Desk, served: Service) -> None:
    made = desk.ann("decoys", "make", "bank_card", "--count", "2", "--tag", "vip")
    tokens = made.stdout.splitlines()
    assert (made.returncode, len(tokens)) == (0, 2), made.stderr
    given = desk.ann("decoys", "make", "phone", "--given", given="13800138000\nnot a phone\n")
    assert (given.returncode, len(given.stdout.splitlines())) == (1, 1)
    assert "not a phone" not in given.stderr + given.stdout
    status, told = served.post("/v1/reveal", {"tokens": tokens, "purpose": "risk", "view": "full"})
    assert (status, told["errors"]) == (200, [])
    assert desk.bob("callers", "freeze", "key_0123456789abcdef", "--reason", "left").returncode == 0
    listed = desk.bob("callers", "frozen").stdout.splitlines()[1].split("\t")
    assert (listed[0], listed[3]) == ("key_0123456789abcdef", "left")
    assert (
        desk.ann("callers", "unfreeze", "key_0123456789abcdef").stdout
        == "key_0123456789abcdef may act again\n"
    )
    assert desk.ann("callers", "unfreeze", "key_0123456789abcdef").returncode == 4
