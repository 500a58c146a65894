"""`strongroom audit` against a real service whose database somebody changes, and beside what is kept outside."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.config import Settings
from api.wiring import open_vault
from keys.keyset import Purpose
from tests.api.cli.conftest import Command, Done
from tests.service import Service
from tests.vault.audit import outside
from tests.waiting import until
from vault.alarms import raise_alarm
from vault.audit import checkpoints, journal, leaf, merkle, notes
from vault.audit.signing import signer
from vault.columns import Actor
from vault.resources import Resources
from vault.sinks.file import FileSink
from vault.sinks.protocol import Batch, Entry

FOOLING = "oidc:\u202ex\u200b"  # turns the direction of what follows, and hides


@dataclass
class Kept:
    """A service that ran for a while, and what is kept of its audit elsewhere."""

    service: Service
    folder: Path
    vkey: str
    token: str = ""

    @property
    def database(self) -> Path:
        return self.folder / "vault.db"

    def sql(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return connection.execute(query).fetchall()

    @property
    def tenant(self) -> int:
        return int(self.vkey.split("/")[1], 16)

    @property
    def mine(self) -> str:
        return f"tenant = {self.tenant} AND log = 1"

    def leaf(self, position: int) -> bytes:
        return bytes(
            self.rows(f"SELECT leaf FROM audit_leaf WHERE {self.mine} AND position = {position}")[0][0]
        )

    @contextmanager
    def changed(self, position: int, data: bytes) -> Iterator[None]:
        """While this lasts, the record at a position is another."""
        before, at = self.leaf(position), f"WHERE {self.mine} AND position = {position}"
        self.sql(f"UPDATE audit_leaf SET leaf = X'{data.hex()}' {at}")
        try:
            yield
        finally:
            self.sql(f"UPDATE audit_leaf SET leaf = X'{before.hex()}' {at}")

    @contextmanager
    def without(self, *positions: int) -> Iterator[None]:
        """While this lasts, records are gone."""
        place = f"{self.mine} AND position IN ({', '.join(map(str, positions))})"
        self.sql(
            f"CREATE TABLE taken AS SELECT * FROM audit_leaf WHERE {place}",
            f"DELETE FROM audit_leaf WHERE {place}",
        )
        try:
            yield
        finally:
            self.sql("INSERT INTO audit_leaf SELECT * FROM taken", "DROP TABLE taken")


@pytest.fixture(scope="module")
def kept(served: Service) -> Kept:
    """The service of all commands, once somebody's card was looked at, and what a sink wrote of its log."""
    _, made = served.post("/v1/apikeys", {"name": "settlement", "operations": ["tokenize", "reveal"]})
    served.keys["clerk"] = str(made["key"])
    _, stored = served.post(
        "/v1/tokens", {"field": "bank_card", "value": "4111111111111111", "subject": "客户/17"}
    )
    for view, purpose in (("masked", "settle"), ("masked", "legal")):
        asked = {"tokens": [stored["token"]], "view": view, "purpose": purpose, "case": "2026/7"}
        assert served.post("/v1/reveal", asked, "clerk")[0] == 200
    strongroom = command(served, served.folder)
    size = status(strongroom)["size"] + status(strongroom)["pending"]
    until(lambda: status(strongroom)["size"] >= max(size, 9))
    assert strongroom("audit", "checkpoint", "--out", "early.txt").returncode == 0
    found = Kept(served, served.folder, status(strongroom)["keys"][0]["vkey"], str(stored["token"]))
    deliver(found, (served.folder / "early.txt").read_text())
    return found


def deliver(kept: Kept, note: str) -> None:
    """Let a sink take all that a checkpoint covers."""
    checkpoint = checkpoints.read(notes.parse(note).text)
    entries = [Entry(at, kept.leaf(at)) for at in range(checkpoint.size)]
    sink = FileSink(kept.folder / "audit.ndjson", lambda: 1_800_000_000.0)
    sink.deliver(Batch(kept.tenant, 1, checkpoint.origin, entries, checkpoint.size, note))
    sink.deliver(Batch(9, 1, "strongroom/0000000000000009/1", [Entry(0, b"of another tenant")], 1, ""))
    sink.close()


def command(service: Service, folder: Path) -> Command:
    (folder / "key.txt").write_text(service.keys["live"])
    return Command(folder, {
        "STRONGROOM_URL": service.url, "STRONGROOM_API_KEY_FILE": str(folder / "key.txt"), "LANG": "C",
    })  # fmt: skip


@pytest.fixture
def strongroom(kept: Kept, tmp_path: Path) -> Command:
    shutil.copy(kept.folder / "early.txt", tmp_path / "early.txt")
    return command(kept.service, tmp_path)


def status(strongroom: Command) -> Any:
    return json.loads(strongroom("audit", "status", "--json").stdout)


def first(done: Done) -> tuple[int, str, int | None, int | None]:
    """The exit code, and the kind and place of the first bad record."""
    (found,) = json.loads(done.stdout)["logs"]
    one = found["first"] or {"kind": "", "position": None, "until": None}
    return done.returncode, one["kind"], one["position"], one["until"]


@contextmanager
def opened(kept: Kept) -> Iterator[Resources]:
    """The parts of the service's own vault, in the hands of whoever has its key file."""
    settings = Settings(database_url=f"sqlite:///{kept.database}", root_key_file=kept.folder / "root.key")
    vault = open_vault(settings)
    try:
        yield vault._resources
    finally:
        vault.close()


def signed(kept: Kept, size: int, root: bytes) -> str:
    """A checkpoint under the log's own key."""
    with opened(kept) as resources:
        key = resources.keyring.keys(kept.tenant).primary(Purpose.AUDIT)
        return checkpoints.sign(signer(key, kept.tenant, 1), size, root)


def test_a_whole_log_is_intact(kept: Kept, strongroom: Command) -> None:
    done = strongroom("audit", "verify")
    assert (done.returncode, "intact: " in done.stdout) == (0, True), done.stdout + done.stderr
    assert done.stderr.startswith("no --key: the service's own word")
    (strongroom.folder / "keys").write_text(f"# of the shop\n\n{kept.vkey}\n")
    sink = str(kept.folder / "audit.ndjson")
    held = ("--trust", "keys", "--checkpoint", "early.txt", "--sink", sink)
    done = strongroom("audit", "verify", *held)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    done = strongroom("audit", "verify", "--log", "1", "--json")
    assert first(done) == (0, "", None, None)
    assert json.loads(done.stdout)["intact"] is True


def test_one_byte_of_one_record_is_found_and_named(kept: Kept, strongroom: Command) -> None:
    whole = kept.leaf(5)
    for at in (0, len(whole) // 2, len(whole) - 1):
        with kept.changed(5, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            assert first(strongroom("audit", "verify", "--json")) == (5, "edited", 5, None)
    with kept.changed(5, whole[:-1] + b"\x01"):
        done = strongroom("audit", "verify")
    assert done.returncode == 5
    assert "damaged: the first bad record is 5 (edited): " in done.stdout
    assert done.stdout.splitlines()[1].startswith("  edited\t5\t")
    assert strongroom("audit", "verify").returncode == 0


def test_removed_and_moved_records_are_found(kept: Kept, strongroom: Command) -> None:
    with kept.without(4):
        assert first(strongroom("audit", "verify", "--json")) == (5, "removed", 4, None)
    three, six = kept.leaf(3), kept.leaf(6)
    with kept.changed(3, six), kept.changed(6, three):
        assert first(strongroom("audit", "verify", "--json")) == (5, "reordered", 3, None)


def test_a_cut_tail_shows_by_what_is_kept_outside(kept: Kept, strongroom: Command) -> None:
    """The database is as it was at an earlier checkpoint, as after a restore: inside, nothing tells."""
    counted = f"SELECT count(*) FROM audit_checkpoint WHERE {kept.mine}"
    while (there := kept.rows(counted)[0][0]) < 3:  # a busy machine seals many records at once
        asked = {"tokens": [kept.token], "view": "masked", "purpose": "settle"}
        assert kept.service.post("/v1/reveal", asked, "clerk")[0] == 200
        until(lambda: kept.rows(counted)[0][0] > there)
    strongroom("audit", "checkpoint", "--out", "later.txt")
    with copied(kept, strongroom) as shorter:
        size = shorter.rows(f"SELECT size FROM audit_checkpoint WHERE {kept.mine} ORDER BY size DESC")[2][0]
        for table, place in (("audit_leaf", "position >="), ("audit_checkpoint", "size >")):
            shorter.sql(f"DELETE FROM {table} WHERE {kept.mine} AND {place} {size}")
        shorter.sql(
            f"UPDATE audit_log SET size = {size} WHERE {kept.mine}",
            f"UPDATE audit_tile SET hashes = substr(hashes, 1, {32 * size}) WHERE {kept.mine} AND level = 0",
            "DELETE FROM audit_record", "DELETE FROM audit_run", "DELETE FROM audit_sink",
        )  # fmt: skip
        with started(shorter.service):
            other = command(shorter.service, strongroom.folder)
            assert other("audit", "verify").returncode == 0
            code, kind, position, _ = first(other("audit", "verify", "--json", "--checkpoint", "later.txt"))
            assert (code, kind in {"cut_tail", "forked"}, (position or 0) >= size) == (5, True, True)
            reopened = other("audit", "reopen", "later.txt", "--yes")
            assert reopened.returncode == 0, reopened.stderr
            assert f"follows strongroom/{kept.tenant:016x}/1, of which a restore lost" in reopened.stdout
            until(lambda: status(other)["size"] > 0)
            done = other("audit", "verify", "--checkpoint", "later.txt")
            assert done.returncode == 0, done.stdout
            assert "a restore lost records" in done.stdout


@contextmanager
def copied(kept: Kept, strongroom: Command) -> Iterator[Kept]:
    """A copy of the database, to be changed and served."""
    folder = strongroom.folder / "restored"
    folder.mkdir()
    shutil.copy(kept.folder / "root.key", folder / "root.key")
    with (
        closing(sqlite3.connect(kept.database)) as source,
        closing(sqlite3.connect(folder / "vault.db")) as target,
    ):
        source.backup(target)
    settings = {"STRONGROOM_WORKERS": "1"}
    yield Kept(
        Service(folder, f"sqlite:///{folder}/vault.db", settings, kept.service.keys), folder, kept.vkey
    )


@contextmanager
def started(service: Service) -> Iterator[None]:
    service.start()
    try:
        yield
    finally:
        service.kill()


def test_another_history_shows_by_a_checkpoint_outside(kept: Kept, strongroom: Command) -> None:
    hashes = merkle.leaf_hashes([kept.leaf(at) for at in range(6)])
    good, bad = merkle.root_of(hashes), merkle.root_of([*hashes[:5], bytes(32)])
    strongroom.write("good.txt", signed(kept, 6, good))
    strongroom.write("fork.txt", signed(kept, 6, bad))
    assert first(strongroom("audit", "verify", "--json", "--checkpoint", "good.txt"))[0] == 0
    code, kind, _, _ = first(strongroom("audit", "verify", "--json", "--checkpoint", "fork.txt"))
    assert (code, kind) == (5, "forked")


def test_a_copy_outside_shows_what_was_made_anew(kept: Kept, strongroom: Command) -> None:
    lines = (kept.folder / "audit.ndjson").read_bytes().splitlines(keepends=True)
    altered = []
    for line in lines:
        said = json.loads(line)
        if said.get("position") == 2 and said["log"] == kept.vkey.split("+")[0]:
            said["leaf"] = base64.b64encode(base64.b64decode(said["leaf"])[:-1] + b"\x01").decode()
        altered.append(json.dumps(said).encode() + b"\n")
    strongroom.write("altered.ndjson", b"".join(altered))
    done = strongroom("audit", "verify", "--sink", "altered.ndjson")
    assert (done.returncode, "copy_damaged\t2\t" in done.stdout) == (5, True), done.stdout
    done = strongroom("audit", "verify", "--alone", "--sink", "altered.ndjson", "--key", kept.vkey)
    assert (done.returncode, "edited" in done.stdout) == (5, True), done.stdout
    strongroom.write("torn.ndjson", b"".join([*lines[:2], b'{"log": nonsense\n', *lines[2:]]))
    done = strongroom("audit", "verify", "--sink", "torn.ndjson")
    assert (done.returncode, "torn.ndjson: line 3 is none" in done.stdout) == (5, True)
    syslog = b"".join(b"<110>1 2026-11-26T00:00:00Z host strongroom - - - " + line for line in lines)
    strongroom.write("syslog", syslog)
    assert strongroom("audit", "verify", "--alone", "--sink", "syslog", "--key", kept.vkey).returncode == 0


def test_what_cannot_be_verified_is_no_damage(kept: Kept, strongroom: Command) -> None:
    name = kept.vkey.split("+")[0]
    stranger = notes.Signer(name, bytes(32)).vkey
    done = strongroom("audit", "verify", "--key", stranger)
    assert (done.returncode, "no key that is trusted signed" in done.stdout) == (1, True), done.stdout
    done = strongroom("audit", "verify", "--key", notes.Signer("other", bytes(32)).vkey)
    assert (done.returncode, "none of the keys that were given" in done.stdout) == (1, True)
    assert strongroom("audit", "verify", STRONGROOM_URL="http://127.0.0.1:9").returncode == 1
    assert strongroom("audit", "verify", "--key", "nonsense").returncode == 2
    assert strongroom("audit", "verify", "--alone", "--sink", "early.txt").returncode == 2  # no key
    assert strongroom("audit", "verify", "--alone", "--key", kept.vkey).returncode == 2  # nothing to read
    strongroom.write("none.txt", "hello\n")
    assert strongroom("audit", "verify", "--checkpoint", "none.txt").returncode == 2
    assert strongroom("audit", "verify", "--log", "7").returncode == 1


def test_an_export_is_verified_alone(kept: Kept, strongroom: Command) -> None:
    folder = strongroom.folder / "files"
    folder.mkdir()
    for form in ("ndjson", "csv"):
        done = strongroom("audit", "export", "--out", f"files/audit.{form}", "--format", form)
        assert done.returncode == 0, done.stderr
    verify = ("audit", "verify", "--alone", "--archive", "files", "--key", kept.vkey, "--json")
    assert first(strongroom(*verify))[0] == 0
    assert strongroom("audit", "verify", "--archive", "files").returncode == 0
    whole = (folder / "audit.ndjson").read_bytes()
    (folder / "audit.csv").unlink()
    (folder / "audit.ndjson").write_bytes(
        whole.replace(b'"operation":"tokenize"', b'"operation":"tokenise"', 1)
    )
    assert first(strongroom(*verify))[:2] == (5, "bad_signature")
    (folder / "audit.ndjson").write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    assert first(strongroom(*verify))[:2] == (5, "file_damaged")
    done = strongroom("audit", "export", "--from", "3", "--to", "5", "--force", "--out", "files/audit.ndjson")
    assert done.returncode == 0, done.stderr
    assert "records before 3 are not there" in strongroom(*verify).stdout


def test_a_proof_is_checked_by_somebody_else(kept: Kept, strongroom: Command) -> None:
    listed = strongroom("audit", "records", "--token", given=kept.token)
    row = listed.stdout.splitlines()[1].split("\t")
    assert (row[2:4], "wait to be sealed" in listed.stderr) == (["settlement", "reveal"], True)
    done = strongroom("audit", "prove", row[0], "--out", "proof.json")
    assert done.returncode == 0, done.stderr
    proof = json.loads((strongroom.folder / "proof.json").read_text())
    name, size, root = outside.checkpoint(proof["checkpoint"], kept.vkey) or ("", 0, b"")
    path = [bytes.fromhex(one) for one in proof["hashes"]]
    data = base64.b64decode(proof["leaf"])
    assert (name, size) == (proof["log"], proof["size"])
    assert outside.includes(data, proof["position"], size, path, root)
    assert leaf.decode(data).id.hex() == row[0]
    nowhere = {"STRONGROOM_URL": "http://127.0.0.1:9", "STRONGROOM_API_KEY_FILE": "/nowhere"}
    done = strongroom("audit", "prove", "--check", "proof.json", "--key", kept.vkey, **nowhere)
    assert (done.returncode, f"id: {row[0]}" in done.stdout) == (0, True), done.stderr
    for name, other in (
        ("leaf", "AAAA"),
        ("position", proof["position"] + 1),
        ("hashes", proof["hashes"][1:]),
    ):
        strongroom.write("bad.json", json.dumps({**proof, name: other}))
        assert strongroom("audit", "prove", "--check", "bad.json").returncode == 5, name
    stranger = notes.Signer(proof["log"], bytes(32)).vkey
    assert strongroom("audit", "prove", "--check", "proof.json", "--key", stranger).returncode == 1
    assert strongroom("audit", "prove", "--check", "early.txt").returncode == 2
    assert strongroom("audit", "prove").returncode == 2


def test_a_person_is_told_in_their_own_words(kept: Kept, strongroom: Command) -> None:
    done = strongroom("audit", "person", given="客户/17\n", TZ="UTC")
    said = [line[17:] for line in done.stdout.splitlines()]
    assert "Your bank card was stored by bootstrap." in said
    assert (
        "Your bank card (partly hidden) was looked at by settlement, to settle a payment (case 2026/7)."
        in said
    )
    assert "This" in done.stderr
    done = strongroom("audit", "person", given="客户/17\n", LANG="zh_CN.UTF-8")
    assert "您的银行卡号（仅显示部分）被“settlement”为“结算”查看（案件 2026/7）。" in done.stdout
    told = json.loads(strongroom("audit", "person", "--lang", "en", "--json", given="客户/17").stdout)
    assert told["events"][-1]["sentence"].endswith("Your bank card was stored by bootstrap.")
    assert told["events"][-1]["caller_name"] == "bootstrap"
    assert told["sealed_to"] > 0
    lines = [
        line.partition(" ×")
        for line in strongroom("audit", "person", given="客户/17", LANG="C").stdout.splitlines()
    ]
    expanded = [said for said, _, times in lines for _ in range(int(times or 1))]
    assert [one["sentence"] for one in told["events"]] == expanded[
        -len(told["events"]) :
    ]  # the look before is new
    done = strongroom("audit", "person", given="nobody\n")
    assert (done.stdout, done.stderr.startswith("Nothing is on record.")) == ("", True)
    assert strongroom("audit", "person", "客户/17").returncode == 2  # never an argument


def test_what_could_fool_a_terminal_is_shown_as_its_code(kept: Kept, strongroom: Command) -> None:
    with opened(kept) as resources:
        keys, who = resources.keyring.keys(kept.tenant), Actor(kept.tenant, "live", FOOLING, "r-1")
        resources.database.write(
            lambda transaction: transaction.append(
                "audit_record", [journal.row(keys, who, transaction.now, "freeze_caller", target="a\x1b[2Jb")]
            )
        )
    asked = ("audit", "records", "--caller", FOOLING)
    until(lambda: "freeze_caller" in strongroom(*asked).stdout)
    shown, data = strongroom(*asked).stdout, strongroom(*asked, "--json").stdout
    assert r"oidc:\u{202e}x\u{200b}" in shown
    assert r"a\x1b[2Jb" in shown
    assert all(c.isprintable() or c in "\n\t" for c in shown + data)
    assert json.loads(data)["records"][0]["caller"] == FOOLING


def test_alarms_are_listed_and_seen_to(kept: Kept, strongroom: Command) -> None:
    with opened(kept) as resources:
        alarm = resources.database.write(
            lambda transaction: raise_alarm(transaction, None, "audit_sink_failed", {"sink": "file:\u202e"})
        )
    listed = strongroom("alarms", "list").stdout
    assert f"{alarm}\taudit_sink_failed\t" in listed
    assert r"file:\u{202e}" in listed
    assert strongroom("alarms", "acknowledge", alarm).returncode == 0
    assert alarm not in strongroom("alarms", "list", "--new").stdout
    raw = strongroom("alarms", "list", "--json").stdout
    assert r"file:\u202e" in raw
    (found,) = [one for one in json.loads(raw)["alarms"] if one["id"] == alarm]
    assert (found["detail"]["sink"], found["acknowledged_by"][:4]) == ("file:\u202e", "key_")
    assert strongroom("alarms", "acknowledge", "alm_1").returncode == 4
