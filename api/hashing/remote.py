"""A hasher in a process of its own, as its callers have it: the vault's `Hasher` over a Unix socket."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from api.hashing import messages, wire
from api.hashing.lines import Lines, connect
from api.hashing.wire import Broken
from vault.errors import HashingUnavailable
from vault.passwords.hasher import Judgement, Load
from vault.passwords.profiles import Profile
from vault.passwords.verifier import Verifier

A = TypeVar("A")
LOAD_SECONDS = 2.0  # that a hasher may take to say how busy it is


class RemoteHasher:
    """Safe to share between threads, and to fork; connects when it is first used."""

    def __init__(self, path: Path, wait: float, most: int) -> None:
        """Connect to nothing yet.

        Args:
            path: of the socket.
            wait: seconds that a request waits for its turn, here and there together.
            most: requests at once, and so connections.
        """
        self._path, self._wait = str(path), wait
        self._lines = Lines(self._path, most, self.load)
        self._heard: Load | None = None
        self._asked, self._asking = False, 0.0  # whether it ever was; until when somebody waits for it

    def hash(self, passwords: Sequence[bytes], profile: Profile, *, urgent: bool = True) -> list[str]:
        """See Hasher; InvalidRequest if the column is longer than 10,000, or a password than 1,024 bytes."""
        messages.check_column(passwords)
        return self._ask(messages.Hash(list(passwords), profile, urgent, self._wait), messages.Hashes).encoded

    def verify(self, passwords: Sequence[bytes], verifiers: Sequence[Verifier]) -> list[bool]:
        """See Hasher; raises as `hash` does."""
        messages.check_column(passwords)
        ask = messages.Verify(list(passwords), list(verifiers), self._wait)
        return self._ask(ask, messages.Verdicts).right

    def judge(self, passwords: Sequence[str]) -> list[Judgement]:
        """See Hasher; raises as `hash` does."""
        messages.check_column(passwords)
        return self._ask(messages.Judge(list(passwords), self._wait), messages.Judgements).found

    def load(self) -> Load:
        """See Hasher; asks on a connection of its own, and does not wait for a hasher that is starting.

        While another thread asks, what was heard before counts: probes of a hasher that was stopped would else take
        every thread that there is for LOAD_SECONDS.
        """
        if self._asked and time.monotonic() < self._asking:
            if self._heard is None:
                raise HashingUnavailable("the hasher does not answer")
            return self._heard
        self._asking = time.monotonic() + LOAD_SECONDS
        heard: Load | None = None
        try:
            heard = self._load()
            return heard
        finally:
            self._heard, self._asked, self._asking = heard, True, 0.0

    def _load(self) -> Load:
        with connect(self._path, 0) as connection:
            connection.settimeout(LOAD_SECONDS)
            try:
                connection.sendall(wire.packed(messages.HowBusy()))
                return _expected(wire.answered(connection), messages.Busy).load
            except (OSError, Broken):
                raise HashingUnavailable("the hasher does not answer") from None

    def close(self) -> None:
        """Close the connections; a request that comes later connects anew."""
        self._lines.close()

    def _ask(self, ask: messages.Timed, kind: type[A]) -> A:
        def message(left: float) -> bytes:
            return wire.packed(replace(ask, seconds=max(0.0, left)))

        try:
            return _expected(self._lines.exchange(message, self._wait), kind)
        except Broken:
            raise HashingUnavailable("the hasher answered something else") from None


def _expected(answer: messages.Answer, kind: type[A]) -> A:
    """Return an answer of that kind; raise what it refused with, or Broken."""
    if isinstance(answer, messages.Refused):
        raise messages.cause(answer)
    if not isinstance(answer, kind):
        raise Broken
    return answer
