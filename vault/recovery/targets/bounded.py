"""A target whose every call ends in time, whatever the disk, the name service or the peer below it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Protocol, TypeVar

from vault.recovery.targets.patience import Deadline, Patience
from vault.recovery.targets.protocol import File, TargetFailed

T = TypeVar("T")

GRACE = 0.5  # seconds that a server's own module has to end by itself, for it says better why
PATH = re.compile(r"[A-Za-z0-9-][A-Za-z0-9.-]*(/[A-Za-z0-9-][A-Za-z0-9.-]*)*")


class Server(Protocol):
    """What each kind of target does; its methods say what those of `protocol.Target` do, and keep to a deadline."""

    @property
    def name(self) -> str:
        """Return its name."""

    def put(self, path: str, data: bytes, deadline: Deadline) -> None:
        """Put a file there."""

    def get(self, path: str, deadline: Deadline) -> bytes:
        """Return a file's bytes; their time is allowed once the server has said how many there are."""

    def files(self, prefix: str, deadline: Deadline) -> list[File]:
        """Return the files below `prefix`, or with "" all, in any order, with whatever else lies there."""

    def delete(self, path: str, deadline: Deadline) -> None:
        """Remove a file."""

    def probe(self, deadline: Deadline) -> None:
        """Return if it would take a file now."""

    def weaknesses(self) -> list[str]:
        """Return what the server, once it was asked, was found not to do, in words for an operator."""

    def cut(self) -> None:
        """End whatever a call waits for, from another thread."""

    def close(self) -> None:
        """Let go of connections."""


class Bounded:
    """A Target: lets a server's module work in a thread beside, and waits no longer than the call's deadline.

    A call that is still stuck keeps the next ones out, so that the module is never used by two at once.
    """

    def __init__(self, server: Server, monotonic: Callable[[], float], patience: Patience) -> None:
        self._server, self._monotonic, self._patience = server, monotonic, patience
        self._busy: Event | None = None
        self._proved = False  # the last call was answered

    @property
    def name(self) -> str:
        """The server's own."""
        return self._server.name

    def put(self, path: str, data: bytes) -> None:
        """Put, within 10 s and what the bytes may take."""
        deadline = self._deadline(len(data))
        self._run(lambda: self._server.put(_checked(path), data, deadline), deadline)

    def get(self, path: str) -> bytes:
        """Get, within 10 s and what the bytes may take that the server says it has."""
        deadline = self._deadline()
        return self._run(lambda: self._server.get(_checked(path), deadline), deadline)

    def files(self, prefix: str) -> Iterator[File]:
        """Give the files below `prefix`, or with "" all, sorted; other things that lie there are not named."""
        if prefix:
            _checked(prefix.removesuffix("/"))
        deadline = self._deadline()
        found = self._run(lambda: self._server.files(prefix, deadline), deadline)
        return iter(
            sorted((one for one in found if PATH.fullmatch(one.path)), key=lambda file: file.path.encode())
        )

    def delete(self, path: str) -> None:
        """Delete, within 10 s."""
        deadline = self._deadline()
        self._run(lambda: self._server.delete(_checked(path), deadline), deadline)

    def probe(self) -> None:
        """Probe, within 10 s."""
        deadline = self._deadline()
        self._run(lambda: self._server.probe(deadline), deadline)

    def weaknesses(self) -> list[str]:
        """Return what a probe, or any call, has found that the server does not do, in words for an operator."""
        return self._server.weaknesses()

    def close(self) -> None:
        """Let go of connections; what is stuck ends if it can."""
        if self._stuck():
            self._server.cut()
        else:
            self._server.close()

    def _deadline(self, size: int = 0) -> Deadline:
        deadline = Deadline(self._monotonic, self._patience)
        deadline.allow(size)
        return deadline

    def _stuck(self) -> bool:
        return self._busy is not None and not self._busy.is_set()

    def _run(self, call: Callable[[], T], deadline: Deadline) -> T:
        if self._stuck():
            raise TargetFailed("target_slow", "an earlier call has not ended yet")
        done, results, errors = Event(), list[T](), list[BaseException]()

        def work() -> None:
            try:
                results.append(self._twice(call))
            except BaseException as error:  # noqa: BLE001 - raised again by who waits
                errors.append(error)
            finally:
                done.set()

        self._busy = done
        Thread(target=work, name="target", daemon=True).start()
        self._wait(done, deadline)
        if errors:
            raise errors[0]
        return results[0]

    def _twice(self, call: Callable[[], T]) -> T:
        """Call once more where a line that was good has ended: servers hang up on who was idle. All calls repeat."""
        proved, self._proved = self._proved, False
        try:
            result = self._once(call)
        except TargetFailed as failure:
            if not proved or failure.problem != "target_unreachable":
                raise
            result = self._once(call)
        self._proved = True
        return result

    def _once(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except TargetFailed as failure:
            if failure.problem == "target_unreachable":
                self._server.close()  # so that the next call takes another line
            raise

    def _wait(self, done: Event, deadline: Deadline) -> None:
        """Wait for the end of the call; cut it off at its deadline, which may move while bytes arrive."""
        with suppress(TargetFailed):
            while not done.wait(deadline.left()):
                pass
        if done.wait(GRACE):
            return
        self._server.cut()
        raise TargetFailed("target_slow", "it did not end in time")


def _checked(path: str) -> str:
    """Return a path that cannot leave the target's root; ValueError: none of `layout` could."""
    if not PATH.fullmatch(path):
        raise ValueError("a path is made of letters, digits, - and ., no part beginning with a dot")
    return path
