"""The keys of an issuer as one process keeps them: fetched by one thread, good for a day when the issuer is away.

A key set is fetched anew after ten minutes, while the old one serves. A token that names a key we do not know has it
fetched at once, though not more often than every ten seconds: whoever makes up names makes us ask no oftener. Only the
request that started a fetch waits for it; requests of others that need it meanwhile are told to come again, for threads
that wait are missed by callers who have nothing to do with this issuer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Event, Lock, Thread

from joserfc.jwk import Key

from api.callers import jwks
from api.callers.fetching import SECONDS, NotFetched, Source
from api.callers.refused import NotBelieved
from api.errors import IssuerUnavailable

FRESH_SECONDS = 600.0
UNKNOWN_SECONDS = 10.0  # between fetches for keys that we do not know
EMPTY_SECONDS = 1.0  # between fetches while there are no keys at all
GOOD_SECONDS = 86_400.0


class IssuerKeys:
    """One issuer's keys; safe to share between threads."""

    def __init__(
        self,
        source: Source,
        algorithms: Collection[str],
        monotonic: Callable[[], float],
        fresh: float = FRESH_SECONDS,
    ) -> None:
        """Fetch nothing yet.

        Args:
            fresh: seconds after which the keys are fetched anew.
        """
        self._source, self._algorithms, self._monotonic, self._fresh = source, algorithms, monotonic, fresh
        self._lock = Lock()
        self._keys: jwks.KeySet | None = None
        self._fetched = self._tried = float("-inf")
        self._running: Event | None = None

    def find(self, key_id: str | None, algorithm: str) -> Key:
        """Return the key of this id for this algorithm.

        Raises:
            NotBelieved: the issuer has none.
            IssuerUnavailable: its keys cannot be had now, so that nothing can be said of a token.
        """
        key, keys = self._held(key_id, algorithm)
        if key is not None:
            return key
        started, running = self._fetch(UNKNOWN_SECONDS if keys else EMPTY_SECONDS)
        if started and running is not None:
            running.wait(SECONDS)
            key, keys = self._held(key_id, algorithm)
            running = self._running
        if key is not None:
            return key
        if keys is None or running is not None:
            raise IssuerUnavailable("the issuer of the token does not give its keys now")
        raise NotBelieved("token_key")

    def warm(self) -> None:
        """Have the keys fetched, and wait for nothing."""
        self._fetch(EMPTY_SECONDS)

    def _held(self, key_id: str | None, algorithm: str) -> tuple[Key | None, jwks.KeySet | None]:
        """Return the key and the keys that are still good; have old ones fetched anew meanwhile."""
        age = self._monotonic() - self._fetched
        keys = self._keys if age < GOOD_SECONDS else None
        if keys is None:
            return None, None
        if age >= self._fresh:
            self._fetch(UNKNOWN_SECONDS)
        return keys.find(key_id, algorithm), keys

    def _fetch(self, pause: float) -> tuple[bool, Event | None]:
        """Start a fetch unless one runs, or was tried within `pause` seconds; tell whether it did, and which runs."""
        with self._lock:
            now = self._monotonic()
            if self._running is not None or now - self._tried < pause:
                return False, self._running
            self._tried, self._running = now, Event()
            done = self._running
        Thread(target=self._work, args=(done,), name="issuer keys", daemon=True).start()
        return True, done

    def _work(self, done: Event) -> None:
        try:
            keys = jwks.read(self._source.fetch(), self._algorithms)
            if keys.keys:
                self._keys, self._fetched = keys, self._monotonic()
        except (NotFetched, ValueError):  # the last ones stay
            pass
        finally:
            self._running = None
            done.set()
