"""Issuers of tokens for tests: real keys, tokens good and bad, and a server that publishes keys over https."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

ISSUER, AUDIENCE = "https://login.example.com/realms/shop", "strongroom"
NOW = 1_800_000_000
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": NOW - 10, "exp": NOW + 600}

EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"})
KEYS: Mapping[str, Key] = {"ES256": EC, "RS256": RSA, "PS256": RSA, "EdDSA": ED}

_registry = jws.JWSRegistry(algorithms=list(jws.JWSRegistry.algorithms), strict_check_header=False)


def key_set(*keys: Key) -> bytes:
    """Return the public halves as a JWK Set."""
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(header: object, payload: bytes, key: Key, algorithm: str) -> str:
    """Return a token that `key` signed, whatever its header and payload say."""
    first = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{base64url(first)}.{base64url(payload)}"
    signature = jws.JWSRegistry.algorithms[algorithm].sign(signed.encode(), key)
    return f"{signed}.{base64url(signature)}"


def token(algorithm: str = "ES256", header: Mapping[str, object] | None = None, /, **claims: object) -> str:
    """Return a signed token; a claim or part of the header that is None is left out."""
    key = KEYS[algorithm]
    parts = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **(header or {})}
    said = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    kept = {name: value for name, value in parts.items() if value is not None}
    return raw(kept, json.dumps(said).encode(), key, algorithm)


@dataclass
class Publisher:
    """A server that publishes what it is told to, and counts who asks."""

    authority: trustme.CA
    port: int = 0
    pages: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@contextmanager
def publishing(folder: Path) -> Iterator[Publisher]:
    """Give a server with a certificate of an authority of its own, which is in `ca.pem` of the folder."""
    publisher = Publisher(trustme.CA())
    publisher.may_answer.set()
    publisher.authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked.append(self.path)
            publisher.may_answer.wait(30)
            status, body = publisher.pages.get(self.path, (404, b""))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that went away
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    publisher.authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    publisher.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield publisher
    finally:
        publisher.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()
