"""An SFTP session (draft-ietf-secsh-filexfer-02) that moves whole files, with OpenSSH's extensions (its PROTOCOL)."""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paramiko
from paramiko.message import Message
from paramiko.sftp import CMD_DATA, CMD_EXTENDED, CMD_INIT, CMD_READ, CMD_VERSION, CMD_WRITE, SFTPError, int64

from vault.recovery.targets.patience import Deadline

VERSION = 3  # of the protocol: section 4 of the draft
PIECE = 32_768  # bytes of data that every server takes in one request (section 3)
WINDOW = 64  # requests that may be under way
FSYNC, STATVFS = "fsync@openssh.com", "statvfs@openssh.com"

# What comes of a connection that ends, and of packets that no server of the protocol sends.
GARBLED = (paramiko.SSHException, SFTPError, EOFError, struct.error, ValueError, LookupError)

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger(
    "paramiko"
).propagate = False  # what fails is told by its code, and peers write into its lines


@dataclass(frozen=True, slots=True)
class Room:
    """What a server says of its file system: bytes and files that still fit, and whether it can be written to."""

    size: int
    files: int
    read_only: bool


class Session(paramiko.SFTPClient):
    """The client's side; the server's extensions are learnt from its greeting."""

    extensions: frozenset[str] = frozenset()
    client: paramiko.SSHClient  # which closes the connection when nobody holds it any more

    if TYPE_CHECKING:  # what paramiko's classes call between them; its stubs leave it out

        def _request(self, kind: int, *words: object) -> tuple[int, Message]: ...

        def _async_request(self, of: object, kind: int, *words: object) -> int: ...

        def _send_packet(self, kind: int, packet: Message) -> None: ...

        def _read_packet(self) -> tuple[int, bytes]: ...

        def _read_response(self) -> object: ...

        def _convert_status(self, reply: Message) -> None: ...

    def fsync(self, file: paramiko.SFTPFile) -> bool:
        """Have an open file or folder written to the server's disk; return whether the server can be told to."""
        if FSYNC in self.extensions:
            self._request(CMD_EXTENDED, FSYNC, file.handle)
        return FSYNC in self.extensions

    def room(self, path: str) -> Room | None:
        """Return what the server says of the file system that `path` lies on; None if it does not tell."""
        if STATVFS not in self.extensions:
            return None
        _, reply = self._request(CMD_EXTENDED, STATVFS, path)
        _, size, _, _, free, _, _, files, _, flags = (reply.get_int64() for _ in range(10))
        return Room(size * free, files, bool(flags & 1))

    def write_all(self, file: paramiko.SFTPFile, data: bytes, deadline: Deadline) -> None:
        """Write `data` from the beginning of an open file, and hear that all of it was."""
        replies = _Replies(self)
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            replies.expect(
                self._async_request(replies, CMD_WRITE, file.handle, int64(start), piece), (start, 0)
            )
            replies.hear(WINDOW - 1, deadline)
        replies.hear(0, deadline)

    def read_all(self, file: paramiko.SFTPFile, size: int, deadline: Deadline) -> bytes:
        """Return the first `size` bytes of an open file, fewer if it ends before."""
        replies, data = _Replies(self), bytearray(size)

        def ask(start: int, length: int) -> None:
            replies.expect(
                self._async_request(replies, CMD_READ, file.handle, int64(start), length), (start, length)
            )

        for start in range(0, size, PIECE):
            ask(start, min(PIECE, size - start))
            replies.hear(WINDOW - 1, deadline)
        replies.hear(0, deadline)
        end = size
        for (start, length), piece in replies.pieces.items():
            data[start : start + len(piece)] = piece
            if (
                len(piece) < length
            ):  # of a file on a disk only the end gives less than was asked for (section 6.4)
                end = min(end, start + len(piece))
        return bytes(data[:end])

    def _send_version(self) -> int:
        """Greet, and keep the names of the server's extensions (section 4 of the draft)."""
        greeting = Message()
        greeting.add_int(VERSION)
        self._send_packet(CMD_INIT, greeting)
        kind, data = self._read_packet()
        if kind != CMD_VERSION:
            raise SFTPError("no SFTP server")
        reply, names = Message(data), set[str]()
        version = reply.get_int()
        while reply.get_remainder():
            names.add(reply.get_string().decode("ascii", "replace"))
            reply.get_string()
        self.extensions = frozenset(names)
        return version


class _Replies:
    """Collects the replies to requests that are under way together, in whatever order they come."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open: dict[int, tuple[int, int]] = {}
        self._over = False
        self.pieces: dict[tuple[int, int], bytes] = {}

    def expect(self, request: int, of: tuple[int, int]) -> None:
        """Remember a request, and the start and length in bytes of what it asked for."""
        self._open[request] = of

    def hear(self, under_way: int, deadline: Deadline) -> None:
        """Read replies until at most so many requests are under way; the first refusal is raised."""
        try:
            while len(self._open) > under_way:
                self._session.sock.settimeout(deadline.left())
                self._session._read_response()
        except BaseException:
            self._over = True
            raise

    def _async_response(self, kind: int, reply: Message, request: int) -> None:
        """Take one reply, as paramiko hands it on."""
        of = self._open.pop(request)
        if self._over:  # one was refused: what is said of the others would stop whoever reads it
            return
        if kind == CMD_DATA:
            self.pieces[of] = reply.get_string()
            return
        try:
            self._session._convert_status(reply)
        except EOFError:
            self.pieces[of] = b""
