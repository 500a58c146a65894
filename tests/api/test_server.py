"""The door behind the real server: bodies in pieces, without a length, too long, cut off; and a process that drains."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from api.config import Settings
from vault.granting import Made

GOOD = b'{"field":"phone","value":"+8613800138000"}'
LIMIT = 8 * 1024 * 1024


@dataclass
class Server:
    """A running server, and the key of its callers."""

    process: subprocess.Popen[bytes]
    port: int
    key: str

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
        """Return status and body of a reply; an iterable body is sent in chunks."""
        with closing(self.connect()) as connection:
            known = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            chunked = body is not None and not isinstance(body, bytes)
            connection.request(method, path, body, {**known, **headers}, encode_chunked=chunked)
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())

    def raw(self, *pieces: bytes, pause: float = 0.0, cut: bool = False) -> bytes:
        """Return what comes back to bytes sent as they are until the server closes; with `cut`, say that no more come.

        Who says so behind a whole request hears nothing: the server takes it for gone.
        """
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=10)) as connection:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            received = b""
            with suppress(OSError):  # closed by the server
                if cut:
                    connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65_536):
                    received += piece
            return received

    def head(self, length: int) -> bytes:
        return (
            f"POST /v1/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        ).encode()


@pytest.fixture(scope="module")
def server(
    settings: Settings, made: dict[Any, Made], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "STRONGROOM_DATABASE_URL": settings.database_url,
        "STRONGROOM_ROOT_KEY_FILE": str(settings.root_key_file),
        "STRONGROOM_CANARY": "canary7531",
    }
    command = [
        Path(sys.executable).with_name("granian"),
        "--interface",
        "wsgi",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--blocking-threads", "4", "api.wsgi:app"],
            env=environment,
            stderr=output,
            stdout=output,
        )
        running = Server(process, port, made["live"][1])
        wait(running)
        yield running
        process.terminate()
        assert process.wait(20) == 0
    text = log.read_text()
    assert "canary7531" not in text
    assert "Traceback" not in text


def wait(server: Server) -> None:
    for _ in range(200):
        try:
            server.ask("GET", "/livez")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not answer")


def test_a_request_as_most_send_it(server: Server) -> None:
    status, body = server.ask("POST", "/v1/tokens", GOOD)
    assert (status, body["token"][:9]) == (201, "tok_live_")


def test_a_body_in_chunks(server: Server) -> None:
    assert server.ask("POST", "/v1/tokens", iter([GOOD[:10], GOOD[10:]]))[0] == 201


def test_a_body_in_chunks_without_end_is_too_large(server: Server) -> None:
    head = server.head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    reply = server.raw(head, *[chunk] * 160, cut=True)
    assert b"413" in reply.split(b"\r\n")[0]
    assert b"body_too_large" in reply


def test_a_body_in_slow_pieces_is_read_whole(server: Server) -> None:
    reply = server.raw(
        server.head(len(GOOD)), *[GOOD[at : at + 7] for at in range(0, len(GOOD), 7)], pause=0.02
    )
    assert b" 201 " in reply.split(b"\r\n")[0]


def test_the_largest_body_in_many_packets(server: Server) -> None:
    assert server.ask("POST", "/v1/tokens", GOOD.ljust(LIMIT))[0] == 201


def test_a_length_beyond_the_limit_is_refused_before_the_body(server: Server) -> None:
    reply = server.raw(server.head(LIMIT + 1), cut=True)
    assert b" 413 " in reply.split(b"\r\n")[0]


def test_a_body_of_10_megabytes_hears_why(server: Server) -> None:
    status, body = server.ask("POST", "/v1/tokens", b'"' + b"x" * 10_000_000 + b'"')
    assert (status, body["code"]) == (413, "body_too_large")


def test_a_large_body_of_the_wrong_type_hears_why(server: Server) -> None:
    status, body = server.ask("POST", "/v1/tokens", b"x" * 10_000_000, **{"Content-Type": "text/plain"})
    assert (status, body["code"]) == (415, "unsupported_media_type")


def test_nobody_waits_for_a_body_that_is_far_too_large(server: Server) -> None:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=5)) as connection:
        connection.sendall(server.head(10**15))
        assert b" 413 " in connection.recv(65_536).split(b"\r\n")[0]


def test_a_body_that_is_cut_off_harms_nobody(server: Server) -> None:
    for _ in range(8):  # more than there are threads
        assert b" 201 " not in server.raw(server.head(1_000) + GOOD, cut=True)
    assert server.ask("POST", "/v1/tokens", GOOD)[0] == 201


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET / HTTP/9.9",
        b"\x00\x01\x02",
        b"GET /\xff\xfe HTTP/1.1",
        b"GET /%00 HTTP/1.1",
        b"POST",
        b"G" * 100_000,
    ],
)
def test_what_is_not_http(server: Server, request_line: bytes) -> None:
    reply = server.raw(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert reply.split(b" ")[1][:1] == b"4"
    assert server.ask("GET", "/livez")[0] == 200


def test_an_encoded_slash_stays_in_the_subject(server: Server) -> None:
    ask = json.dumps({"field": "phone", "value": "13800138000", "subject": "a/b ü"}).encode()
    assert server.ask("POST", "/v1/tokens", ask)[0] == 201
    status, body = server.ask("GET", "/v1/subjects/a%2Fb%20%C3%BC/tokens")
    assert (status, len(body["tokens"])) == (200, 1)


def test_a_process_told_to_drain_is_alive_but_not_ready(server: Server) -> None:
    assert server.ask("GET", "/readyz")[0] == 200
    workers = psutil.Process(server.process.pid).children()
    for worker in workers:
        worker.send_signal(signal.SIGUSR1)
    for _ in range(100):
        if server.ask("GET", "/readyz")[0] == 503:
            break
        time.sleep(0.02)
    assert server.ask("GET", "/readyz")[1]["checks"]["process"] == "draining"
    assert server.ask("POST", "/v1/tokens", GOOD)[0] == 201
