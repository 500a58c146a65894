"""The token that questions carry: got by a login, renewed by a thread, and replaced when Vault forgets it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from threading import Event, Lock, Thread

from keys.errors import KeyProblem, RootForbidden, RootLoginRefused, RootUnavailable
from keys.providers.transit.calls import Line, Refused
from keys.providers.transit.deadline import left, within
from keys.providers.transit.login import Login, Token

RENEW_PATH = "auth/token/renew-self"
RENEW_SECONDS = 1.5  # a renewal or login in the background may take
FRESH_SECONDS = 5.0  # a token younger than that is not replaced for a policy's no
LONGEST_WAIT = 5.0  # seconds between two tries while Vault is away
SMALL_SHARE = 0.5  # a renewal that gives less of the first time to live is the last: log in anew


class Tokens:
    """One token at a time, shared by threads."""

    def __init__(self, line: Line, login: Login, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: `clock` gives monotonic seconds. No thread runs before the first login."""
        self._line, self._login, self._clock = line, login, clock
        self._lock, self._closed = Lock(), Event()
        self._token: Token | None = None
        self._since = 0.0
        self._thread: Thread | None = None

    def current(self) -> str:
        """Return a token that is good as far as is known, logging in if there is none."""
        token = self._token
        if token is None or self._ended(token) or self._login.changed():
            return self._replace(token)
        return token.text

    def instead_of(self, refused: str, unknown: bool) -> str | None:
        """Return another token after Vault refused one, or None if that would not help.

        Args:
            unknown: Vault does not know the token, which a young one may meet too: it was revoked.
        """
        token = self._token
        if token is not None and token.text == refused:
            if not unknown and self._clock() - self._since < FRESH_SECONDS:
                return None
            return self._replace(token)
        return self.current()

    def renew(self) -> None:
        """Prolong the token; RootForbidden if the policy has no such path, RootLoginRefused if it cannot be."""
        token = self._token
        if token is None:
            return
        status = 0
        try:
            answer = self._line.ask(self._line.client(token.text).auth.token.renew_self)
        except Refused as refused:
            status, unknown = refused.status, refused.cause == "token"
        if status == 403 and not unknown:
            raise RootForbidden(f"Vault's policy forbids update on {RENEW_PATH}")
        if status:
            raise RootLoginRefused("Vault does not prolong the token")
        auth = answer.get("auth") if isinstance(answer, dict) else None
        if not isinstance(auth, dict):
            raise RootUnavailable("Vault's answer to the renewal holds no token")
        fresh = Token(token.text, float(auth.get("lease_duration") or 0), bool(auth.get("renewable")))
        if fresh.seconds < SMALL_SHARE * token.seconds:
            raise RootLoginRefused("the token has come near its greatest age")
        with self._lock:
            if self._token is token:
                self._token, self._since = fresh, self._clock()

    def close(self) -> None:
        """End the thread and forget the token."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(2 * RENEW_SECONDS)
        self._token = None

    def _ended(self, token: Token) -> bool:
        return token.seconds > 0 and self._clock() >= self._since + token.seconds

    def _replace(self, stale: Token | None) -> str:
        """Log in, unless another thread has done so since `stale` was looked at."""
        if not self._lock.acquire(timeout=left()):
            raise RootUnavailable("the login at Vault takes too long")
        try:
            if self._token is None or self._token is stale:
                begun = self._clock()
                self._token = self._login(self._line)
                self._since = begun
            self._watch()
            return self._token.text
        finally:
            self._lock.release()

    def _watch(self) -> None:
        if self._thread is None and not self._closed.is_set():
            self._thread = Thread(target=self._keep, name="vault token", daemon=True)
            self._thread.start()

    def _keep(self) -> None:
        """Renew or replace the token at about half of its time, until closed."""
        failures = 0
        while not self._closed.wait(self._pause(failures)):
            failures = 0 if self._kept() else failures + 1

    def _pause(self, failures: int) -> float:
        if failures:
            return min(LONGEST_WAIT, 0.5 * 2.0**failures) * random.uniform(0.5, 1.0)  # noqa: S311
        token = self._token
        if token is None:
            return LONGEST_WAIT
        if token.seconds <= 0:  # unknown: ask soon once, an endless one then every hour
            return LONGEST_WAIT if token.renewable else 3600.0
        half = self._since + token.seconds * random.uniform(0.45, 0.55) - self._clock()  # noqa: S311
        return max(0.05, half)

    def _kept(self) -> bool:
        """Renew, or else log in; tell whether the token is good for some time now."""
        token = self._token
        try:
            with within(RENEW_SECONDS):
                try:
                    if token is not None and token.renewable:
                        self.renew()
                        return True
                except (RootForbidden, RootLoginRefused):
                    pass
                if token is not None and token.seconds <= 0:  # somebody else keeps it
                    with self._lock:
                        if self._token is token:
                            self._token = Token(token.text, 0.0, False)
                    return True
                self._replace(token)
        except (KeyProblem, TimeoutError):
            return False
        return True
