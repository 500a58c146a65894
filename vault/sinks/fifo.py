"""A named pipe: lines for a program on this machine, which has taken them when it has read them."""

from __future__ import annotations

import errno
import os
import select
import stat
import struct
import time
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path
from termios import FIONREAD

from vault.sinks import lines, space
from vault.sinks.deadline import Deadline
from vault.sinks.protocol import Batch, SinkFailed

LOOK = 0.005  # seconds between two looks at whether the reader has taken everything


class FifoSink:
    """Lines through the named pipe at `path`; it can't say what its reader keeps."""

    holds_records = True

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        self._path, self._monotonic = path, monotonic
        self._pipe: int | None = None
        self._torn = False

    @property
    def name(self) -> str:
        """`file:` and the path."""
        return f"file:{self._path}"

    def deliver(self, batch: Batch) -> str:
        """Write the lines and wait until the reader has taken them."""
        text = [lines.of_record(batch.origin, one) for one in batch.entries]
        if batch.note:
            text.append(lines.of_checkpoint(batch))
        self._send(b"".join(text))
        return ""

    def probe(self) -> None:
        """Raise SinkFailed unless somebody has the pipe open for reading and has taken what was written."""
        self._send(b"")

    def restart_from(self, origin: str) -> int | None:
        """Return None: what was read is somewhere else."""
        return None

    def close(self) -> None:
        """Close the pipe."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            os.close(pipe)

    def _send(self, data: bytes) -> None:
        deadline = Deadline(self._monotonic, code="sink_stalled")
        try:
            pipe = self._open()
            if data:
                self._write(pipe, data, deadline)
            while _unread(pipe):
                self._require_reader(pipe)
                time.sleep(min(LOOK, deadline.left()))
            self._require_reader(pipe)
        except OSError as error:
            self.close()
            raise space.failed(error) from None

    def _open(self) -> int:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            self.close()
            raise SinkFailed("sink_removed", "the pipe is not there") from None
        if not stat.S_ISFIFO(found.st_mode):
            self.close()
            raise SinkFailed("sink_replaced", "there is something else in the pipe's place")
        if self._pipe is not None and not os.path.samestat(found, os.fstat(self._pipe)):
            self.close()
            raise SinkFailed("sink_replaced", "there is another pipe in its place")
        if self._pipe is None:
            self._pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        return self._pipe

    def _write(self, pipe: int, data: bytes, deadline: Deadline) -> None:
        """Write all; a line that was cut off before is ended first, so that no reader takes it for a part of ours."""
        rest = memoryview(b"\n" * self._torn + data)
        poll = select.poll()
        poll.register(pipe, select.POLLOUT)
        try:
            while rest:
                poll.poll(deadline.left() * 1_000)
                try:
                    rest = rest[os.write(pipe, rest) :]
                except BlockingIOError:
                    deadline.left()
        finally:
            self._torn = bool(rest)

    def _require_reader(self, pipe: int) -> None:
        poll = select.poll()
        poll.register(pipe, 0)
        if any(
            event & select.POLLERR for _, event in poll.poll(0)
        ):  # no reader has it open, pipe(7) and poll(2)
            self.close()
            raise OSError(errno.EPIPE, "")


def _unread(pipe: int) -> int:
    """Return how many bytes the reader has not taken."""
    (count,) = struct.unpack("i", ioctl(pipe, FIONREAD, b"\0\0\0\0"))
    return int(count)
