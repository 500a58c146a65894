"""One question to Vault: retried while the time lasts, and answered, or refused in our words alone.

hvac's exceptions hold Vault's reply and requests' hold token and body, so none of them is raised further, and what
is raised has no context: it is made after they are gone.
"""

from __future__ import annotations

import contextlib
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hvac
import requests
from hvac.exceptions import VaultError as HvacError

from keys.errors import KeyProblem, RootUnavailable, RootUntrusted
from keys.providers.transit.deadline import left
from keys.providers.transit.place import Place
from keys.providers.transit.wire import session

PAUSES = (0.05, 0.15, 0.4)  # seconds before each further try, give or take half
CAUSES = {
    "Vault is sealed": "sealed",
    "invalid token": "token",
    "bad token": "token",
    "encryption key not found": "no key",
    "HTTP request to an HTTPS server": "clear",
}  # what Vault says, and what is kept of it

Answer = dict[str, Any] | None

_STATUS = {
    "InvalidRequest": 400, "Unauthorized": 401, "Forbidden": 403, "InvalidPath": 404, "RateLimitExceeded": 429,
    "InternalServerError": 500, "VaultNotInitialized": 501, "BadGateway": 502, "VaultDown": 503,
}  # fmt: skip


class Refused(Exception):
    """Vault answered no: the status, and of its words only which of CAUSES it was, or "item"."""

    def __init__(self, status: int, cause: str) -> None:
        super().__init__(status, cause)
        self.status, self.cause = status, cause


@dataclass(frozen=True, slots=True)
class _Failure:
    """What to raise, and whether trying again may help."""

    problem: KeyProblem | Refused
    again: bool


class Line:
    """Connections to one Vault; shared by threads, made anew after a fork."""

    def __init__(self, place: Place) -> None:
        """Raise RootUntrusted if the authority's file cannot be read."""
        self.place = place
        opened = None
        with contextlib.suppress(OSError, ssl.SSLError):
            opened = session(place.ca)
        if opened is None:
            raise RootUntrusted(f"{place.ca} cannot be read as the authority of Vault's certificate")
        self._session = opened

    def client(self, token: str) -> hvac.Client:
        """Return an hvac client that sends `token`, and nothing from the environment; "" for none."""
        return hvac.Client(
            self.place.address, token, verify=True, allow_redirects=False, session=self._session,
            namespace=self.place.namespace or None, timeout=None, proxies={},
        )  # fmt: skip

    def ask(self, question: Callable[[], object]) -> Answer:
        """Return the answer to a question, None if it has no body, within the time of `deadline.within`.

        Raises:
            RootUnavailable: not reached, too slow, sealed, standing by, or refusing for now.
            RootUntrusted: the certificate is not trusted.
            Refused: any other no.
        """
        answer = _once(question)
        for pause in PAUSES:
            if not isinstance(answer, _Failure) or not answer.again:
                break
            if not _rest(pause * random.uniform(0.5, 1.5)):  # noqa: S311 - spreads them, hides nothing
                break
            answer = _once(question)
        if isinstance(answer, _Failure):
            raise answer.problem
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _rest(seconds: float) -> bool:
    """Sleep so long if there is time for that and for another try; tell whether there was."""
    try:
        if left() < 2 * seconds:
            return False
    except TimeoutError:
        return False
    time.sleep(seconds)
    return True


def _once(question: Callable[[], object]) -> Answer | _Failure:
    """Return the answer, or the failure."""
    try:
        answer = question()
    except HvacError as error:
        return _refusal(error)
    except requests.RequestException as error:
        return _unreached(error)
    except (OSError, ValueError):
        return _Failure(RootUnavailable("Vault gave no answer that can be read"), True)
    if isinstance(answer, requests.Response):
        if answer.status_code == 204:
            return None
        return _Failure(
            RootUnavailable(f"Vault answered {answer.status_code}, which was not expected"), False
        )
    if isinstance(answer, dict):
        return answer
    return _Failure(RootUnavailable("Vault gave no answer that can be read"), False)


def _refusal(error: HvacError) -> _Failure:
    status = _STATUS.get(type(error).__name__, 0)
    said = " ".join(map(str, error.errors or ())) or str(error.args[:1])
    cause = next((kept for words, kept in CAUSES.items() if words in said), "")
    data = error.json.get("data") if isinstance(error.json, dict) else None
    if isinstance(data, dict) and "batch_results" in data:
        cause = "item"
    if cause == "sealed":
        return _Failure(RootUnavailable("Vault is sealed"), True)
    if cause == "clear":
        return _Failure(RootUnavailable("https listens at Vault's address, which says http"), False)
    if status == 429:
        return _Failure(RootUnavailable("Vault refuses for now: too many requests (429)"), True)
    if status == 501:
        return _Failure(RootUnavailable("Vault is not initialized"), False)
    if status >= 500 or not status:
        return _Failure(RootUnavailable(f"Vault does not work now ({status or 'an unknown status'})"), True)
    return _Failure(Refused(status, cause), False)


def _unreached(error: Exception) -> _Failure:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return _Failure(RootUntrusted("the certificate at Vault's address is not trusted"), False)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return _Failure(RootUnavailable("Vault did not answer in time"), False)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return _Failure(RootUnavailable("no TLS with Vault: is it https that listens there?"), True)
    return _Failure(RootUnavailable("Vault cannot be reached"), True)


def _causes(error: BaseException) -> dict[BaseException, None]:
    """Return an exception and all that it was made of, in order."""
    found: dict[BaseException, None] = {}
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found[one] = None
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found
