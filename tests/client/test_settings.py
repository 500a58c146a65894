"""Where the server is and how to prove who asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from strongroom_client import Client, Misconfigured
from strongroom_client.settings import address

from tests.client.conftest import KEY


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://vault.example:8700/", "https://vault.example:8700"),
        ("https://vault.example", "https://vault.example:443"),
        ("https://proxy.example/strongroom/", "https://proxy.example:443/strongroom"),
        ("http://127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("http://127.9.9.9", "http://127.9.9.9:80"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8700", "http://[::1]:8700"),
    ],
)
def test_addresses(url: str, said: str) -> None:
    assert str(address(url)) == said


@pytest.mark.parametrize(
    "url",
    [
        "http://vault.example",
        "http://10.0.0.1:8700",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://0.0.0.0",
        "vault.example",
        "ftp://localhost",
        "https://",
        "https://a b",
        "https://u:secret-canary@vault.example",
        "https://vault.example/?secret-canary",
        "https://vault.example:secret-canary",
        "https://[secret-canary",
        "",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Client(url, KEY)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "key", ["", "secret-canary", "sr_prod_" + "canary" * 8, KEY + "\r\nX: canary", KEY + "ü"]
)
def test_keys_that_are_refused(key: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Client("http://localhost", key)
    assert "anary" not in str(caught.value)


def test_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    monkeypatch.setenv("STRONGROOM_URL", "http://localhost:8700")
    with pytest.raises(Misconfigured, match="no API key"):
        Client()
    monkeypatch.setenv("STRONGROOM_API_KEY_FILE", str(file))
    assert repr(Client()) == "<Client of http://localhost:8700>"
    monkeypatch.setenv("STRONGROOM_API_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(Misconfigured, match="cannot be read: No such file"):
        Client()
    monkeypatch.setenv("STRONGROOM_API_KEY", KEY)
    Client()


def test_a_certificate_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file"):
        Client("https://localhost", KEY, ca=tmp_path / "none")
    file = tmp_path / "ca.pem"
    file.write_text("hello")
    with pytest.raises(Misconfigured, match="no PEM file") as caught:
        Client("https://localhost", KEY, ca=file)
    assert caught.value.__context__ is None
