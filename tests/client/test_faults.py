"""Servers that are slow, broken, down or somebody else: what is tried again, and what the caller hears."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable

import pytest
import trustme
from strongroom_client import (
    BadReply,
    Client,
    Retries,
    StrongroomError,
    TimedOut,
    Timeout,
    Unavailable,
    Unreachable,
    Untrusted,
)

from tests.client.conftest import KEY
from tests.client.faults import Act, Faults, answer, drip, hang_up, problem, raw, serve, silent, tokens

DOWN = problem(503, "deadline_exceeded", detail="waited too long")
TRUNCATED = raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")


@pytest.mark.parametrize("fault", [DOWN, hang_up, TRUNCATED, raw(b"\x16\x03\x01 no http\r\n\r\n")])
def test_a_call_that_may_run_twice_is_tried_again_with_the_same_bytes(
    client: Client, faults: Faults, waits: list[float], fault: Act
) -> None:
    faults.play(fault, fault, answer(tokens))
    assert client.tokenize_column("phone", ["1"]).tokens == ["tok:1"]
    assert len({(request.body, request.headers["idempotency-key"]) for request in faults.seen}) == 1
    assert len(faults.seen) == 3
    assert waits == [0.2, 0.4]


def test_it_ends(client: Client, faults: Faults, waits: list[float]) -> None:
    faults.play(DOWN)
    with pytest.raises(Unavailable, match="waited too long"):
        client.fields()
    assert len(faults.seen) == 4
    assert len(waits) == 3


@pytest.mark.parametrize("fault", [DOWN, hang_up, TRUNCATED])
@pytest.mark.parametrize(
    "call", [lambda client: client.erase_subject("s"), lambda client: client.revoke_api_key("k")]
)
def test_what_must_not_run_twice_is_not(
    client: Client, faults: Faults, fault: Act, call: Callable[[Client], object]
) -> None:
    faults.play(fault)
    with pytest.raises(StrongroomError):
        call(client)
    assert len(faults.seen) == 1


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500, 502])
def test_other_refusals_are_final(client: Client, faults: Faults, status: int) -> None:
    faults.play(problem(status, "some_code"))
    with pytest.raises(StrongroomError) as caught:
        client.tokenize("phone", "1")
    assert caught.value.status == status
    assert len(faults.seen) == 1


def test_the_budget_is_shared_by_all_calls(faults: Faults) -> None:
    faults.play(DOWN)
    client = Client(faults.url, KEY, retries=Retries(budget=5, sleep=lambda _: None))
    for _ in range(10):
        with pytest.raises(Unavailable):
            client.fields()
    assert len(faults.seen) == 10 + 5
    faults.play(answer({"fields": []}))
    for _ in range(11):
        client.fields()
    faults.play(DOWN, answer({"fields": []}))
    client.fields()  # ten calls that went well earned one retry


@pytest.mark.parametrize(("asked", "tries", "waited"), [("2", 2, [2.0]), ("60", 1, []), ("soon", 2, [0.2])])
def test_retry_after(
    client: Client, faults: Faults, waits: list[float], asked: str, tries: int, waited: list[float]
) -> None:
    busy = problem(503, "unavailable", headers={"Retry-After": asked})
    faults.play(busy, answer({"fields": []}))
    if tries == 1:
        with pytest.raises(Unavailable):
            client.fields()
    else:
        client.fields()
    assert (len(faults.seen), waits) == (tries, waited)


def test_waits_are_jittered_and_bounded() -> None:
    retries = Retries(attempts=9)
    waits = [[retries.wait(n, None) for _ in range(200)] for n in range(1, 9)]
    for n, drawn in enumerate(waits):
        assert len(set(drawn)) > 100
        assert all(wait is not None and 0 <= wait <= min(3.0, 0.2 * 2**n) for wait in drawn)
    assert retries.wait(9, None) is None


@pytest.mark.parametrize("fault", [silent(4), drip(4)])
def test_a_slow_reply_ends_in_time_and_is_not_asked_for_again(
    client: Client, faults: Faults, fault: Act
) -> None:
    faults.play(fault)
    begun = time.monotonic()
    with pytest.raises(TimedOut, match=r"did not answer within 0\.5 s"):
        client.fields()
    assert time.monotonic() - begun < 3.5  # the reply ends after 4
    assert len(faults.seen) == 1


def test_nobody_there(waits: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", KEY, retries=Retries(sleep=waits.append))
    with pytest.raises(Unreachable, match=f"cannot reach http://127.0.0.1:{port}: Connection refused"):
        client.erase_subject("s")
    assert len(waits) == 3  # the server cannot have seen it, so even this was tried again


def test_an_unknown_name() -> None:
    client = Client("https://nobody.invalid", KEY, retries=Retries(attempts=1))
    with pytest.raises(Unreachable, match="the name is unknown"):
        client.fields()


GARBAGE = {
    "html": answer(b"<html>hello</html>", content_type="text/html"),
    "html named json": answer(b"<html>hello</html>"),
    "empty": answer(b""),
    "list": answer([]),
    "wrong types": answer({"tokens": [1]}),
    "missing": answer({"toks": []}),
    "too few": answer({"tokens": [], "errors": []}),
    "too many": answer({"tokens": ["a", "b"], "errors": []}),
    "error of nobody": answer({"tokens": [None], "errors": [{"index": 5, "code": "x"}]}),
    "negative error": answer({"tokens": [None], "errors": [{"index": -1, "code": "x"}]}),
    "bad utf-8": answer(b'{"tokens": ["\xff"]}'),
    "deep": answer(b"[" * 100_000),
    "deep refusal": answer(
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422, "application/problem+json"
    ),
    "redirect": answer(b"", 302, headers={"Location": "http://127.0.0.1:1/"}),
    "bare 500": answer(b"Internal Server Error", 500, "text/plain"),
    "compressed": answer(b"\x1f\x8b\x08\x00", headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_named_as_such(client: Client, faults: Faults, name: str) -> None:
    faults.play(GARBAGE[name])
    with pytest.raises(BadReply):
        client.tokenize_column("phone", ["13800138000"])
    assert len(faults.seen) == 1


def test_a_bare_503_is_unavailable(client: Client, faults: Faults) -> None:
    faults.play(answer(b"<h1>no backend</h1>", 503, "text/html"))
    with pytest.raises(Unavailable, match="HTTP status 503"):
        client.fields()
    assert len(faults.seen) == 4


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_tls(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> None:
    pem = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serve(context) as faults:
        faults.play(hang_up, answer({"fields": []}))
        assert Client(faults.url, KEY, ca=pem).fields().fields == []
        with pytest.raises(Untrusted, match=r"does not prove who it is: .*issuer") as caught:
            Client(faults.url, KEY).fields()
        assert caught.value.hint is not None
        assert "STRONGROOM_CA" in caught.value.hint


def test_a_certificate_of_another_host(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pem = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("vault.example").configure_cert(context)
    with serve(context) as faults, pytest.raises(Untrusted, match=r"not valid for '127\.0\.0\.1'"):
        Client(faults.url, KEY, ca=pem).fields()


def test_https_to_a_plain_port(faults: Faults) -> None:
    with pytest.raises(Unreachable):
        Client(faults.url.replace("http:", "https:"), KEY, retries=Retries(attempts=1)).fields()


def test_an_idle_connection_that_the_server_closed_is_replaced(client: Client, faults: Faults) -> None:
    def last(peer: socket.socket, request: object) -> bool:
        answer({"fields": []})(peer, request)  # type: ignore[arg-type]
        return False

    faults.play(last)
    for _ in range(3):
        client.fields()
        time.sleep(0.05)
    assert faults.connections == 3


def test_many_threads_share_a_client(client: Client, faults: Faults) -> None:
    faults.play(answer(tokens))
    wrong: list[str] = []

    def work(name: str) -> None:
        for n in range(30):
            if client.tokenize_column("text", [f"{name}{n}"]).tokens != [f"tok:{name}{n}"]:
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(faults.seen) == 240
    assert faults.connections <= 8


def test_a_forked_process_opens_its_own_connections(client: Client, faults: Faults) -> None:
    faults.play(answer({"fields": []}))
    client.fields()
    child = os.fork()
    if child == 0:
        try:
            client.fields()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    client.fields()
    assert len(faults.seen) == 3
    assert faults.connections == 2


def test_a_reply_cut_short_by_ctrl_c_is_not_left_for_the_next_call(
    faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    from strongroom_client.transport import Transport

    faults.play(answer({"fields": []}))
    client = Client(faults.url, KEY, timeout=Timeout(read=2))

    def interrupted(_: object, response: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Transport, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.fields()
    assert client.fields().fields == []
    assert faults.connections == 2
