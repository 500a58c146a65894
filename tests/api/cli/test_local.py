"""The local commands: schema, first keys, doctor."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest
import trustme

from tests.api.cli.conftest import Command
from tests.databases import new_database

# What doctor has to say of a service that was set up well: no backup was made, and none was restored.
UNPROVED = {"newest", "drills"}


@pytest.fixture
def made(local: Command) -> Command:
    """A database and first keys are there."""
    assert local("db", "upgrade").returncode == 0
    done = local("bootstrap", "--tenant", "shop", "-o", "keys.json")
    assert done.returncode == 0, done.stderr
    return local


def checks(command: Command, **more: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Return doctor's exit code and its findings by name."""
    done = command("doctor", "--json", **more)
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)["checks"]}


@pytest.fixture
def outside(local: Command) -> Iterator[dict[str, str]]:
    """Give settings with a place outside for the audit, somebody who is told of alarms, and targets of backups.

    These lie on a disk of their own: in memory, which every machine has.
    """
    away = Path(tempfile.mkdtemp(prefix="strongroom-", dir="/dev/shm"))
    for name in ("one", "two"):
        (away / name).mkdir()
    recipient = pyrage.x25519.Identity.generate().to_public()
    (away / "recipients").write_text(f"recovery {recipient}\n")
    yield {
        "STRONGROOM_AUDIT_SINKS": f"file:{local.folder}/audit.ndjson",
        "STRONGROOM_ALARM_MAIL_TO": "security@shop.example", "STRONGROOM_ALARM_MAIL_FROM": "vault@shop.example",
        "STRONGROOM_BACKUP_TARGETS": f"file:{away}/one file:{away}/two",
        "STRONGROOM_BACKUP_RECIPIENTS": f"{away}/recipients",
    }  # fmt: skip
    shutil.rmtree(away)


def data(command: Command) -> Path:
    return command.folder / "data"


def test_the_first_keys_are_shown_once_in_a_private_file(made: Command) -> None:
    file = made.folder / "keys.json"
    keys = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {mode: key["key"][:8] for mode, key in keys.items()} == {"live": "sr_live_", "test": "sr_test_"}
    for path in data(made).iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert keys["live"]["key"].encode() not in path.read_bytes()
    assert stat.S_IMODE(data(made).stat().st_mode) == 0o700


def test_who_lost_every_key_gets_another(made: Command) -> None:
    again = made("bootstrap", "--tenant", "shop", "--again", "--json")
    assert again.returncode == 0
    first = json.loads((made.folder / "keys.json").read_text())
    assert json.loads(again.stdout)["live"]["key"] != first["live"]["key"]
    nobody = made("bootstrap", "--tenant", "nobody", "--again", "--json")
    assert nobody.returncode == 2
    assert "there is no tenant of that name" in nobody.stdout


def test_bootstrap_refuses(made: Command) -> None:
    again = made("bootstrap", "--tenant", "shop", "--json")
    assert again.returncode == 2
    assert "there is a tenant of that name already" in again.stdout
    piped = made("bootstrap", "--tenant", "other")
    assert piped.stderr.splitlines() == [
        "error: the keys would end in a pipe or a log",
        "hint: say -o FILE, or --json if that is meant",
    ]
    taken = made("bootstrap", "--tenant", "other", "-o", "keys.json")
    assert taken.returncode == 2
    assert "keys.json exists" in taken.stderr


def test_a_lost_key_file_is_never_replaced_by_a_new_one(made: Command) -> None:
    (data(made) / "root.key").unlink()
    lost = made("bootstrap", "--tenant", "other", "-o", "more.json")
    assert lost.returncode == 2
    assert "is missing, and stored keys depend on local:" in lost.stderr
    assert not (data(made) / "root.key").exists()


def test_bootstrap_before_the_schema(local: Command) -> None:
    early = local(
        "bootstrap", "--tenant", "shop", "--json", STRONGROOM_ROOT_KEY_FILE=str(local.folder / "r.key")
    )
    assert early.returncode in (2, 3)
    assert not (local.folder / "r.key").exists()


def test_a_passphrase_from_a_file(local: Command) -> None:
    local.write("passphrase", "correct horse battery staple\n")
    more = {"STRONGROOM_ROOT_PASSPHRASE_FILE": "passphrase"}
    local("db", "upgrade")
    assert local("bootstrap", "--tenant", "shop", "-o", "keys.json", **more).returncode == 0
    assert b"argon2id" in (data(local) / "root.key").read_bytes()
    assert checks(local, **more)[0] == 0
    code, found = checks(local)
    assert (code, found["key file"]["state"]) == (1, "FAIL")
    assert "STRONGROOM_ROOT_PASSPHRASE_FILE" in found["key file"]["hint"]


def test_db_check(local: Command) -> None:
    before = local("db", "check", "--json")
    assert before.returncode == 1
    assert json.loads(before.stdout)["differences"]
    assert local("db", "upgrade").returncode == 0
    assert local("db", "upgrade").returncode == 0
    assert local("db", "check", "--json").stdout.split() == ["{", '"differences":', "[]", "}"]
    with sqlite3.connect(data(local) / "vault.db") as connection:
        connection.execute("ALTER TABLE tenant ADD COLUMN extra TEXT")
    after = local("db", "check")
    assert after.returncode == 1
    assert "extra" in after.stdout
    assert "strongroom db upgrade" in after.stderr


def test_a_database_that_cannot_be_reached(local: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"postgresql://canary-user:canary-password@127.0.0.1:{port}/vault"
    done = local("db", "upgrade", STRONGROOM_DATABASE_URL=url)
    assert done.returncode == 3
    assert done.stderr.startswith("error: the database cannot be used")
    assert "canary" not in done.stdout + done.stderr


def test_settings_that_are_wrong_are_named_and_not_shown(local: Command) -> None:
    for command in (["db", "upgrade"], ["serve"], ["worker"], ["doctor"]):
        done = local(*command, STRONGROOM_WORKERS="canary", STRONGROOM_PORT="99999")
        assert done.returncode in (1, 2)
        assert "STRONGROOM_WORKERS" in done.stdout + done.stderr
        assert "canary" not in done.stdout + done.stderr


def test_doctor_is_content(made: Command, outside: dict[str, str]) -> None:
    code, found = checks(made, STRONGROOM_PORT=str(_free_port()), **outside)
    assert {name for name, check in found.items() if check["state"] != "ok"} == UNPROVED
    assert code == 0
    shown = made("doctor", STRONGROOM_PORT=str(_free_port()), **outside)
    assert shown.returncode == 0
    told = [line.split()[:2] for line in shown.stdout.splitlines() if not line.startswith(" ")]
    assert {name for state, name in told if state != "ok"} == UNPROVED


def test_doctor_looks_outside(made: Command) -> None:
    port = str(_free_port())
    code, found = checks(made, STRONGROOM_PORT=port)
    assert code == 0
    assert {name for name, check in found.items() if check["state"] == "warn"} == {
        "sinks",
        "alarms",
        "backups",
    }
    (made.folder / "no").mkdir()
    (made.folder / "no" / "file").mkdir()
    code, found = checks(made, STRONGROOM_PORT=port, STRONGROOM_AUDIT_SINKS=f"file:{made.folder}/no/file")
    assert code == 1
    assert found["sink"]["state"] == "FAIL"
    assert "sink_not_a_file" in found["sink"]["text"]
    code, found = checks(made, STRONGROOM_PORT=port, STRONGROOM_AUDIT_SINKS="ftp://canary")
    assert code == 1
    assert "canary" not in found["sinks"]["text"]


def test_the_local_commands_on_postgresql(local: Command, postgres: str, outside: dict[str, str]) -> None:
    with new_database("postgresql", local.folder, postgres) as url:
        local.environment["STRONGROOM_DATABASE_URL"] = url
        local.environment["STRONGROOM_PORT"] = str(_free_port())
        local.environment.update(outside)
        assert local("bootstrap", "--tenant", "shop", "--json").returncode == 2
        for command in (
            ["db", "upgrade"],
            ["bootstrap", "--tenant", "shop", "-o", "k.json"],
            ["db", "check"],
        ):
            done = local(*command)
            assert done.returncode == 0, done.stderr
        code, found = checks(local)
    assert code == 0
    assert found["database"]["text"].startswith("PostgreSQL 1")
    assert found["durability"]["text"] == "fsync on, synchronous_commit on, full_page_writes on"
    assert {name for name, check in found.items() if check["state"] != "ok"} == UNPROVED


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _open_key(made: Command) -> None:
    (data(made) / "root.key").chmod(0o644)


def _damage_key(made: Command) -> None:
    (data(made) / "root.key").write_text("{}")


def _lose_key(made: Command) -> None:
    (data(made) / "root.key").unlink()


def _other_key(made: Command) -> None:
    _lose_key(made)
    done = made("db", "upgrade", STRONGROOM_DATABASE_URL=f"sqlite:///{made.folder}/other.db")
    assert done.returncode == 0
    done = made(
        "bootstrap", "--tenant", "x", "--json", STRONGROOM_DATABASE_URL=f"sqlite:///{made.folder}/other.db"
    )
    assert done.returncode == 0


def _lose_database(made: Command) -> None:
    (data(made) / "vault.db").unlink()


def _alter_schema(made: Command) -> None:
    with sqlite3.connect(data(made) / "vault.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")


def _no_database(made: Command) -> None:
    (data(made) / "vault.db").write_bytes(b"this is no database, canary" * 100)


@pytest.mark.parametrize(
    ("harm", "name", "text", "hint"),
    [
        (_open_key, "key file", "only its owner may read", "chmod 600"),
        (_damage_key, "key file", "format this version does not know", "put its copy back"),
        (_lose_key, "key file", "No such file", "strongroom bootstrap"),
        (_other_key, "keysets", "those of 2 of 2 tenants do not open", "put the key file back"),
        (_lose_database, "database", "does not exist", "strongroom db upgrade"),
        (_alter_schema, "schema", "revision 0000", "strongroom db upgrade"),
        (_no_database, "database", "does not work now", "STRONGROOM_DATABASE_URL"),
    ],
)
def test_doctor_names_what_is_wrong(made: Command, harm: object, name: str, text: str, hint: str) -> None:
    harm(made)  # type: ignore[operator]
    code, found = checks(made)
    assert code == 1
    assert found[name]["state"] == "FAIL"
    assert text in found[name]["text"]
    assert hint in found[name]["hint"]
    assert "canary" not in json.dumps(found)


def test_doctor_warns(made: Command) -> None:
    file = data(made) / "vault.db"
    file.chmod(0o644)
    future = time.time() + 3600
    os.utime(file, (future, future))
    code, found = checks(made)
    assert found["file mode"]["hint"].startswith("chmod 600")
    assert (found["clock"]["state"], code) == ("warn", 0)


def test_doctor_without_tenants(local: Command) -> None:
    local("db", "upgrade")
    _, found = checks(local)
    assert found["tenants"]["state"] == "warn"


def test_doctor_and_a_port_that_is_taken(made: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        other.settimeout(0.1)
        code, found = checks(made, STRONGROOM_PORT=port)
    assert code == 1
    assert "something else listens" in found["port"]["text"]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def pair(folder: Path, authority: trustme.CA, name: str = "127.0.0.1", days: int = 365) -> dict[str, str]:
    """Write a certificate and its key; return the settings that name them."""
    issued = authority.issue_cert(name, not_after=datetime.now(UTC) + timedelta(days=days))
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    key.chmod(0o600)
    return {"STRONGROOM_TLS_CERTIFICATE": str(certificate), "STRONGROOM_TLS_KEY": str(key)}


def test_doctor_reads_the_certificate(made: Command, authority: trustme.CA) -> None:
    good = pair(made.folder, authority)
    day = (datetime.now(UTC) + timedelta(days=365)).date()
    _, found = checks(made, **good)
    assert found["tls"]["text"] == f"certificate and key fit, until {day}"
    Path(good["STRONGROOM_TLS_KEY"]).chmod(0o644)
    assert checks(made, **good)[1]["tls key"]["state"] == "warn"
    soon = pair(made.folder, authority, "soon.example", days=3)
    assert checks(made, **soon)[1]["tls"]["hint"] == "renew it"


@pytest.mark.parametrize("wrong", ["expired", "mixed", "no PEM", "missing", "half"])
def test_doctor_refuses_a_certificate(made: Command, authority: trustme.CA, wrong: str) -> None:
    settings = pair(made.folder, authority, days=-1 if wrong == "expired" else 365)
    if wrong == "mixed":
        settings["STRONGROOM_TLS_KEY"] = pair(made.folder, authority, "other.example")["STRONGROOM_TLS_KEY"]
    elif wrong == "no PEM":
        Path(settings["STRONGROOM_TLS_CERTIFICATE"]).write_text("hello")
    elif wrong == "missing":
        Path(settings["STRONGROOM_TLS_KEY"]).unlink()
    elif wrong == "half":
        del settings["STRONGROOM_TLS_KEY"]
    code, found = checks(made, **settings)
    said = {
        "expired": "certificate has expired",
        "mixed": "is not the key of",
        "no PEM": "cannot be used",
        "missing": "No such file",
        "half": "TLS needs a certificate and a key",
    }
    assert (code, found["tls"]["state"]) == (1, "FAIL")
    assert said[wrong] in found["tls"]["text"]
    assert found["tls"]["hint"]
