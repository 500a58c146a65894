"""A service on a Unix socket behind a real proxy: certificates, tokens and addresses from end to end."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from strongroom_client import Client

from api import config
from api.cli import surroundings, unixsocket
from api.cli.failure import Failure
from api.config import Settings
from api.errors import SettingsError
from tests.api.audit import records
from tests.api.callers.front import fronting
from tests.api.callers.issuing import AUDIENCE, EC, ISSUER, key_set, token
from tests.service import Service, running
from tests.waiting import until

FILE = f"""
[[oidc]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
tenant = "shop"
mode = "live"
jwks_file = "jwks.json"

[[certificate]]
tenant = "shop"
mode = "live"
names = ["dns:settlement.shop.example"]
"""
COMMAND = [sys.executable, "-m", "api.cli"]


@dataclass
class Behind:
    """A service behind its proxy."""

    service: Service
    folder: Path
    port: int
    clients: trustme.CA
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def ask(self, certificate: trustme.LeafCert | None = None, **headers: str) -> tuple[int, Any]:
        """Return status and body of a request for the field types."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        if certificate is not None:
            certificate.configure_cert(context)
        request = urllib.request.Request(
            f"{self.url}/v1/fields", headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("socket")
    (folder / "callers.toml").write_text(FILE)
    (folder / "jwks.json").write_bytes(key_set(EC))
    settings = {
        "STRONGROOM_SOCKET": str(folder / "http.sock"), "STRONGROOM_WORKERS": "1",
        "STRONGROOM_CALLERS_FILE": str(folder / "callers.toml"), "STRONGROOM_CLIENT_CERTIFICATES": "true",
    }  # fmt: skip
    with socket.socket(socket.AF_UNIX) as left:  # as a service that was killed leaves it
        left.bind(settings["STRONGROOM_SOCKET"])
    authority, clients = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with running(folder, f"sqlite:///{folder}/vault.db", "--no-worker", **settings) as service:
        with fronting(folder / "http.sock", authority, clients) as port:
            yield Behind(service, folder, port, clients, service.environment)
        assert service.stop() == 0
    assert not (folder / "http.sock").exists()


def test_it_says_where_it_is(behind: Behind) -> None:
    until(lambda: f"strongroom serves at unix:{behind.folder}/http.sock\n" in behind.service.log.read_text())


def test_the_socket_is_for_its_owner_and_group(behind: Behind) -> None:
    mode = (behind.folder / "http.sock").stat().st_mode
    assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o660)


def test_the_client_works_through_the_proxy(behind: Behind) -> None:
    with Client(behind.url, behind.service.keys["live"], ca=behind.folder / "ca.pem") as client:
        sealed = client.tokenize("phone", "13800138000")
        assert client.reveal(sealed, purpose="service") == "+86138****8000"
    assert records(behind.folder / "vault.db")[-1].origin == "127.0.0.1"


def test_a_certificate_that_the_proxy_verified_names_the_caller(behind: Behind) -> None:
    status, body = behind.ask(behind.clients.issue_cert("settlement.shop.example"))
    assert (status, body["code"]) == (403, "forbidden")  # known, and no policy gives it anything
    last = records(behind.folder / "vault.db")[-1]
    assert (last.actor, last.result) == ("cert:dns:settlement.shop.example", "forbidden")
    assert behind.ask(behind.clients.issue_cert("other.shop.example"))[0] == 401
    assert behind.ask()[0] == 401


def test_a_certificate_of_somebody_elses_authority_does_not_reach_the_service(behind: Behind) -> None:
    before = behind.service.log.read_bytes().count(b"\n")
    with pytest.raises((OSError, urllib.error.URLError)):
        behind.ask(trustme.CA().issue_cert("settlement.shop.example"))
    assert behind.service.log.read_bytes().count(b"\n") == before


def test_a_token_names_the_caller(behind: Behind) -> None:
    now = time.time()
    text = token("ES256", {}, iat=now - 1, exp=now + 60)
    assert behind.ask(Authorization=f"Bearer {text}")[0] == 403
    assert records(behind.folder / "vault.db")[-1].actor == f"oidc:{ISSUER[8:]}#ada"


def test_what_a_client_writes_itself_is_not_believed(behind: Behind) -> None:
    shown = unsigned(behind)
    for name in ("Client-Cert", "client-cert", "CLIENT-CERT", "Client_Cert", "client_cert"):
        assert behind.ask(**{name: shown})[0] == 401
    key = {"Authorization": f"Bearer {behind.service.keys['live']}"}
    assert behind.ask(**key, X_Forwarded_For="198.51.100.7", Forwarded="for=198.51.100.7")[0] == 200


def test_over_tcp_no_header_makes_a_caller(behind: Behind, tmp_path: Path) -> None:
    """The same settings, and the server started beside `serve` at a port: a peer with an address is no proxy."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        Path(sys.executable).with_name("granian"),
        "--interface",
        "wsgi",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    process = subprocess.Popen(
        [*command, "--blocking-threads", "40", "api.wsgi:app"], env=behind.environment, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: over_tcp(port) == 401)
        for name in ("Client-Cert", "Client_Cert"):
            assert over_tcp(port, **{name: unsigned(behind)}) == 401
        assert over_tcp(port, Authorization=f"Bearer {behind.service.keys['live']}", Client_Cert="x") == 200
    finally:
        process.terminate()
        process.wait(30)


def over_tcp(port: int, **headers: str) -> int | None:
    """Return the status of a request; None if nobody answers."""
    head = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(
                f"GET /v1/fields HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n".encode()
            )
            return int(connection.recv(4_096).split(b" ")[1])
    except (OSError, IndexError):
        return None


def unsigned(behind: Behind) -> str:
    """Return a certificate as a header that the client never proved to hold."""
    pem = behind.clients.issue_cert("settlement.shop.example").cert_chain_pems[0].bytes()
    return f":{base64.b64encode(ssl.PEM_cert_to_DER_cert(pem.decode())).decode()}:"


def test_doctor_looks_at_socket_and_callers(behind: Behind) -> None:
    done = subprocess.run(
        [*COMMAND, "doctor", "--json"], env=behind.environment, capture_output=True, check=False
    )
    found = {check["name"]: (check["state"], check["text"]) for check in json.loads(done.stdout)["checks"]}
    folder = behind.folder
    assert found["port"] == ("ok", f"the service at unix:{folder}/http.sock is ready")
    assert found["callers"] == ("ok", f"{folder}/callers.toml: 1 issuers, 1 entries of certificates")
    assert found["issuer"] == ("ok", f"{ISSUER}, audience {AUDIENCE}: 1 keys for ES256")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "http.sock: somebody listens there"),
        ({"STRONGROOM_CALLERS_FILE": "{folder}/jwks.json"}, "STRONGROOM_CALLERS_FILE, line 1: "),
    ],
)
def test_it_does_not_start(behind: Behind, settings: dict[str, str], said: str) -> None:
    own = {name: text.format(folder=behind.folder) for name, text in settings.items()}
    done = subprocess.run(
        [*COMMAND, "serve"], env=behind.environment | own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing/http.sock", "its folder is missing"), ("file", "something else is there"), ("", "something else"),
        ("x" * 107, "a socket's path has at most 107 bytes"), ("file/http.sock", "Not a directory"),
    ],
)  # fmt: skip
def test_paths_where_no_socket_can_be(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match=said), unixsocket.held(tmp_path / name):
        pass
    assert (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"CLIENT_CERTIFICATES": "true"}, "STRONGROOM_CLIENT_CERTIFICATES: needs STRONGROOM_SOCKET"),
        ({"SOCKET": "x" * 108}, "STRONGROOM_SOCKET: a socket's path has at most 107 bytes"),
        (
            {"CALLERS_FILE": "/nowhere/callers.toml"},
            "STRONGROOM_CALLERS_FILE: the file cannot be read: No such file",
        ),
        ({"ORIGIN_HEADER": "x-real-ip"}, "STRONGROOM_ORIGIN_HEADER"),
    ],
)
def test_settings_that_do_not_go_together(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str
) -> None:
    for name, text in settings.items():
        monkeypatch.setenv(f"STRONGROOM_{name}", text)
    with pytest.raises(SettingsError, match=said):
        config.load()


def test_a_socket_has_no_tls(tmp_path: Path) -> None:
    pair = {"tls_certificate": tmp_path / "c.pem", "tls_key": tmp_path / "k.pem"}
    settings = Settings(socket=tmp_path / "s.sock", **pair)
    with pytest.raises(Failure, match="a Unix socket is served without TLS"):
        surroundings.check_address(settings)


def test_a_stranger_at_the_socket_is_no_strongroom(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(os.fspath(path))
        assert not unixsocket.listens(path)
        stranger.listen()
        assert unixsocket.listens(path)
    assert unixsocket.status(path, "/livez") is None
