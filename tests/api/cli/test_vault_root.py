"""The command with a root key in a real Vault: first keys, doctor, and a wrapped secret id for several processes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.api.cli.conftest import Command
from tests.service import Service
from tests.vault_server import Transit, VaultServer, fresh_transit, policy_text


@pytest.fixture
def command(tmp_path: Path, transit: Transit) -> Command:
    """The command with a root in Vault and no key file."""
    (tmp_path / "secret-id").write_text(transit.secret_id + "\n")
    return Command(tmp_path, environment(tmp_path, transit))


def environment(folder: Path, transit: Transit) -> dict[str, str]:
    return {
        "STRONGROOM_DATABASE_URL": f"sqlite:///{folder}/vault.db",
        "STRONGROOM_ROOT_KEY_FILE": str(folder / "root.key"),
        "STRONGROOM_PORT": "0",
        "STRONGROOM_VAULT_ADDR": transit.server.url,
        "STRONGROOM_VAULT_CA": str(transit.server.ca),
        "STRONGROOM_VAULT_MOUNT": transit.mount,
        "STRONGROOM_VAULT_ROLE_ID": transit.role_id,
        "STRONGROOM_VAULT_SECRET_ID_FILE": str(folder / "secret-id"),
    }


@pytest.fixture
def made(command: Command) -> Command:
    assert command("db", "upgrade").returncode == 0
    done = command("bootstrap", "--tenant", "shop", "-o", "keys.json")
    assert done.returncode == 0, done.stderr
    return command


def checks(command: Command, **more: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = command("doctor", "--json", **more)
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def test_bootstrap_with_vault_alone_makes_no_key_file(made: Command) -> None:
    assert not (made.folder / "root.key").exists()
    code, found = checks(made)
    assert code == 0, found
    assert found["keysets"]["text"] == "those of 2 tenants open"
    assert [found[name]["state"] for name in ("vault", "vault key", "policy")] == ["ok"] * 3
    assert "key file" not in found


def _elsewhere(made: Command, transit: Transit) -> dict[str, str]:
    return {"STRONGROOM_VAULT_ADDR": "https://127.0.0.1:1"}


def _other_authority(made: Command, transit: Transit) -> dict[str, str]:
    trustme.CA().cert_pem.write_to_path(str(made.folder / "other.pem"))
    return {"STRONGROOM_VAULT_CA": str(made.folder / "other.pem")}


def _no_authority(made: Command, transit: Transit) -> dict[str, str]:
    return {"STRONGROOM_VAULT_CA": str(made.folder / "none.pem")}


def _wrong_secret(made: Command, transit: Transit) -> dict[str, str]:
    made.write("secret-id", "canary-secret")
    return {}


def _no_secret(made: Command, transit: Transit) -> dict[str, str]:
    (made.folder / "secret-id").unlink()
    return {}


def _no_key(made: Command, transit: Transit) -> dict[str, str]:
    transit.set_policy(policy_text(transit.mount).replace("strongroom", "other"))
    return {"STRONGROOM_VAULT_KEY": "other"}


def _underived_key(made: Command, transit: Transit) -> dict[str, str]:
    transit.server.admin.secrets.transit.create_key("other", mount_point=transit.mount)
    return _no_key(made, transit)


def _less(path: str) -> Callable[[Command, Transit], dict[str, str]]:
    def harm(made: Command, transit: Transit) -> dict[str, str]:
        transit.set_policy(policy_text(transit.mount, without=path))
        return {}

    return harm


@pytest.mark.parametrize(
    ("harm", "name", "text", "hint"),
    [
        (_elsewhere, "vault", "cannot be reached", "STRONGROOM_VAULT_ADDR"),
        (_other_authority, "vault", "not trusted", "STRONGROOM_VAULT_CA"),
        (_no_authority, "vault", "none.pem cannot be read", "STRONGROOM_VAULT_CA"),
        (_wrong_secret, "vault", "auth/approle/login", "secret id"),
        (_no_secret, "vault", "STRONGROOM_VAULT_SECRET_ID_FILE", "secret id"),
        (_no_key, "vault", "has no key", "STRONGROOM_VAULT_KEY"),
        (_underived_key, "vault key", "not derived", "STRONGROOM_VAULT_KEY"),
        (_less("transit/keys/strongroom"), "vault", "forbids read on", "whole policy"),
        (_less("transit/encrypt/strongroom"), "policy", "/encrypt/strongroom", "whole policy"),
        (_less("transit/decrypt/strongroom"), "policy", "/decrypt/strongroom", "whole policy"),
        (_less("transit/rewrap/strongroom"), "policy", "/rewrap/strongroom", "whole policy"),
        (_less("auth/token/renew-self"), "policy", "auth/token/renew-self", "whole policy"),
    ],
)
def test_doctor_names_what_is_wrong_with_vault(
    made: Command, transit: Transit, harm: Callable[[Command, Transit], dict[str, str]], name: str, text: str, hint: str
) -> None:  # fmt: skip
    code, found = checks(made, **harm(made, transit))
    assert code == 1
    assert found[name]["state"] == "FAIL"
    assert text in found[name]["text"]
    assert hint in found[name]["hint"]
    assert "canary" not in json.dumps(found)
    assert transit.secret_id not in json.dumps(found)


@pytest.mark.parametrize(
    ("weak", "text"),
    [({"exportable": True}, "may be exported"), ({"deletion_allowed": True}, "may be deleted")],
)
def test_doctor_warns_of_a_key_that_can_get_lost(
    made: Command, transit: Transit, weak: dict[str, bool], text: str
) -> None:
    transit.server.admin.secrets.transit.update_key_configuration(
        "strongroom", mount_point=transit.mount, **weak
    )
    code, found = checks(made)
    assert (code, found["vault key"]["state"]) == (0, "warn")
    assert text in found["vault key"]["text"]


def test_doctor_says_that_vault_is_sealed(own_vault: VaultServer, tmp_path: Path) -> None:
    transit = fresh_transit(own_vault)
    (tmp_path / "secret-id").write_text(transit.secret_id)
    own_vault.seal()
    code, found = checks(Command(tmp_path, environment(tmp_path, transit)))
    assert code == 1
    assert found["vault"]["text"] == "Vault is sealed"


def wrapped(transit: Transit) -> str:
    made = transit.server.admin.adapter.post(
        f"/v1/auth/approle/role/{transit.role}/secret-id", json={}, headers={"X-Vault-Wrap-TTL": "120s"}
    )
    return str(made["wrap_info"]["token"])


@pytest.fixture
def service(made: Command, transit: Transit) -> Iterator[Service]:
    """A service whose secret id is wrapped; not started yet."""
    made.write("secret-id", wrapped(transit))
    settings = {**made.environment, "STRONGROOM_VAULT_SECRET_ID_WRAPPED": "true", "STRONGROOM_WORKERS": "2"}
    del settings["STRONGROOM_PORT"]
    keys = {mode: key["key"] for mode, key in json.loads((made.folder / "keys.json").read_text()).items()}
    served = Service(made.folder, made.environment["STRONGROOM_DATABASE_URL"], settings, keys)
    yield served
    if served.process is not None and served.process.poll() is None:
        served.kill()


def test_a_wrapped_secret_id_serves_all_processes_and_no_second_start(
    service: Service, made: Command, transit: Transit
) -> None:
    code, found = checks(made, STRONGROOM_VAULT_SECRET_ID_WRAPPED="true")
    assert (code, found["vault"]["state"]) == (0, "warn")  # looked at, not used up
    service.start()
    for number in range(20):
        status, _ = service.post("/v1/tokens", {"field": "text", "value": f"value {number}"})
        assert status == 201
    assert service.stop() == 0
    assert "Traceback" not in service.log.read_text()
    with pytest.raises(RuntimeError, match="somebody else may"):
        service.start()
    code, found = checks(made, STRONGROOM_VAULT_SECRET_ID_WRAPPED="true")
    assert (code, found["vault"]["state"]) == (1, "FAIL")


def test_the_unwrapped_secret_id_is_on_no_disk_and_in_no_environment(
    service: Service, made: Command, transit: Transit
) -> None:
    service.start()
    assert service.process is not None
    processes = [
        path for path in Path("/proc").glob("[0-9]*")
        if _session(path) == service.process.pid
    ]  # fmt: skip
    assert len(processes) >= 4  # the server, two workers, the background worker
    held = 0
    for process in processes:
        told = (process / "environ").read_bytes()
        assert transit.secret_id.encode() not in told
        held += any("memfd:secret-id" in os.readlink(link) for link in (process / "fd").iterdir())
    assert held >= 4


def _session(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return 0
