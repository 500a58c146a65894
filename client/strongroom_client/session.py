"""A call: the request is written once, sent, perhaps sent again, and its reply read into a type."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from types import TracebackType
from typing import Protocol, Self, TypeVar
from urllib.parse import urlencode

import msgspec

from strongroom_client.credentials import credential
from strongroom_client.decoding import decoder
from strongroom_client.errors import InvalidArgument
from strongroom_client.options import wire
from strongroom_client.problems import bad_reply, refusal, undone
from strongroom_client.retries import Budget, Repeat, Retries
from strongroom_client.settings import address, tls
from strongroom_client.transport import Ask, Broken, Reply, Timeout, Transport

T = TypeVar("T")


class Page(Protocol):
    """One page of a list."""

    next_cursor: str | None


P = TypeVar("P", bound=Page)

_PROPOSAL = re.compile("apr_[0-9a-f]{16}")


class Session:
    """Connections to one server of one caller; thread-safe.

    Args:
        url: such as https://vault.example:8700; default STRONGROOM_URL.
        key: the API key; default STRONGROOM_API_KEY, or the file that STRONGROOM_API_KEY_FILE names.
        token_file: holds a token of an issuer instead, and is read anew when it changes; default STRONGROOM_TOKEN_FILE.
        ca: PEM file of the certificate authorities to trust; default STRONGROOM_CA, else the system's.
        timeout: seconds, see Timeout; one number stands for the read time-out.
        retries: see Retries.
        connections: kept open at most; more threads than that open and close their own.
    Raises:
        Misconfigured: one of them cannot be used.
    """

    _approval: str | None = None

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        token_file: str | os.PathLike[str] | None = None,
        ca: str | os.PathLike[str] | None = None,
        timeout: Timeout | float | None = None,
        retries: Retries | None = None,
        connections: int = 8,
    ) -> None:
        at, self.__credential = address(url), credential(key, token_file)
        waits = Timeout(read=timeout) if isinstance(timeout, int | float) else timeout or Timeout()
        self._transport = Transport(at, tls(ca) if at.scheme == "https" else None, waits, connections)
        self._retries = retries or Retries()
        self._budget = Budget(self._retries.budget)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        """Return the address; never what proves who asks."""
        return f"<{type(self).__name__} of {self._transport.address}>"

    def using(self, approval: str) -> Self:
        """Return the same session for the one request that a second person approved; `approval`: the proposal's id."""
        if not _PROPOSAL.fullmatch(approval):
            raise InvalidArgument("an approval is the id of a proposal, apr_ and 16 hex digits")
        approved = copy(self)
        approved._approval = approval
        return approved

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._transport.close()

    def _call(
        self,
        method: str,
        path: str,
        into: type[T],
        *,
        body: bytes | None = None,
        repeat: Repeat = Repeat.SAFE,
        idempotency_key: str | None = None,
        sent: Iterable[object] = (),
    ) -> T:
        """Return the reply to one request as `into`; raise StrongroomError.

        Args:
            sent: what no text of an exception may repeat; walked only when there is one.
        """
        proof = self.__credential.text()
        reply = self._send(Ask(method, path, body, self._headers(proof, body, idempotency_key)), repeat)
        if reply.status >= 300:
            raise refusal(reply, (*sent, proof))
        if reply.status == 204 or into is type(None):
            return None  # type: ignore[return-value]
        value, why = _decode(reply, into)
        if why:
            raise bad_reply(reply, why)
        return value  # type: ignore[return-value]

    def _pages(self, path: str, into: type[P], asked: Mapping[str, object]) -> Iterator[P]:
        """Yield the pages of a list, one request each; `asked` goes into the query of every one."""
        cursor: str | None = None
        while True:
            page = self._call("GET", f"{path}?{urlencode(wire({**asked, 'cursor': cursor}))}", into)
            yield page
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def _receive(self, path: str, body: bytes, write: Callable[[bytes], object]) -> None:
        """Hand the pieces of a reply of any size to `write`; what was handed on cannot be taken back and sent again."""
        proof = self.__credential.text()
        ask = Ask("POST", path, body, self._headers(proof, body, None))
        reply = self._send(ask, Repeat.UNSENT, write)
        if reply.status >= 300:
            raise refusal(reply, (proof,))

    def _headers(self, proof: str, body: bytes | None, idempotency_key: str | None) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {proof}",
            "Accept": "application/json",
            "User-Agent": "strongroom-client",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._approval is not None:
            headers["Approval"] = self._approval
        if idempotency_key is not None:
            headers["Idempotency-Key"] = _checked(idempotency_key)
        return headers

    def _send(self, ask: Ask, repeat: Repeat, write: Callable[[bytes], object] | None = None) -> Reply:
        attempt = 1
        while True:
            outcome = self._transport.exchange(ask, write)
            asked = outcome.retry_after if isinstance(outcome, Reply) else None
            wait = self._retries.wait(attempt, asked) if _may_repeat(outcome, repeat) else None
            if wait is None or not self._budget.spend():
                break
            self._retries.sleep(wait)
            attempt += 1
        if isinstance(outcome, Broken):
            raise outcome.kind(outcome.text, hint=outcome.hint)
        if outcome.status < 500:
            self._budget.earn()
        return outcome


def encode(body: object) -> bytes:
    """Return `body` in JSON; raise InvalidArgument, which does not hold it."""
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError):  # UnicodeEncodeError holds the text
        pass
    raise InvalidArgument(
        "an argument cannot be written as JSON (not Unicode, or not text, numbers and objects)"
    )


def new_idempotency_key() -> str:
    """Return 128 random bits in hex."""
    return secrets.token_hex(16)


def _checked(idempotency_key: str) -> str:
    if (
        not 1 <= len(idempotency_key) <= 255
        or not idempotency_key.isascii()
        or not idempotency_key.isprintable()
    ):
        raise InvalidArgument("an idempotency key is 1 to 255 printable ASCII characters")
    return idempotency_key


def _may_repeat(outcome: Reply | Broken, repeat: Repeat) -> bool:
    if isinstance(outcome, Broken):
        return outcome.again and (outcome.unsent or repeat is Repeat.SAFE)
    if outcome.status != 503:
        return False
    return repeat is Repeat.SAFE or (repeat is Repeat.UNDONE and undone(outcome))


def _decode(reply: Reply, into: type[T]) -> tuple[T | None, str]:
    if not reply.headers.get("content-type", "").lower().startswith("application/json"):
        return None, "it is not JSON"
    try:
        return decoder(into).decode(reply.body), ""
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # its text may repeat the body
        return None, "it has not the shape expected"
