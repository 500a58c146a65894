"""What proves who asks: an API key, or a token in a file that is read anew when it changes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from strongroom_client import Client, Misconfigured, Retries, Unauthenticated

from tests.client.conftest import KEY
from tests.client.faults import Faults, answer, problem

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
OTHER = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return path


def put(path: Path, text: str) -> None:
    """Replace a file as those who keep tokens fresh do."""
    new = path.with_name("new")
    new.write_text(text)
    os.replace(new, path)


def ask(client: Client) -> None:
    assert client.find("bank_card", "6222021234567890123") == []


def sent(faults: Faults) -> list[str]:
    return [request.headers["authorization"] for request in faults.seen]


@pytest.fixture(autouse=True)
def _nothing_found(faults: Faults) -> None:
    faults.play(answer({"matches": [[]], "errors": []}))


def test_a_token_is_read_anew_when_its_file_changes(faults: Faults, file: Path) -> None:
    with Client(faults.url, token_file=file) as client:
        for text in (TOKEN, OTHER, TOKEN):
            put(file, text)
            for _ in range(2):
                ask(client)
    assert sent(faults) == [f"Bearer {text}" for text in (TOKEN, TOKEN, OTHER, OTHER, TOKEN, TOKEN)]


def test_a_file_that_is_being_written_leaves_the_token_before(faults: Faults, file: Path) -> None:
    with Client(faults.url, token_file=file) as client:
        file.write_text("")
        ask(client)
        file.write_text(OTHER)
        ask(client)
        file.unlink()
        with pytest.raises(Misconfigured, match="cannot be read: No such file"):
            ask(client)
    assert sent(faults) == [f"Bearer {TOKEN}", f"Bearer {OTHER}"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "canary",
        KEY,
        "a.b",
        f"{TOKEN}.x",
        f"{TOKEN}\r\nX: canary",
        f"a.b.{'c' * 8_192}",
        "é.é.é",
        "a.b.c d",
    ],
)
def test_files_that_hold_no_token(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(Misconfigured, match="holds none") as caught:
        Client("http://localhost", token_file=file)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_which_is_taken(monkeypatch: pytest.MonkeyPatch, file: Path, faults: Faults) -> None:
    with pytest.raises(Misconfigured, match="both an API key and a file of a token are given"):
        Client("http://localhost", KEY, token_file=file)
    monkeypatch.setenv("STRONGROOM_TOKEN_FILE", str(file))
    with Client(faults.url) as client:
        ask(client)
    with Client(faults.url, KEY) as client:
        ask(client)
    assert sent(faults) == [f"Bearer {TOKEN}", f"Bearer {KEY}"]
    for name in ("STRONGROOM_API_KEY", "STRONGROOM_API_KEY_FILE"):
        with monkeypatch.context() as other:
            other.setenv(name, KEY)
            with pytest.raises(Misconfigured, match="both an API key and a file of a token are set"):
                Client("http://localhost")
    monkeypatch.setenv("STRONGROOM_TOKEN_FILE", str(file) + "x")
    with pytest.raises(Misconfigured, match="the file of the token cannot be read: No such file"):
        Client("http://localhost")


def test_no_text_holds_the_token(faults: Faults, file: Path) -> None:
    client = Client(faults.url, token_file=file, retries=Retries(attempts=1))
    assert TOKEN not in repr(client) + repr(vars(client))
    faults.play(problem(401, "unauthenticated", detail=f"no such token {TOKEN}", hint=TOKEN))
    with client, pytest.raises(Unauthenticated) as caught:
        ask(client)
    assert "canary" not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_threads_read_it_together(faults: Faults, file: Path) -> None:
    with Client(faults.url, token_file=file) as client:
        threads = [threading.Thread(target=ask, args=(client,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for at in range(20):
            put(file, (TOKEN, OTHER)[at % 2])
        for thread in threads:
            thread.join()
    assert set(sent(faults)) <= {f"Bearer {TOKEN}", f"Bearer {OTHER}"}
    assert len(sent(faults)) == 8
