"""A real S3 service over a folder, for tests: the versitygw on PATH, or one built once for this user."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import http.client
import os
import secrets
import shutil
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.service import free_port
from tests.waiting import until

VERSION = "1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@v{VERSION}"
GET_GO = "install Go 1.21 or newer (it fetches the toolchain that versitygw needs), or a versitygw command"
REGION = "us-east-1"


class NoGateway(Exception):
    """There is no `versitygw`, and it cannot be built here; says how to get it."""


@dataclass(slots=True)
class Gateway:
    """A gateway whose buckets are the folders in `folder`; it may be stopped and started again.

    Attributes:
        options: of its store of files, such as `--versioning-dir`.
        within: what to run it in: `ip netns exec NAME`.
        settings: more environment variables, such as VGW_CERT.
    """

    command: Path
    folder: Path
    options: tuple[str | Path, ...] = ()
    address: str = "127.0.0.1"
    within: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    access: str = field(default_factory=lambda: secrets.token_hex(8))
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{self.address}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        environment = {
            **os.environ,
            "ROOT_ACCESS_KEY": self.access,
            "ROOT_SECRET_KEY": self.secret,
            **self.settings,
        }
        listening = ("--region", REGION, "--port", f"{self.address}:{self.port}", "--quiet")
        self.process = subprocess.Popen(
            [*self.within, self.command, *listening, "posix", *self.options, self.folder],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(self._listens)

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def make_locked(self, bucket: str, days: int = 1) -> None:
        """Make a bucket under object lock: what is put there stays for so many days."""
        rule = (
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
            f"<Mode>COMPLIANCE</Mode><Days>{days}</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
        ).encode()
        self._ask("PUT", f"/{bucket}", {"x-amz-bucket-object-lock-enabled": "true"})
        digest = b64encode(hashlib.md5(rule, usedforsecurity=False).digest()).decode()
        self._ask("PUT", f"/{bucket}?object-lock=", {"content-md5": digest}, rule)

    def _ask(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> None:
        """Send a request under Signature Version 4 (S3 API reference, Authorization header)."""
        path, _, query = target.partition("?")
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        payload = hashlib.sha256(body).hexdigest()
        said = {
            "host": f"{self.address}:{self.port}",
            "x-amz-content-sha256": payload,
            "x-amz-date": now,
            **headers,
        }
        names, scope = ";".join(sorted(said)), f"{now[:8]}/{REGION}/s3/aws4_request"
        lines = "".join(f"{name}:{said[name]}\n" for name in sorted(said))
        canonical = hashlib.sha256(
            "\n".join((method, path, query, lines, names, payload)).encode()
        ).hexdigest()
        key = f"AWS4{self.secret}".encode()
        for part in (*scope.split("/"), "\n".join(("AWS4-HMAC-SHA256", now, scope, canonical))):
            key = hmac.digest(key, part.encode(), "sha256")
        credential = f"Credential={self.access}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
        said["authorization"] = f"AWS4-HMAC-SHA256 {credential}"
        connection = http.client.HTTPConnection(self.address, self.port)
        connection.request(method, target, body, said)
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        assert reply.status == 200, text

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "versitygw ended"
        with socket.socket() as probe:
            return probe.connect_ex((self.address, self.port)) == 0


@contextmanager
def gateway(folder: Path, *options: str | Path) -> Iterator[Gateway]:
    """Give a gateway that runs; NoGateway if there is none."""
    made = Gateway(gateway_command(), folder, options)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def gateway_command() -> Path:
    """Return the command; build it if need be, which takes minutes the first time."""
    found = shutil.which("versitygw")
    if found is not None:
        return Path(found)
    built = Path(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "strongroom", f"versitygw-{VERSION}"
    )
    built /= "versitygw"
    if built.exists():
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    with (built.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others wait here for the one that builds
        if not built.exists():
            _build(built)
    return built


def _build(target: Path) -> None:
    """Build in a folder of its own and rename, so that nobody runs half a command."""
    if shutil.which("go") is None:
        raise NoGateway(GET_GO)
    print(f"building versitygw {VERSION}, minutes the first time", file=sys.stderr)  # noqa: T201
    draft, log = target.parent / secrets.token_hex(4), target.with_name("build.log")
    environment = {"GOTOOLCHAIN": "auto", **os.environ, "GOBIN": str(draft)}
    with log.open("wb") as output:
        done = subprocess.run(
            ["go", "install", "-ldflags", "-s -w", MODULE],
            env=environment,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise NoGateway(f"{GET_GO}; the build failed, {log} says why")
    (draft / "versitygw").rename(target)
    draft.rmdir()
