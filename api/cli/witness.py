"""`strongroom witness`: keep and cosign the checkpoints of other machines' logs, on a machine of its own."""

from __future__ import annotations

import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.ending import Ending
from api.cli.failure import Failure
from api.cli.screen import Screen

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Cosign the checkpoints of other machines' logs.")
@click.option(
    "--name", required=True, help="The witness's name in its signatures, such as witness.example/w1."
)
@click.option(
    "--state", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder of what it saw."
)
@click.option(
    "--key",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Its key file; made if missing.",
)
@click.option("--logs", required=True, type=_FILE, help="File with the verifier keys to trust, one a line.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where it listens; another host needs TLS."
)
@click.option("--port", default=8710, show_default=True, type=click.IntRange(0, 65_535))
@click.option("--tls-certificate", type=_FILE, help="PEM file.")
@click.option("--tls-key", type=_FILE, help="PEM file.")
@click.pass_obj
def witness(
    screen: Screen,
    name: str,
    state: Path,
    key: Path,
    logs: Path,
    host: str,
    port: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
) -> None:
    """Cosign checkpoints until SIGTERM or Ctrl-C: only those of a log that has grown and kept all that it had.

    A service sends them to `witness+https://host:port?key=…`, the verifier key that this command prints first.
    Whoever holds only the service's machine and database can then not rewrite what was cosigned.
    """
    from api import witnessing
    from vault.sinks.posting import is_loopback

    tls = _tls(tls_certificate, tls_key)
    if tls is None and not is_loopback(host):
        raise Failure(f"listening at {host} without TLS is refused", "give --tls-certificate and --tls-key")
    cosigner = witnessing.load_key(key, name)
    trusted = witnessing.trusted(logs.read_text("utf-8"))
    answering = witnessing.Witness(witnessing.Memory(state), trusted, cosigner, time.time)
    try:
        server = witnessing.listen(answering, host, port, tls)
    except OSError as error:
        raise Failure(f"{host}:{port}: {error.strerror}", "choose another with --port") from None
    ending = Ending(None)
    screen.note(f"{cosigner.vkey}")
    screen.note(f"listening at {host}:{server.server_port}, {len(trusted)} logs")
    _serve(server, ending)


def _serve(server: ThreadingHTTPServer, ending: Ending) -> None:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    while not ending():
        ending.wait(1.0)
    server.shutdown()
    server.server_close()


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise Failure("TLS needs a certificate and a key", "give both --tls-certificate and --tls-key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError):
        raise Failure("certificate and key cannot be read, or do not fit together") from None
    return context
