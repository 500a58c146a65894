"""A witness for other machines' logs (C2SP tlog-witness) over HTTP: its memory in a folder, its key in a file."""

from __future__ import annotations

import hashlib
import os
import secrets
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

from api.errors import SettingsError
from vault.audit import checkpoints, notes, witness
from vault.audit.faults import AuditFault, WitnessRefused
from vault.audit.notes import Cosigner, Verifier
from vault.audit.witness import State

SECONDS = 10.0  # that a connection may be silent
SEED_BYTES = 32  # RFC 8032, section 5.1.5
PATH = "/add-checkpoint"

Logs = Mapping[str, Sequence[Verifier]]


class Memory:
    """The last checkpoint of each log, in a file each: written anew, synced and renamed before anybody hears of it."""

    def __init__(self, folder: Path) -> None:
        """Make the folder, for its owner alone, if it is not there."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep everybody else from the folder, other processes too: two of them would cosign two histories."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            flock(folder, LOCK_EX)
            yield
        finally:
            os.close(folder)

    def recall(self, origin: str) -> State:
        """Return what is known of a log; SettingsError if its file is damaged."""
        try:
            note = self._file(origin).read_text("utf-8")
        except FileNotFoundError:
            return State()
        except (OSError, UnicodeDecodeError):
            raise SettingsError("a log's state cannot be read") from None
        try:
            found = checkpoints.read(notes.parse(note).text)
        except AuditFault:
            raise SettingsError("a log's state is damaged") from None
        if found.origin != origin:
            raise SettingsError("a log's state is that of another")
        return State(found.size, found.root, note)

    def keep(self, origin: str, state: State) -> None:
        """Make a log's new state durable."""
        file = self._file(origin)
        _write(file.with_suffix(".new"), state.note.encode())
        file.with_suffix(".new").rename(file)
        _sync(self._folder)

    def _file(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.note"


class Witness:
    """Answers requests, one at a time."""

    def __init__(self, memory: Memory, logs: Logs, cosigner: Cosigner, clock: Callable[[], float]) -> None:
        self._memory, self._logs, self._cosigner, self._clock = memory, logs, cosigner, clock
        self._lock = Lock()

    def answer(self, body: bytes) -> tuple[int, str, str]:
        """Return status, body and media type of the reply to a request."""
        with self._lock, self._memory.alone():
            states = {origin: self._memory.recall(origin) for origin in self._asked(body)}
            try:
                origin, state, line = witness.answer(
                    body, self._logs, states, self._cosigner, int(self._clock())
                )
            except WitnessRefused as refused:
                return refused.status, refused.body or f"{refused}\n", refused.media_type
            if state.size != states[origin].size or not states[origin].note:
                self._memory.keep(origin, state)
            return HTTPStatus.OK, line, "text/plain; charset=utf-8"

    def _asked(self, body: bytes) -> list[str]:
        """Return the name of the log that a request is of, if it is known here."""
        try:
            origin = checkpoints.read(witness.read_request(body).note.text).origin
        except AuditFault:
            return []
        return [origin] if origin in self._logs else []


def load_key(path: Path, name: str) -> Cosigner:
    """Return the witness's key of a name; make its file, mode 0600, if it is not there; SettingsError if it is none."""
    try:
        if not path.exists():
            _make_key(path)
    except OSError as error:
        raise SettingsError(f"the key file cannot be made ({error.strerror})") from None
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError("other users can read the key file: chmod 600")
        seed = b64decode(path.read_bytes().strip(), validate=True)
        if len(seed) != SEED_BYTES:
            raise SettingsError("the key file does not hold a key")
        return Cosigner(name, seed)
    except (OSError, ValueError, AuditFault):
        raise SettingsError("the key file does not hold a key, or the name is none for a key") from None


def trusted(text: str) -> dict[str, list[Verifier]]:
    """Return the keys of each log, from a verifier key a line; empty lines and those behind # are passed over."""
    logs: dict[str, list[Verifier]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                key = Verifier(line.strip())
            except AuditFault:
                raise SettingsError(f"line {number} of the logs' keys is no verifier key") from None
            logs.setdefault(key.name, []).append(key)
    return logs


def listen(asked: Witness, host: str, port: int, tls: ssl.SSLContext | None) -> ThreadingHTTPServer:
    """Return a server that listens; `serve_forever` answers."""

    class Handler(_Handler):
        witness = asked

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    if tls is not None:  # the handshake waits for the connection's own thread
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


class _Handler(BaseHTTPRequestHandler):
    protocol_version, server_version, sys_version = "HTTP/1.1", "strongroom", ""
    timeout = SECONDS
    witness: Witness

    def do_POST(self) -> None:
        """Answer `add-checkpoint` below any prefix."""
        length = self.headers.get("Content-Length", "")
        if not self.path.endswith(PATH):
            return self._reply(HTTPStatus.NOT_FOUND, "there is nothing at this address\n", "text/plain")
        if not length.isdecimal() or int(length) > witness.MAX_REQUEST_BYTES:
            self.close_connection = True
            return self._reply(
                HTTPStatus.BAD_REQUEST, "the request has no length, or is too long\n", "text/plain"
            )
        try:
            return self._reply(*self.witness.answer(self.rfile.read(int(length))))
        except (OSError, SettingsError):  # what it could not keep, it does not sign
            self.close_connection = True
            return self._reply(HTTPStatus.INTERNAL_SERVER_ERROR, "the state cannot be kept\n", "text/plain")

    def _reply(self, status: int, text: str, media_type: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a request is from anybody, and what was cosigned is in the folder."""


def _make_key(path: Path) -> None:
    """Make a key file, whole or not at all, and never in the place of another."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    _write(draft, b64encode(secrets.token_bytes(SEED_BYTES)) + b"\n")
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    _sync(path.parent)


def _write(path: Path, data: bytes) -> None:
    """Write a durable file of its owner's alone."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(opened, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(opened)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
