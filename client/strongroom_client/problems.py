"""The server's refusals (RFC 9457) as exceptions; words that repeat what was sent are withheld."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from strongroom_client.decoding import decoder
from strongroom_client.errors import (
    ApprovalRequired,
    BadReply,
    Forbidden,
    NotFound,
    Refused,
    StrongroomError,
    TooManyAttempts,
    Unauthenticated,
    Unavailable,
    WrongPassword,
)
from strongroom_client.transport import Reply

_CODE = re.compile(r"[a-z0-9_]{1,64}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WITHHELD = "refused; the server's words are withheld, they repeat what was sent"
_LONGEST = 500  # characters of the server's words
_SHORTEST_ASCII = (
    4  # a shorter plain text is in any sentence; a shorter Chinese name is in none of the server's
)

_KINDS: dict[int, type[Refused]] = {
    401: Unauthenticated, 403: Forbidden, 404: NotFound, 429: TooManyAttempts, 503: Unavailable,
}  # fmt: skip
_NAMED: dict[str, type[Refused]] = {
    "wrong_password": WrongPassword, "approval_required": ApprovalRequired,
}  # fmt: skip  # not for want of a right, as 403 says else
_PROPOSAL = re.compile(r"[a-z0-9_]{1,64}")
_UNDONE = frozenset({"hashing_busy", "hashing_unavailable"})  # of 503: the server says that nothing was done
_HINTS = {
    "unauthenticated": "check STRONGROOM_API_KEY or STRONGROOM_TOKEN_FILE; it may have expired or been revoked",
    "forbidden": "this API key lacks the operation or the field; `strongroom apikey list` shows what it has",
}


class Problem(Struct):
    """The body of application/problem+json; all of it optional, for it may come from something in between."""

    code: str | None = None
    title: str | None = None
    detail: str | None = None
    pointer: str | None = None
    request_id: str | None = None
    hint: str | None = None
    proposal: str | None = None
    approved: int | None = None
    needed: int | None = None


def refusal(reply: Reply, sent: Iterable[object]) -> StrongroomError:
    """Return the exception for a reply that is no success.

    Args:
        reply: status 300 or more.
        sent: the values, tokens and keys of the request, none of which may come back in a text.
    """
    problem, request_id = _problem(reply), reply.headers.get("x-request-id", "")
    if problem is None or problem.code is None or not _CODE.fullmatch(problem.code):
        kind = Unavailable if reply.status == 503 else BadReply
        text = f"HTTP status {reply.status}, and the body does not say why as strongroom would"
        hint = "is the address strongroom's, or that of a proxy in front of it?"
        after = reply.retry_after
        return kind(
            text, status=reply.status, request_id=_request_id(request_id), hint=hint, retry_after=after
        )
    secrets = list(sent)
    error = _NAMED.get(problem.code, _KINDS.get(reply.status, Refused))(
        words(problem.detail or problem.title or problem.code, secrets),
        code=problem.code,
        status=reply.status,
        pointer=place(problem.pointer, secrets),
        request_id=_request_id(problem.request_id or request_id),
        hint=words(problem.hint, secrets) if problem.hint else _HINTS.get(problem.code),
        retry_after=reply.retry_after,
    )
    if isinstance(error, ApprovalRequired) and _PROPOSAL.fullmatch(problem.proposal or ""):
        error.proposal = problem.proposal or ""
        error.approved, error.needed = problem.approved or 0, problem.needed or 0
    return error


def undone(reply: Reply) -> bool:
    """Tell whether a refusal says that nothing was done, so that even what must not run twice may be sent again."""
    problem = _problem(reply)
    return problem is not None and problem.code in _UNDONE


def bad_reply(reply: Reply, why: str) -> BadReply:
    """Return the exception for a success that cannot be read; nothing of its body is in it."""
    request_id = _request_id(reply.headers.get("x-request-id", ""))
    return BadReply(f"the reply cannot be used: {why}", status=reply.status, request_id=request_id)


def code(text: str) -> str:
    """Return `text` if it has the form of a code."""
    return text if _CODE.fullmatch(text) else "refused"


def words(text: str, sent: Iterable[object]) -> str:
    """Return `text` in one printable line, or a fixed sentence if it repeats something in `sent`."""
    if any(_repeats(text, secret) for secret in sent):
        return _WITHHELD
    return "".join(c if c.isprintable() else " " for c in text[:_LONGEST])


def place(pointer: str | None, sent: Iterable[object]) -> str | None:
    """Return `pointer` if it is a JSON pointer that repeats nothing in `sent`."""
    if pointer is None or not pointer.startswith("/") or not pointer.isprintable() or len(pointer) > _LONGEST:
        return None
    return None if any(_repeats(pointer, secret) for secret in sent) else pointer


def _repeats(text: str, secret: object) -> bool:
    if not isinstance(secret, str) or not secret or (secret.isascii() and len(secret) < _SHORTEST_ASCII):
        return False
    return secret in text


def _request_id(text: str) -> str | None:
    return text if _REQUEST_ID.fullmatch(text) else None


def _problem(reply: Reply) -> Problem | None:
    try:
        return decoder(Problem).decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # its text may repeat the body
        return None
