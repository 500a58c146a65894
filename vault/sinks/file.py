"""A file of lines beside the database, which only grows: what happens to it from outside is noticed.

Every call opens the file anew, so that a permission that was lost or a disk that became read-only shows, and compares
it with what was left there: device, inode, size and time of the last change. A descriptor that only reads pins the
inode, so that its number cannot come back with another file.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vault.audit.readable import time_text
from vault.sinks import lines, parts, space
from vault.sinks.protocol import Batch, SinkFailed

AGAIN = 4 * 1024 * 1024  # bytes after which what is held is said again, so that a tail is enough to know it
_OPEN = os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(slots=True)
class _Part:
    """The file that grows now, as this process left it."""

    pin: int
    left: os.stat_result
    said: int = 0  # its size when what it holds was last said
    torn: bool = False  # it ends within a line, which could not be cut off


class FileSink:
    """Lines in `path`; with `rotate`, in finished parts `path.00000001`, … too, which nobody writes any more."""

    holds_records = True

    def __init__(self, path: Path, clock: Callable[[], float], rotate: int = 0) -> None:
        """Args: `rotate` is the size in bytes from which a part is finished; 0 for never."""
        self._path, self._clock, self._rotate = path, clock, rotate
        self._part: _Part | None = None
        self._lost = ""  # the code of what happened to the part before, once something has
        self._holds: lines.Holds = {}
        self._before: lines.Holds = {}  # what finished parts hold
        self._noted: dict[str, int] = {}  # by log: the size of the last checkpoint

    @property
    def name(self) -> str:
        """`file:` and the path."""
        return f"file:{self._path}"

    def deliver(self, batch: Batch) -> str:
        """Append what the file does not hold yet, and sync it."""
        with self._open() as file:
            from_here = self._holds.get(batch.origin, 0)
            text = [lines.of_record(batch.origin, one) for one in batch.entries if one.position >= from_here]
            if batch.note and self._noted.get(batch.origin, -1) < batch.size:
                text.append(lines.of_checkpoint(batch))
            self._append(file, text)
            if batch.entries:
                self._holds[batch.origin] = max(from_here, batch.entries[-1].position + 1)
            self._noted[batch.origin] = batch.size if batch.note else self._noted.get(batch.origin, -1)
            self._say_again(file)
        if self._rotate and self._part is not None and self._part.left.st_size >= self._rotate:
            self._finish(self._part)
        return ""

    def probe(self) -> None:
        """Look at the file and try to reserve room behind it."""
        with self._open() as file:
            space.require_room(file, os.fstat(file).st_size)

    def restart_from(self, origin: str) -> int | None:
        """Return the position behind the last record in the parts that are there."""
        return None if self._part is None else self._holds.get(origin, 0)

    def close(self) -> None:
        """Let go of the file."""
        part, self._part = self._part, None
        if part is not None:
            os.close(part.pin)

    @contextmanager
    def _open(self) -> Iterator[int]:
        """Give the file, to be appended to, if it is as it was left; start one where there is none yet."""
        try:
            if self._part is None:
                self._start()
            file = os.open(self._path, os.O_WRONLY | _OPEN)
        except OSError as error:
            raise self._missing(error) from None
        try:
            self._compare(os.fstat(file))
            yield file
        except OSError as error:
            raise space.failed(error) from None
        finally:
            if self._part is not None:
                self._part.left = os.fstat(self._part.pin)
            os.close(file)

    def _missing(self, error: OSError) -> SinkFailed:
        if error.errno != errno.ENOENT:
            return space.failed(error)
        if self._part is None:
            return SinkFailed("sink_no_folder", "its folder is not there")
        gone = os.fstat(self._part.pin).st_nlink == 0
        return self._lose("sink_removed" if gone else "sink_renamed")

    def _compare(self, found: os.stat_result) -> None:
        if self._part is None:
            raise SinkFailed("sink_broken", "there is no file")
        left = self._part.left
        if (found.st_dev, found.st_ino) != (left.st_dev, left.st_ino):
            raise self._lose("sink_replaced")
        if found.st_size < left.st_size:
            raise self._lose("sink_truncated")
        if (found.st_size, found.st_mtime_ns) != (left.st_size, left.st_mtime_ns):
            raise self._lose("sink_altered")

    def _lose(self, code: str) -> SinkFailed:
        """Give the part up: this round fails, and the next one starts another, which says why."""
        self.close()
        self._lost, self._noted = code, {}
        return SinkFailed(code, f"what happened to the file: {code.removeprefix('sink_')}")

    def _append(self, file: int, text: list[bytes]) -> None:
        part = self._part
        if part is None or not text:
            return
        size, data = os.fstat(file).st_size, memoryview(b"\n" * part.torn + b"".join(text))
        try:
            while data:
                data = data[os.write(file, data) :]
            os.fsync(file)
            part.torn = False
        except OSError:
            with suppress(
                OSError
            ):  # a file that may only grow keeps the torn line: the next begins behind it
                os.ftruncate(file, size)
            part.torn |= os.fstat(file).st_size != size
            raise

    def _say_again(self, file: int) -> None:
        part = self._part
        if part is not None and os.fstat(file).st_size - part.said > AGAIN:
            text = lines.of_event("continued", self._holds, at=self._now())
            self._append(file, [text])
            part.said = os.fstat(file).st_size + 8 * len(text)  # many logs: said less often

    def _start(self) -> None:
        """Go on with the file that a process before left; or, after a loss or where there is none, start one."""
        try:
            found = os.lstat(self._path)
        except FileNotFoundError:
            self._create()
            return
        if self._lost:
            self._path.rename(parts.next_name(self._path, self._lost.removeprefix("sink_")))
            self._create()
        elif stat.S_ISREG(found.st_mode):
            self._adopt()
        else:
            raise SinkFailed("sink_not_a_file", "there is something else in the file's place")

    def _create(self) -> None:
        why = self._lost or ("rotated" if parts.finished(self._path) else "new")
        self._before = parts.held_by_finished(self._path)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPEN, 0o600)
        try:
            self._write_opening(file, why)
        except OSError:
            self._path.unlink()  # it is the one that was just made: the next round makes another
            raise
        finally:
            os.close(file)
        parts.sync_folder(self._path.parent)
        self._take()
        self._lost, self._holds = "", dict(self._before)

    def _adopt(self) -> None:
        """Cut off a torn last line, and learn from the tail what is held; leave a file that is none of ours alone."""
        file = os.open(self._path, os.O_RDWR | _OPEN)
        try:
            if not lines.is_ours(os.pread(file, len(lines.START), 0)):
                raise SinkFailed("sink_not_a_file", "the file in its place is none that a sink has begun")
            whole, self._holds = parts.tail(file)
            if whole != os.fstat(file).st_size:
                os.ftruncate(file, whole)
                os.fsync(file)
            if whole == 0:
                self._before = parts.held_by_finished(self._path)
                self._holds = dict(self._before)
                self._write_opening(file, "new")
        finally:
            os.close(file)
        self._take()

    def _write_opening(self, file: int, why: str) -> None:
        text = lines.of_event("opened", self._before, why=why, at=self._now())
        if os.write(file, text) != len(text):
            raise OSError(errno.ENOSPC, "")
        os.fsync(file)

    def _take(self) -> None:
        pin = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        self._part = _Part(pin, os.fstat(pin))

    def _finish(self, part: _Part) -> None:
        """Give the part its number, for ever, and start the next."""
        name = parts.next_name(self._path)
        try:
            os.fchmod(part.pin, 0o400)
            self._path.rename(name)
            parts.sync_folder(self._path.parent)
            self.close()
            self._create()
        except OSError as error:
            raise space.failed(error) from None

    def _now(self) -> str:
        return time_text(int(self._clock() * 1_000_000))
