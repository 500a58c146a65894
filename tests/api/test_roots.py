"""Settings of root keys: which roots there are, which one comes first, and what is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.config import Settings, load
from api.errors import SettingsError
from api.roots import listed, login, open_roots, place, primary
from keys.errors import KeyFileError, RootLoginRefused
from keys.providers import local

ADDR = "https://127.0.0.1:8200"
APPROLE: dict[str, Any] = {
    "vault_addr": ADDR,
    "vault_role_id": "role",
    "vault_secret_id_file": Path("secret"),
}


def settings(folder: Path, **more: Any) -> Settings:
    return Settings(root_key_file=folder / "root.key", **more)


def kinds(found: Settings) -> tuple[list[str], str]:
    return listed(found), primary(found)


def test_without_vault_the_key_file_is_the_root(tmp_path: Path) -> None:
    assert kinds(settings(tmp_path)) == (["local"], "local")
    with pytest.raises(KeyFileError):
        open_roots(settings(tmp_path))


def test_with_vault_and_no_key_file_vault_is_the_root(tmp_path: Path) -> None:
    assert kinds(settings(tmp_path, **APPROLE)) == (["vault"], "vault")
    roots, first = open_roots(settings(tmp_path, **APPROLE))
    assert list(roots) == [first] == ["transit:transit/strongroom"]


def test_with_both_the_key_file_stays_first_until_told(tmp_path: Path) -> None:
    local.create(tmp_path / "root.key")
    assert kinds(settings(tmp_path, **APPROLE)) == (["local", "vault"], "local")
    assert kinds(settings(tmp_path, **APPROLE, root="vault")) == (["local", "vault"], "vault")
    roots, first = open_roots(settings(tmp_path, **APPROLE, root="vault", vault_mount="a/b", vault_key="k"))
    assert first == "transit:a/b/k"
    assert [name.split(":")[0] for name in roots] == ["local", "transit"]


def test_local_by_name_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError):
        open_roots(settings(tmp_path, **APPROLE, root="local"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"root": "vault"}, "STRONGROOM_ROOT"),
        ({"vault_addr": "vault.example"}, "STRONGROOM_VAULT_ADDR"),
        ({"vault_addr": "ftp://vault.example"}, "STRONGROOM_VAULT_ADDR"),
        ({"vault_addr": "https://user:canary@vault.example"}, "STRONGROOM_VAULT_ADDR"),
        ({"vault_addr": "https://vault.example/v1"}, "STRONGROOM_VAULT_ADDR"),
        ({"vault_addr": "https://[::1"}, "STRONGROOM_VAULT_ADDR"),
        ({"vault_addr": "http://vault.example:8200"}, "in the clear"),
        ({"vault_addr": ADDR}, "STRONGROOM_VAULT_ROLE_ID"),
        ({**APPROLE, "vault_role_id_file": Path("role")}, "STRONGROOM_VAULT_ROLE_ID"),
        ({**APPROLE, "vault_secret_id_file": None}, "STRONGROOM_VAULT_SECRET_ID_FILE"),
        ({"vault_addr": ADDR, "vault_auth": "token"}, "STRONGROOM_VAULT_TOKEN_FILE"),
        ({"vault_addr": ADDR, "vault_auth": "kubernetes"}, "STRONGROOM_VAULT_KUBERNETES_ROLE"),
        ({**APPROLE, "vault_auth": "token", "vault_secret_id_wrapped": True}, "STRONGROOM_VAULT_SECRET_ID_WRAPPED"),
    ],
)  # fmt: skip
def test_what_is_missing_or_contradictory_is_named(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        open_roots(settings(tmp_path, **wrong))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://localhost:8200", "http://127.0.0.1:8200", "http://[::1]:8200", ADDR + "/"]
)
def test_plain_http_only_to_this_machine(tmp_path: Path, address: str) -> None:
    assert place(settings(tmp_path, vault_addr=address)).address == address.rstrip("/")


@pytest.mark.parametrize("name", ["VAULT_TOKEN", "VAULT_SECRET_ID", "VAULT_JWT", "ROOT_PASSPHRASE"])
def test_no_secret_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"STRONGROOM_{name}", "canary")
    with pytest.raises(SettingsError, match=f"STRONGROOM_{name}_FILE") as caught:
        load()
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("mount", ["../sys", "a//b", "a b", "/transit", "transit/", ""])
def test_a_mount_is_a_path(monkeypatch: pytest.MonkeyPatch, mount: str) -> None:
    monkeypatch.setenv("STRONGROOM_VAULT_MOUNT", mount)
    with pytest.raises(SettingsError, match="STRONGROOM_VAULT_MOUNT"):
        load()


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_login_file_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    found = settings(tmp_path, vault_addr=ADDR, vault_auth="token", vault_token_file=file)
    with pytest.raises(RootLoginRefused, match="STRONGROOM_VAULT_TOKEN_FILE"):
        login(found)(None)  # type: ignore[arg-type] - no question is asked before
