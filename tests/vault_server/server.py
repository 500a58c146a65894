"""One Vault server in a folder of its own: started, stopped, sealed, frozen, and read by its audit log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from ssl import create_default_context
from types import TracebackType
from typing import Any, Self

import hvac
import trustme

from tests.service import free_port
from tests.vault_server.binary import vault_command

START_SECONDS = 30.0


class VaultServer:
    """A Vault on 127.0.0.1 with TLS and file storage, initialized with one share, unsealed, with an audit log.

    Args:
        folder: of its own; holds the data, certificates, log and audit log, and the share and root token, as no real
            one should. A folder that was used before goes on where it was.
        port: a free one if not given.
    """

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder, self.port = folder, port or free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.ca = folder / "ca.pem"
        self.root_token, self._share = "", ""
        self._process: subprocess.Popen[bytes] | None = None
        self._admin: hvac.Client | None = None
        self._command = vault_command()

    def __enter__(self) -> Self:
        self._write_files()
        self._launch()
        if not self._operator.exists():
            self._initialize()
            return self
        made = json.loads(self._operator.read_bytes())
        self.root_token, self._share = made["root_token"], made["share"]
        self.unseal()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process is not None:
            self.kill()
        if self._admin is not None:
            self._admin.adapter.close()

    @property
    def _operator(self) -> Path:
        return self.folder / "operator.json"

    @property
    def admin(self) -> hvac.Client:
        """An hvac client with the root token."""
        if self._admin is None:
            self._admin = hvac.Client(self.url, token=self.root_token, verify=str(self.ca))
        return self._admin

    def start(self) -> None:
        """Start the server again and unseal it."""
        self._launch()
        self.unseal()

    def stop(self) -> None:
        """End the server as systemd would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once, frozen or not."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process where it stands: connections are taken by the kernel and never answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._signal(signal.SIGCONT)

    def seal(self) -> None:
        """Seal it."""
        self.admin.sys.seal()

    def unseal(self) -> None:
        """Unseal it and wait until it is active."""
        self.admin.sys.submit_unseal_key(self._share)
        self._wait(200)

    def wait(self) -> int:
        """Return the exit code once the server has ended by itself."""
        assert self._process is not None
        return self._process.wait()

    def audit(self) -> list[dict[str, Any]]:
        """Return the entries of the audit log: requests and responses."""
        return [json.loads(line) for line in self.audit_text().splitlines()]

    def audit_text(self) -> str:
        """Return the audit log as it is."""
        return (self.folder / "audit.log").read_text("utf-8")

    def _initialize(self) -> None:
        client = self.admin
        made = client.sys.initialize(1, 1)
        self.root_token, (self._share,) = made["root_token"], made["keys_base64"]
        with os.fdopen(os.open(self._operator, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"root_token": self.root_token, "share": self._share}, file)
        client.token = self.root_token
        self.unseal()
        options = {"file_path": str(self.folder / "audit.log"), "log_raw": "false", "mode": "0600"}
        client.sys.enable_audit_device("file", options=options)
        client.sys.enable_auth_method("approle")

    def _write_files(self) -> None:
        if not self.ca.exists():
            authority = trustme.CA()
            certificate = authority.issue_cert("127.0.0.1", "localhost")
            certificate.private_key_pem.write_to_path(str(self.folder / "key.pem"))
            for blob in certificate.cert_chain_pems:
                blob.write_to_path(str(self.folder / "cert.pem"), append=True)
            authority.cert_pem.write_to_path(str(self.ca))
        settings = {
            "storage": {"file": {"path": str(self.folder / "data")}},
            "listener": {"tcp": {
                "address": f"127.0.0.1:{self.port}", "cluster_address": f"127.0.0.1:{free_port()}",
                "tls_cert_file": str(self.folder / "cert.pem"), "tls_key_file": str(self.folder / "key.pem"),
            }},
            "api_addr": self.url, "disable_mlock": True, "log_level": "warn",
        }  # fmt: skip
        (self.folder / "vault.json").write_text(json.dumps(settings))

    def _launch(self) -> None:
        quiet = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
        with (self.folder / "vault.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._command, "server", f"-config={self.folder / 'vault.json'}"],
                env=quiet, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._wait(501, 503, 200)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        assert self._process is not None
        self._process.wait(30)
        self._process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _wait(self, *statuses: int) -> None:
        end = time.monotonic() + START_SECONDS
        while self._health() not in statuses:
            if time.monotonic() > end or (self._process is not None and self._process.poll() is not None):
                raise RuntimeError(f"Vault is not ready: {(self.folder / 'vault.log').read_text()[-2000:]}")
            time.sleep(0.02)

    def _health(self) -> int:
        context = create_default_context(cafile=str(self.ca))
        try:
            with urllib.request.urlopen(f"{self.url}/v1/sys/health", timeout=2, context=context) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0
