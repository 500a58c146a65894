"""The service on the wire, as a stranger writes to it: no 500, no hang, and nothing hidden is done."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

import pytest
from strongroom_client import Client

from tests.api.audit import records
from tests.service import Service, running
from tests.waiting import LONG

CANARY = "canary7531"  # part of what is sent everywhere; never to be seen again
NAME = CANARY.encode()
GOOD = b'{"field":"text","value":"%s"}' % NAME
KEY = b"#" * 72  # stands for the API key, which is as long
HOST, AUTH, TYPE = b"Host: x", b"Authorization: Bearer " + KEY, b"Content-Type: application/json"
LENGTH = b"Content-Length: %d" % len(GOOD)
CHUNKED = b"Transfer-Encoding: chunked"
WHOLE = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)  # the good body in one chunk and the last

Expected = list[
    tuple[int, str | None]
]  # status and code; None for a reply of the server's own, "ok" for no problem
DONE, SERVERS = (201, "ok"), (400, None)
BAD, MALFORMED, NOWHERE = (400, "bad_request"), (400, "malformed_json"), (404, "not_found")


def ask(line: bytes, *lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([line, *lines, b"", body])


def post(*lines: bytes, body: bytes = GOOD, target: bytes = b"/v1/tokens") -> bytes:
    return ask(b"POST %s HTTP/1.1" % target, HOST, AUTH, TYPE, *lines, body=body)


def get(target: bytes, *lines: bytes, method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    return ask(b" ".join([method, target, version]), HOST, AUTH, *lines)


HIDDEN = post(b"X-Request-Id: hidden", LENGTH)
BOTH = b"Content-Length: %d" % len(GOOD + HIDDEN)


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """The code of a problem, after a look at its form; "ok" for what is none, None for what is not ours."""
        if "server" not in self.headers:  # refused by the server before the application heard of it
            assert (self.body, self.headers["connection"]) == (b"", "close")
            return None
        if self.status < 400:
            return "ok"
        assert self.headers["content-type"] == "application/problem+json"
        problem = json.loads(self.body)
        assert problem["status"] == self.status
        assert problem["request_id"] == self.headers["x-request-id"]
        return str(problem["code"])


class Line:
    """A connection whose bytes are ours to choose."""

    def __init__(self, service: Service) -> None:
        self._socket = socket.create_connection(("127.0.0.1", service.port), timeout=LONG)
        self._key, self._seen = service.keys["live"].encode(), b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        assert NAME not in self._seen, self._seen
        self._socket.close()

    def send(self, content: bytes) -> None:
        """Send bytes with the API key in its place; a server that has closed is heard of when reading."""
        with suppress(OSError):
            self._socket.sendall(content.replace(KEY, self._key))

    def cut(self) -> bytes:
        """Send no more; return all that still comes."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        while self._more():
            pass
        return self._seen

    def abort(self) -> None:
        """End the connection at once, without a word (RST)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def answer(self, *, bodiless: bool = False) -> Answer | None:
        """Return the next reply; None if the connection ends before one begins."""
        while b"\r\n\r\n" not in self._seen:
            if not self._more():
                assert not self._seen
                return None
        head, _, rest = self._seen.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
        length = 0 if bodiless else int(headers.get("content-length", 0))
        while len(rest) < length:
            assert self._more()
            rest = self._seen.partition(b"\r\n\r\n")[2]
        assert NAME not in self._seen
        self._seen = rest[length:]
        version, status, *_ = first.split(" ")
        assert version in {"HTTP/1.1", "HTTP/1.0"}
        return Answer(int(status), headers, rest[:length])

    def expect(self, expected: Expected, *, reset: bool = False) -> None:
        """Check the replies to what was sent, and that no other comes.

        What came of a request that was hidden in another would be answered before the next: that is asked for, and
        answered or not, depending on whether the server keeps the connection.

        Args:
            reset: the server may end the connection while so much is still under way that its reply is lost.
        """
        for status, code in expected:
            answer = self.answer()
            if answer is None:
                assert reset
                return
            assert (answer.status, answer.code) == (status, code)
        self.send(ask(b"GET /livez HTTP/1.1", HOST, b"X-Request-Id: last"))
        last = self.answer()
        assert last is None or (last.status, last.headers.get("x-request-id")) == (200, "last")

    def _more(self) -> bool:
        try:
            piece = self._socket.recv(65_536)
        except ConnectionError:
            return False
        self._seen += piece
        return bool(piece)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose log and audit are looked at when all is over."""
    folder = tmp_path_factory.mktemp("wire")
    debug = {"STRONGROOM_LOG_LEVEL": "debug", "STRONGROOM_WORKERS": "1", "STRONGROOM_THREADS": "4"}
    with running(folder, f"sqlite:///{folder}/vault.db", **debug) as served:
        yield served
        assert served.stop() == 0
    log = served.log.read_text()
    for word in (CANARY, "Traceback", "panicked", '"status":5', *served.keys.values()):
        assert word not in log
    assert "hidden" not in {record.request_id for record in records(folder / "vault.db")}


@pytest.fixture
def line(service: Service) -> Iterator[Line]:
    with Line(service) as opened:
        yield opened


def test_pipelined_requests_are_answered_in_order_and_each_its_own(line: Line) -> None:
    bodies = [json.dumps({"field": "text", "value": f"own {at}"}).encode() for at in range(30)]
    line.send(
        b"".join(
            post(b"X-Request-Id: own-%d" % at, b"Content-Length: %d" % len(body), body=body)
            for at, body in enumerate(bodies)
        )
    )
    tokens = []
    for at in range(len(bodies)):
        answer = line.answer()
        assert answer is not None
        assert (answer.status, answer.headers["x-request-id"]) == (201, f"own-{at}")
        tokens.append(json.loads(answer.body)["token"])
    body = json.dumps({"tokens": tokens, "purpose": "service", "view": "plain"}).encode()
    line.send(post(b"Content-Length: %d" % len(body), body=body, target=b"/v1/reveal"))
    shown = line.answer()
    assert shown is not None
    assert json.loads(shown.body)["values"] == [f"own {at}" for at in range(len(bodies))]


def test_what_is_hidden_would_be_done(line: Line, service: Service) -> None:
    """The request that the others hide is a good one: the same bytes, at their own place, are carried out."""
    line.send(post(LENGTH) + HIDDEN.replace(b"hidden", b"shown"))
    line.expect([DONE, DONE])
    assert "shown" in {record.request_id for record in records(service.folder / "vault.db")}


FRAMES: dict[str, tuple[bytes, Expected]] = {
    "two lengths": (post(LENGTH, BOTH, body=GOOD + HIDDEN), [SERVERS]),
    "two lengths, the longer first": (post(BOTH, LENGTH, body=GOOD + HIDDEN), [SERVERS]),
    "two equal lengths": (post(LENGTH, LENGTH), [DONE]),
    "a list of lengths": (post(LENGTH + b", %d" % len(GOOD)), [SERVERS]),
    "a length with a sign": (post(LENGTH.replace(b": ", b": +")), [SERVERS]),
    "a negative length": (post(b"Content-Length: -1"), [SERVERS]),
    "a length in hex": (post(b"Content-Length: 0x%x" % len(GOOD)), [SERVERS]),
    "a length in full-width digits": (post("Content-Length: ４２".encode()), [SERVERS]),
    "an empty length": (post(b"Content-Length: "), [SERVERS]),
    "a length beyond 64 bits": (post(b"Content-Length: 9" + b"0" * 30), [SERVERS]),
    "a length with a space before the colon": (post(LENGTH.replace(b":", b" :")), [SERVERS]),
    "a length that is folded": (post(b"Content-Length:\r\n %d" % len(GOOD)), [SERVERS]),
    "a length under another name": (
        post(b"Content_Length: %d" % len(HIDDEN), b"Content-Length: 0", body=b""), [MALFORMED]
    ),
    "length and chunks": (post(BOTH, CHUNKED, body=b"0\r\n\r\n" + HIDDEN), [MALFORMED]),
    "chunks and a length": (post(CHUNKED, b"Content-Length: 4", body=WHOLE + HIDDEN), [DONE]),
    "chunks not last": (post(CHUNKED + b", identity", body=b"0\r\n\r\n" + HIDDEN), [SERVERS]),
    "chunks not last, on two lines": (
        post(CHUNKED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + HIDDEN), [SERVERS]
    ),
    "chunks misspelt": (post(CHUNKED.replace(b"ch", b"xch"), body=b"0\r\n\r\n" + HIDDEN), [SERVERS]),
    "chunks with a space before the colon": (
        post(CHUNKED.replace(b":", b" :"), BOTH, body=b"0\r\n\r\n" + HIDDEN), [SERVERS]
    ),
    "chunks by a tab": (post(CHUNKED.replace(b": ", b":\t"), body=WHOLE), [DONE]),
    "compressed chunks": (post(b"Transfer-Encoding: gzip, chunked", body=WHOLE), [(415, "unsupported_media_type")]),
    "chunks in HTTP/1.0": (post(CHUNKED, body=WHOLE + HIDDEN).replace(b"/1.1", b"/1.0", 1), [SERVERS]),
    "a chunk extension": (post(CHUNKED, body=WHOLE.replace(b"\r\n", b";a=b;c=\"d\"\r\n", 1)), [DONE]),
    "a chunk extension with a line end": (
        post(CHUNKED, body=WHOLE.replace(b"\r\n", b";a\n\r\n", 1) + HIDDEN), [MALFORMED]
    ),
    "a chunk extension without end": (
        post(CHUNKED, body=WHOLE.replace(b"\r\n", b";" + b"x" * 100_000 + b"\r\n", 1) + HIDDEN), [MALFORMED]
    ),
    "a trailer": (post(CHUNKED, body=WHOLE[:-2] + b"Content-Length: 9\r\nX-Request-Id: hidden\r\n\r\n"), [DONE]),
    **{
        f"a chunk of {size.decode()}": (post(CHUNKED, body=size + WHOLE[2:] + HIDDEN), [MALFORMED])
        for size in (b"zz", b"-1", b"0x2a", b"+2a", b" ", b"f" * 17, b"1" + b"0" * 15 + WHOLE[:2])
    },
    "a chunk longer than it says": (post(CHUNKED, body=b"5" + WHOLE[2:] + HIDDEN), [MALFORMED]),
    "chunks with bare line feeds": (post(CHUNKED, body=WHOLE.replace(b"\r\n", b"\n") + HIDDEN), [MALFORMED]),
    "a body on GET": (get(b"/v1/fields", b"Content-Length: %d" % len(HIDDEN)) + HIDDEN, [(200, "ok")]),
    "chunks on GET": (get(b"/v1/fields", CHUNKED) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN), [(200, "ok")]),
    "a body on DELETE": (
        get(b"/v1/tokens/x", b"Content-Length: %d" % len(HIDDEN), method=b"DELETE") + HIDDEN,
        [(422, "malformed_token")],
    ),
    "a body where nothing is": (
        post(b"Content-Length: %d" % len(HIDDEN), body=HIDDEN, target=b"/v1/nothing"), [NOWHERE]
    ),
    "a body without a key": (
        post(b"Content-Length: %d" % len(HIDDEN), body=HIDDEN).replace(AUTH, AUTH.replace(b"Bearer", b"Basic"), 1),
        [(401, "unauthenticated")],
    ),
    "a body of another type": (
        post(b"Content-Length: %d" % len(HIDDEN), body=HIDDEN).replace(b"/json", b"/x", 1),
        [(415, "unsupported_media_type")],
    ),
    "a body that is a request": (post(b"Content-Length: %d" % len(HIDDEN), body=HIDDEN), [MALFORMED]),
    "a body longer than its length": (post(LENGTH, body=GOOD + NAME + b"\r\n\r\n"), [DONE, SERVERS]),
    "a length of nothing": (post(b"Content-Length: 0"), [MALFORMED, SERVERS]),
    "no length": (post(), [MALFORMED, SERVERS]),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_how_long_a_body_is_cannot_be_said_in_two_ways(line: Line, name: str) -> None:
    request, expected = FRAMES[name]
    line.send(request)
    line.expect(expected)


HEADERS: dict[str, tuple[bytes, Expected]] = {
    "folded": (b"X-Fold: a\r\n %s" % NAME, [SERVERS]),
    "NUL in a value": (b"X-A: a\0%s" % NAME, [SERVERS]),
    "CR in a value": (b"X-A: a\rX-Request-Id: hidden", [SERVERS]),
    "LF in a value is the end of the line": (b"X-A: a\nX-Request-Id: seen", [DONE]),
    "NUL in a name": (b"X\0A: a", [SERVERS]),
    "no name": (b": a", [SERVERS]),
    "no colon": (NAME, [SERVERS]),
    "a space in a name": (b"X A: a", [SERVERS]),
    "bytes above ASCII": (b"X-A: \xff\xfe%s" % NAME, [DONE]),
    "a request id above ASCII": (b"X-Request-Id: \xff%s" % NAME, [DONE]),
    "two request ids": (b"X-Request-Id: %s\r\nX-Request-Id: b" % NAME, [DONE]),
    "an Idempotency-Key above ASCII": (b"Idempotency-Key: \xc3\xa9%s" % NAME, [(422, "invalid_request")]),
    "two API keys": (b"Authorization: Bearer %s" % NAME, [(401, "unauthenticated")]),
    "a compressed body": (b"Content-Encoding: gzip", [(415, "unsupported_media_type")]),
    "a compressed body, above ASCII": (b"Content-Encoding: \xff", [(415, "unsupported_media_type")]),
    "two hosts": (b"Host: %s" % NAME, [BAD]),
    "another method": (b"X-HTTP-Method-Override: DELETE\r\nX-Original-URL: /v1/%s" % NAME, [DONE]),
    "an expectation that nobody knows": (b"Expect: %s" % NAME, [DONE]),
    "an upgrade to HTTP/2": (
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", [DONE]
    ),
    "an upgrade to WebSocket": (
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s" % NAME,
        [(405, "method_not_allowed")],
    ),
    "many": (b"\r\n".join(b"X-%d: %s" % (at, NAME) for at in range(80)), [DONE]),
    "a long one": (b"X-Long: " + NAME * 6_000, [DONE]),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_a_header(line: Line, name: str) -> None:
    header, expected = HEADERS[name]
    line.send(post(LENGTH, header))
    line.expect(expected)


LARGE = {
    "too many headers": (post(LENGTH, *[b"X-%d: %s" % (at, NAME) for at in range(1_000)]), 431),
    "a header too long": (post(LENGTH, b"X-Long: " + NAME * 60_000), 431),
    "a path too long": (get(b"/v1/" + NAME * 7_000), 414),
    "a request line without end": (get(b"/v1/" + NAME * 60_000), 431),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large(line: Line, name: str) -> None:
    request, status = LARGE[name]
    line.send(request)
    line.expect([(status, None)], reset=True)


FIELDS = b"/v1/fields"
LINES: dict[str, tuple[bytes, Expected]] = {
    "HTTP/1.0": (get(FIELDS, version=b"HTTP/1.0"), [(200, "ok")]),
    "HTTP/1.0 without Host": (ask(b"GET /v1/fields HTTP/1.0", AUTH), [(200, "ok")]),
    "HTTP/1.0, kept": (get(FIELDS, b"Connection: keep-alive", version=b"HTTP/1.0"), [(200, "ok")]),
    "HTTP/0.9": (b"GET /v1/%s\r\n" % NAME, [SERVERS]),
    "HTTP/1.2": (get(FIELDS, version=b"HTTP/1.2"), [SERVERS]),
    "HTTP/3.0": (get(FIELDS, version=b"HTTP/3.0"), [SERVERS]),
    "http/1.1": (get(FIELDS, version=b"http/1.1"), [SERVERS]),
    "HTTP/2 with prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN, []),
    "TLS": (bytes.fromhex("16030100f8010000f40303") + NAME * 30, [SERVERS]),
    "line feeds alone": (get(FIELDS).replace(b"\r\n", b"\n"), [(200, "ok")]),
    "empty lines first": (b"\r\n\r\n" + get(FIELDS), [(200, "ok")]),
    "no Host": (ask(b"GET /v1/fields HTTP/1.1", AUTH), [BAD]),
    "an empty Host": (get(FIELDS).replace(HOST, b"Host:"), [BAD]),
    **{
        f"Host {host.decode('latin-1')}": (get(FIELDS).replace(HOST, b"Host: " + host), [BAD])
        for host in (b"\xff" + NAME, NAME + b"/v1", b"x@" + NAME, b"x y", b"x:port", b"[::1", b"x?y", b"a, b")
    },
    **{
        f"Host {host.decode()}": (get(FIELDS).replace(HOST, b"Host: " + host), [(200, "ok")])
        for host in (b"vault_1.example:8700", b"[::1]:8700", b"127.0.0.1", b"x:")
    },
    "an unknown method": (get(FIELDS, method=NAME.upper()), [(405, "method_not_allowed")]),
    "a long method": (get(FIELDS, method=b"G" * 50_000), [(405, "method_not_allowed")]),
    "a method with brackets": (get(FIELDS, method=b"G(ET)"), [SERVERS]),
    **{
        f"the method {method.decode()}": (get(FIELDS, method=method), [BAD])
        for method in (b"get", b"Get", b"head", b"delete", b"options")
    },
    "a post in lower case": (post(LENGTH).replace(b"POST", b"post"), [BAD]),
    "a method in no letters": (get(FIELDS, method=b"!"), [BAD]),
    "CONNECT": (get(b"vault.example:443", method=b"CONNECT"), [NOWHERE]),
    "TRACE": (get(FIELDS, b"Cookie: " + NAME, method=b"TRACE"), [(405, "method_not_allowed")]),
    "an asterisk": (get(b"*", method=b"OPTIONS"), [NOWHERE]),
    "an asterisk to GET": (get(b"*"), [NOWHERE]),
    "an absolute form": (get(b"http://%s.example/v1/fields" % NAME), [(200, "ok")]),
    "an absolute form without a path": (get(b"http://%s.example" % NAME), [NOWHERE]),
    "an absolute form with doubled slashes": (get(b"http://%s.example//v1/fields" % NAME), [BAD]),
    "an authority": (get(NAME + b".example:443"), [NOWHERE]),
    "no slash first": (get(b"v1/fields"), [SERVERS]),
    "NUL in the path": (get(b"/v1/\0" + NAME), [SERVERS]),
    "CR in the path": (get(b"/v1/\r" + NAME), [SERVERS]),
    "LF in the path": (get(b"/v1/\n" + NAME), [SERVERS]),
    "a space in the path": (get(b"/v1/ " + NAME), [SERVERS]),
    "a tab in the path": (get(b"/v1/\t" + NAME), [SERVERS]),
    "a quoted line end in the path": (get(b"/v1/%0d%0aX-A:%20" + NAME), [NOWHERE]),
    "a quoted NUL": (get(b"/v1/fields%00" + NAME), [NOWHERE]),
    "a quoted NUL in a token": (get(b"/v1/tokens/%00" + NAME), [(422, "malformed_token")]),
    "a quoted NUL in a subject": (get(b"/v1/subjects/%00" + NAME + b"/tokens"), [(422, "invalid_request")]),
    "bytes above ASCII": (get(b"/v1/\xff" + NAME), [SERVERS]),
    "dots": (get(b"/v1/tokens/../fields"), [NOWHERE]),
    "quoted dots": (get(b"/v1/tokens/%2e%2e/fields"), [NOWHERE]),
    "dots in a subject": (get(b"/v1/subjects/../fields", method=b"DELETE"), [(404, "unknown_subject")]),
    "a doubled slash first": (get(b"//v1/fields"), [BAD]),
    "a doubled slash, the second quoted": (get(b"/%2fv1/fields"), [BAD]),
    "a doubled slash before the metrics": (get(b"//metrics"), [BAD]),
    "a doubled slash inside": (get(b"/v1//fields"), [NOWHERE]),
    "a slash at the end": (get(b"/v1/fields/"), [NOWHERE]),
    "a part that is no UTF-8": (get(b"/v1/tokens/%ff" + NAME), [BAD]),
    "half a surrogate pair": (get(b"/v1/subjects/%ed%a0%80/tokens"), [BAD]),
    "a slash written too long": (get(b"/v1%c0%affields"), [BAD]),
    "a query where none is read": (get(b"/v1/fields?" + NAME), [(422, "invalid_request")]),
    "a query where nobody is let in": (get(b"/livez?" + NAME), [(200, "ok")]),
    "a query that is no UTF-8": (get(b"/v1/tokens?field=%ff" + NAME), [(422, "unknown_field")]),
    "a query above ASCII": (get(b"/v1/tokens?field=\xff" + NAME), [SERVERS]),
    "a path of query marks": (get(b"/v1/tokens???" + NAME), [(422, "invalid_request")]),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_a_request_line(line: Line, name: str) -> None:
    request, expected = LINES[name]
    line.send(request)
    line.expect(expected)


def test_a_reply_to_head_has_no_body(line: Line) -> None:
    line.send(get(FIELDS, method=b"HEAD") + get(b"/v1/" + NAME, method=b"HEAD"))
    for status in (200, 404):
        answer = line.answer(bodiless=True)
        assert answer is not None
        assert answer.status == status
    line.expect([])


def test_a_caller_who_waits_for_100_continue(line: Line) -> None:
    line.send(post(LENGTH, b"Expect: 100-continue", body=b""))
    first = line.answer()
    assert first is not None
    assert (first.status, first.headers) == (100, {})
    line.send(GOOD)
    line.expect([DONE])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((b"Authorization: Bearer x", TYPE, LENGTH), (401, "unauthenticated")),
        ((AUTH, b"Content-Type: text/plain", LENGTH), (415, "unsupported_media_type")),
        ((AUTH, TYPE, b"Content-Length: 9000000"), (413, "body_too_large")),
    ],
)
def test_nobody_is_told_to_continue_in_vain(
    line: Line, lines: tuple[bytes, ...], expected: tuple[int, str]
) -> None:
    line.send(ask(b"POST /v1/tokens HTTP/1.1", HOST, b"Expect: 100-continue", *lines))
    answer = line.answer()  # the last, for what is sent then may be taken for the body that was announced
    assert answer is not None
    assert (answer.status, answer.code) == expected


CUT = {
    "nothing": b"",
    "an empty line": b"\r\n",
    "half a line": b"POST /v1/tok",
    "half a header": post(LENGTH)[:-90],
    "half a body": post(b"Content-Length: 1000"),
    "half a chunk": post(CHUNKED, body=WHOLE[:20]),
    "half the size of a chunk": post(CHUNKED, body=b"2"),
    "half a TLS greeting": bytes.fromhex("1603010100"),
}


@pytest.mark.parametrize("name", CUT)
def test_a_connection_that_ends_in_the_middle(service: Service, name: str) -> None:
    """Politely or not, more often than there are threads; nothing is done, and the others are served."""
    before = len(records(service.folder / "vault.db"))
    for _ in range(6):
        with Line(service) as polite:
            polite.send(CUT[name])
            assert polite.cut().split(b" ")[1:2] in ([], [b"400"])
        with Line(service) as rude:
            rude.send(CUT[name])
            rude.abort()
    assert len(records(service.folder / "vault.db")) == before
    with Line(service) as other:
        other.send(post(LENGTH))
        other.expect([DONE])


def test_a_chunked_body_is_not_done_in_part(service: Service) -> None:
    """WSGI cannot say that the last chunk never came: what came must then say itself that it is not whole."""
    before = len(records(service.folder / "vault.db"))
    for at in range(1, len(GOOD)):
        with Line(service) as line:
            line.send(post(CHUNKED, body=b"%x\r\n%s\r\nzz\r\n" % (at, GOOD[:at]) + HIDDEN))
            line.expect([MALFORMED])
    assert len(records(service.folder / "vault.db")) == before


SUBJECTS = (
    "/", "//", "/a", "a/", "a//b", ".", "..", "../tokens/a", "a/tokens", "tokens", "/tokens", "a?b", "a#b", "%2F", "%",
    " ", "a b", "+", ";a=b", "\\", '"', "客户/17", "\ufffd",
)  # fmt: skip


def test_every_subject_can_be_listed_and_erased(service: Service) -> None:
    with Client(service.url, service.keys["live"]) as client:
        made = {subject: client.tokenize("text", "x", subject=subject) for subject in SUBJECTS}
        for subject, token in made.items():
            assert [one.token for one in client.list(subject=subject)] == [token], subject
        for subject in SUBJECTS:
            assert client.erase_subject(subject).tokens == 1, subject


@pytest.mark.parametrize("target", [b"a?" + NAME, b"%ff", b"%e5%ae", b"%ed%a0%80"])
def test_a_name_that_is_not_quoted_erases_nobody_else(service: Service, line: Line, target: bytes) -> None:
    """Not `a` for an unquoted `a?b`, nor U+FFFD, a character like any other, for bytes that are no UTF-8."""
    with closing(Client(service.url, service.keys["live"])) as client:
        tokens = [client.tokenize("text", "x", subject=one) for one in ("a", "\ufffd", "\ufffd" * 3)]
        line.send(get(b"/v1/subjects/" + target, method=b"DELETE"))
        answer = line.answer()
        assert answer is not None
        assert (answer.status, answer.code) in {BAD, (422, "invalid_request")}
        assert not client.describe_column(tokens).errors
