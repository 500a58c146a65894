"""`strongroom serve`: the service, its workers, and beside them the background worker and the hasher."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from api.cli.failure import Failure
from api.cli.screen import Screen

if TYPE_CHECKING:
    from granian.server import MPServer, MTServer

    from api.cli.background import Background
    from api.config import Settings

TARGET = "api.wsgi:app"
WORKER_PAUSE, HASHER_PAUSE = (
    1.0,
    0.1,
)  # seconds before one that died is started again; for hashes somebody waits
CONNECTIONS = 4_096  # a worker, at once: who waits for a hash on one of a thousand keeps nobody else out
GRACE = 5  # seconds more than a request may take, before a worker that does not end is killed
LOG = {"handlers": {
    name: {"class": "logging.StreamHandler", "formatter": "generic", "stream": "ext://sys.stderr"}
    for name in ("console", "access")
}}  # fmt: skip


@click.command(short_help="Serve the HTTP API.")
@click.option("--no-worker", is_flag=True, help="Leave the background work to `strongroom worker` elsewhere.")
@click.pass_obj
def serve(screen: Screen, no_worker: bool) -> None:
    """Serve the HTTP API until SIGTERM or Ctrl-C; requests under way are finished first.

    STRONGROOM_HOST and STRONGROOM_PORT say where, STRONGROOM_WORKERS and STRONGROOM_THREADS with how many,
    STRONGROOM_TLS_CERTIFICATE and STRONGROOM_TLS_KEY make it https; without, only loopback is served, or the Unix
    socket that STRONGROOM_SOCKET names.
    """
    from api.cli import surroundings
    from api.cli.forks import end_when_told
    from api.cli.handover import secret_id_handed_on
    from api.cli.hasherdir import hasher_folder
    from api.cli.metricsdir import metrics_folder
    from api.hearing import hear

    settings = surroundings.settings()
    surroundings.check_address(settings)
    surroundings.allow_files()
    with_hasher = settings.hasher_socket is None
    with (
        _place(settings) as port,
        metrics_folder(settings.metrics_dir),
        hasher_folder(settings.hasher_socket),
        secret_id_handed_on(settings) as (settings, inherits),
    ):
        _check_outside(settings)
        _check_vault(screen, settings)
        _load_application()
        server = _server(settings, port)
        for child in _beside(screen, no_worker, with_hasher, inherits):
            server.on_startup(child.start)
            server.on_shutdown(child.stop)
        end_when_told()
        hear()
        server.on_startup(lambda: _announce(screen, settings, server))
        server.serve()


@contextmanager
def _place(settings: Settings) -> Iterator[int]:
    """Keep the place that the settings name for the serving processes, and give its port; 0 of a Unix socket."""
    from api.cli import port, unixsocket

    if settings.socket is None:
        with port.held(settings.host, settings.port) as number:
            yield number
    else:
        with unixsocket.held(settings.socket):
            yield 0


def _beside(
    screen: Screen, no_worker: bool, with_hasher: bool, inherits: tuple[int, ...]
) -> Iterator[Background]:
    """Give what runs beside the workers, in the order in which it ends."""
    from api.cli.background import Background, ours

    if not no_worker:
        yield Background(screen, "background worker", ours("worker"), pause=WORKER_PAUSE, inherits=inherits)
    if with_hasher:
        yield Background(screen, "hasher", ours("hasher"), pause=HASHER_PAUSE)


def _announce(screen: Screen, settings: Settings, server: MPServer | MTServer) -> None:
    """Say where the service is, once the first worker listens: a worker does when it has loaded the application.

    Nothing is looked up before the last worker is forked: a lock that this thread held then, such as that of a
    module being imported, would stay locked in the worker for ever.
    """
    from api.cli import unixsocket
    from api.cli.port import listens
    from api.cli.surroundings import url

    def serves() -> bool:
        if settings.socket is None:
            return listens(settings.host, server.bind_port)
        return (
            unixsocket.status(settings.socket, "/livez") == 200
        )  # the server binds it before any worker listens

    def wait() -> None:
        while len(server.wrks) < settings.workers:
            time.sleep(0.05)
        while not serves():
            time.sleep(0.05)
        screen.say(f"strongroom serves at {url(settings, server.bind_port)}")

    threading.Thread(target=wait, name="announce", daemon=True).start()


def _load_application() -> None:
    """Load what every worker needs, once: they are forked from this process, and share it."""
    from api import garbage, gate, logs, requestline, views  # noqa: F401

    garbage.spare()


def _server(settings: Settings, port: int) -> MPServer | MTServer:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, SSLProtocols
    from granian.log import LogLevels

    from api.cli.unixsocket import MODE

    return Granian(
        TARGET,
        address=settings.host,
        port=port,
        uds=settings.socket,
        uds_permissions=MODE,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.workers,
        blocking_threads=settings.threads + settings.hashing_waiting,  # api.gate says who may take which
        backpressure=CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=int(settings.request_seconds) + GRACE,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
        log_level=LogLevels.error,
        log_dictconfig=LOG,
    )


def _check_outside(settings: Settings) -> None:
    """Raise SettingsError for sinks and hooks that cannot be meant, which the worker would say again and again."""
    from api.outside import open_hooks, open_sinks

    open_sinks(settings)
    open_hooks(settings)


def _check_vault(screen: Screen, settings: Settings) -> None:
    """Open the vault once before any worker does, so that what is wrong is said once and by name."""
    from api.wiring import open_directory, open_vault
    from keys.errors import RootUnavailable

    vault = open_vault(settings)
    try:
        open_directory(settings, vault)
        states = vault.ready()
    finally:
        vault.close()
    if states["keys"] == RootUnavailable.code:  # when it is back, all is well without a restart
        screen.note("Vault does not answer now: what needs keys is refused until it does")
        states["keys"] = "ok"
    states["audit"] = "ok"  # it is the worker that tells, once it runs
    wrong = {part: state for part, state in states.items() if state != "ok"}
    if "database" in wrong:
        raise Failure("the database cannot be used", "`strongroom doctor` says why")
    if "schema" in wrong:
        raise Failure("the database is at another schema", "run `strongroom db upgrade`")
    if wrong:
        raise Failure(f"not ready: {', '.join(f'{part} ({state})' for part, state in wrong.items())}")
