"""`strongroom restore`, from what a killed service left at its target, and the service that comes of it."""

from __future__ import annotations

import errno
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.config import Settings
from api.wiring import open_resources
from keys import identity, shares
from keys.providers import local
from keys.secret import Secret
from tests.api.cli.conftest import Command, Done
from tests.service import NO_HASHER, Service, running
from tests.vault.recovery.targets.conftest import require_disk
from tests.vault.recovery.targets.places import mount
from tests.waiting import until
from vault.recovery import ownkeys
from vault.store import scratch

PHONE = "+8613800138000"


@dataclass(frozen=True)
class Shipped:
    """A service that is no more, and its backups in a folder."""

    service: Service
    target: Path
    shares: list[Secret]
    trust: Path
    token: str

    def lines(self, count: int) -> str:
        """Return so many of the custodians' shares, a line each."""
        return "".join(f"{one.expose().decode()}\n" for one in self.shares[:count])


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    folder = tmp_path_factory.mktemp("primary")
    target, recipients = folder / "target", folder / "recipients"
    target.mkdir()
    recovery, drill = Secret.random(), Secret.random()
    lines = (f"recovery {identity.recipient(recovery)}", f"drill {identity.recipient(drill)}", "")
    recipients.write_text("\n".join(lines))
    (folder / "identity").write_bytes(identity.text(drill).expose())
    settings = {
        "STRONGROOM_BACKUP_TARGETS": f"file:{target}", "STRONGROOM_BACKUP_RECIPIENTS": str(recipients),
        "STRONGROOM_BACKUP_JOURNAL_SECONDS": "0.2", "STRONGROOM_WORKERS": "1", **NO_HASHER,
    }  # fmt: skip
    with running(folder, f"sqlite:///{folder}/vault.db", **settings) as service:
        until(lambda: any(target.glob("*/data/manifests/*")))
        _, made = service.post("/v1/tokens", {"field": "phone", "value": PHONE})
        stored = int(time.time() * 1e6)
        until(lambda: _newest(target) > stored)
        service.kill()
    trust = folder / "trust"
    trust.write_text(_keys(service, target))
    return Shipped(service, target, shares.split(recovery, 2, 3), trust, str(made["token"]))


def _newest(target: Path) -> int:
    """Return of when the newest backup is, in microseconds."""
    newest = max(target.glob("*/data/manifests/*.txt"))
    return int(json.loads(newest.read_text().split("\n")[0])["taken_at"])


def _keys(service: Service, target: Path) -> str:
    (installation,) = (one.name for one in target.glob("[0-9a-f]*"))
    settings = Settings(database_url=service.database_url, root_key_file=service.folder / "root.key")
    resources = open_resources(settings)
    found = [one.vkey for one in ownkeys.verifiers(resources, installation)]
    resources.close()
    return "".join(f"manifest-key {one}\n" for one in found)


@pytest.fixture
def elsewhere(shipped: Shipped, tmp_path: Path) -> Command:
    """The command on a machine that has a copy of the root key and nothing else."""
    key = tmp_path / "root.key"
    key.write_bytes((shipped.service.folder / "root.key").read_bytes())
    key.chmod(0o600)
    return Command(
        tmp_path,
        {
            "STRONGROOM_DATABASE_URL": f"sqlite:///{tmp_path}/new/vault.db", "STRONGROOM_ROOT_KEY_FILE": str(key),
            "STRONGROOM_BACKUP_TARGETS": f"file:{shipped.target}", "STRONGROOM_PORT": "0",
        },
    )  # fmt: skip


def restored(command: Command, shipped: Shipped, *more: str, given: str = "", **settings: str) -> Done:
    return command("restore", "--trust", str(shipped.trust), *more, given=given, **settings)


def is_empty(command: Command) -> bool:
    return not (command.folder / "new/vault.db").exists()


def test_the_service_goes_on_from_a_restored_database(shipped: Shipped, elsewhere: Command) -> None:
    done = restored(elsewhere, shipped, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"]["token"], told["whole"], told["dry_run"], told["left_out"]) == (1, True, False, {})
    service = Service(
        elsewhere.folder, elsewhere.environment["STRONGROOM_DATABASE_URL"], {"STRONGROOM_WORKERS": "1", **NO_HASHER},
        shipped.service.keys,
    )  # fmt: skip
    service.start()
    try:
        _, revealed = service.post(
            "/v1/reveal", {"tokens": [shipped.token], "purpose": "service", "view": "plain"}
        )
        assert revealed["values"] == [PHONE]
        (elsewhere.folder / "key.txt").write_text(shipped.service.keys["live"])
        online = {"STRONGROOM_URL": service.url, "STRONGROOM_API_KEY_FILE": str(elsewhere.folder / "key.txt")}

        status = json.loads(elsewhere("backup", "status", "--json", **online).stdout)
        assert status["follows"] == {"installation": told["installation"], "number": told["number"]}
        assert f"follows: {told['installation']}, " in elsewhere("backup", "status", **online).stdout

        def verified() -> dict[str, str]:
            said = elsewhere("audit", "verify", "--json", **online)
            return {one["log"].rpartition("/")[2]: one["state"] for one in json.loads(said.stdout)["logs"]}

        until(lambda: verified() == {"1": "intact", "2": "intact"})
        assert (
            "of which a restore lost none that is known of" in elsewhere("audit", "status", **online).stdout
        )
    finally:
        service.kill()


def test_what_became_of_it_and_what_is_next_is_said(shipped: Shipped, elsewhere: Command) -> None:
    done = restored(elsewhere, shipped)
    assert done.returncode == 0, done.stderr
    assert "1 tokens" in done.stdout
    assert "strongroom doctor" in done.stderr


def test_a_drill_s_identity_opens_the_backup_and_the_root_its_keysets(
    shipped: Shipped, elsewhere: Command
) -> None:
    key = str(shipped.service.folder / "identity")
    done = restored(elsewhere, shipped, "--identity", key, "--dry-run", "--json")
    assert (done.returncode, json.loads(done.stdout)["dry_run"], is_empty(elsewhere)) == (0, True, True)
    (elsewhere.folder / "root.key").unlink()
    assert restored(elsewhere, shipped, "--identity", key).returncode == 7


def test_shares_need_no_root_and_a_new_one_is_made(shipped: Shipped, elsewhere: Command) -> None:
    key = elsewhere.folder / "root.key"
    key.unlink()
    others = shares.split(Secret.random(), 2, 3)
    wrong = "".join(f"{one.expose().decode()}\n" for one in others[:2])
    done = restored(elsewhere, shipped, "--shares-file", "-", given=wrong)
    assert (done.returncode, is_empty(elsewhere), key.exists()) == (7, True, False)
    done = restored(elsewhere, shipped, "--shares-file", "-", "--dry-run", given=shipped.lines(2))
    assert (done.returncode, is_empty(elsewhere), key.exists()) == (0, True, False), done.stderr
    value = shares.check_value(identity.recipient(shares.combine(shipped.shares[:2])))
    assert f"check value is {value}\n" in done.stderr  # as the custodians' sheets have it
    done = restored(elsewhere, shipped, "--shares-file", "-", given=shipped.lines(2))
    assert (done.returncode, is_empty(elsewhere), key.exists()) == (0, False, True), done.stderr
    looked = elsewhere("doctor", "--json", STRONGROOM_BACKUP_TARGETS="")
    checks = {one["name"]: one["state"] for one in json.loads(looked.stdout)["checks"]}
    assert checks["keysets"] == "ok", checks


def test_each_kind_of_failure_has_its_exit_code(shipped: Shipped, elsewhere: Command) -> None:
    chunk = max(shipped.target.glob("*/data/chunks/*"), key=lambda one: one.stat().st_size)
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        done = restored(elsewhere, shipped, "--json")
    finally:
        chunk.write_bytes(whole)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"], error["file"].rpartition("/")[2]) == (
        5,
        "backup_damaged",
        chunk.name,
    )
    assert error["chunk"] is not None
    other = elsewhere.write("other", "strongroom/00000000000000aa/backups+b6dc9587+AQ" + "A" * 42 + "=\n")
    assert elsewhere("restore", "--trust", str(other)).returncode in {2, 5}
    for code, more in (
        (2, ("--backup", "1", "--at", "2026-01-01")), (2, ("--from", "gopher://x")),
        (5, ("--at-least", "9999999")), (3, ("--from", f"file:{elsewhere.folder}/nowhere")),
    ):  # fmt: skip
        assert restored(elsewhere, shipped, *more).returncode == code, more
    (elsewhere.folder / "root.key").unlink()
    assert restored(elsewhere, shipped).returncode == 7
    local.create(elsewhere.folder / "root.key")
    assert restored(elsewhere, shipped).returncode == 7
    assert is_empty(elsewhere)
    full = {"STRONGROOM_DATABASE_URL": shipped.service.database_url}
    assert restored(elsewhere, shipped, **full).returncode == 4


def test_custodians_are_asked_for_their_shares_last(shipped: Shipped, elsewhere: Command) -> None:
    """Whoever comes at night for this types a hundred words: not before all else is known to be right."""
    key = elsewhere.folder / "root.key"
    key.unlink()
    other = elsewhere.write("other", "strongroom/00000000000000aa/backups+b6dc9587+AQ" + "A" * 42 + "=\n")
    full = {"STRONGROOM_DATABASE_URL": shipped.service.database_url}
    assert restored(elsewhere, shipped, "--with-shares", **full).returncode == 4
    for code, more in ((3, ("--from", f"file:{elsewhere.folder}/nowhere")), (5, ("--at-least", "9999999"))):
        assert restored(elsewhere, shipped, "--with-shares", *more).returncode == code, more
    assert elsewhere("restore", "--trust", str(other), "--with-shares").returncode in {2, 5}
    done = restored(elsewhere, shipped, "--with-shares")
    assert (done.returncode, "terminal" in done.stderr) == (2, True)
    assert (is_empty(elsewhere), key.exists()) == (True, False)


def test_a_root_key_that_the_database_is_under_is_never_removed(
    shipped: Shipped, elsewhere: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has its name, and only then does the disk fail: nobody can tell, and all is under the new key."""

    def failing(path: Path) -> None:
        if path.is_dir():
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(scratch, "_sync", failing)
    key = elsewhere.folder / "root.key"
    key.unlink()
    done = restored(elsewhere, shipped, "--shares-file", "-", given=shipped.lines(2))
    assert (done.returncode, is_empty(elsewhere), key.exists()) == (1, False, True), done.stderr
    assert elsewhere("doctor", "--json", STRONGROOM_BACKUP_TARGETS="").returncode == 0


def test_what_is_no_installation_is_refused_as_that(shipped: Shipped, elsewhere: Command) -> None:
    for wrong in ("../..", "xyz", "", "00000000000000AA", "/"):
        done = restored(elsewhere, shipped, "--installation", wrong)
        assert (done.returncode, "16 hex digits" in done.stderr) == (2, True), (wrong, done.stderr)
    there = next(one.name for one in shipped.target.glob("[0-9a-f]*"))
    done = restored(elsewhere, shipped, "--installation", "00000000000000aa")
    assert (done.returncode, there in done.stderr) == (1, True), done.stderr


def test_no_hint_leads_further_astray(shipped: Shipped, elsewhere: Command) -> None:
    """A new key or business in the empty database would be one more thing that is wrong."""
    done = restored(elsewhere, shipped, "--identity", str(shipped.trust))
    assert (done.returncode, str(shipped.trust) in done.stderr, "bootstrap" in done.stderr) == (
        2,
        True,
        False,
    )
    (elsewhere.folder / "root.key").unlink()
    done = restored(elsewhere, shipped)
    assert (done.returncode, "--with-shares" in done.stderr, "bootstrap" in done.stderr) == (7, True, False)


def test_a_disk_without_room_is_told_as_that(shipped: Shipped, elsewhere: Command) -> None:
    require_disk()
    (folder := elsewhere.folder / "small").mkdir()
    for size in ("300k", "700k"):  # for the schema; for what is restored
        mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
        try:
            done = restored(elsewhere, shipped, STRONGROOM_DATABASE_URL=f"sqlite:///{folder}/vault.db")
            left = [one.name for one in folder.iterdir() if one.stat().st_size]
        finally:
            subprocess.run(["umount", folder], check=True)
        assert (done.returncode, "no room" in done.stderr, left) == (1, True, []), done.stderr
