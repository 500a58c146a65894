"""What can go wrong, one class a cause; none ever holds a value, a token or a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strongroom_client.results import ItemError


class StrongroomError(Exception):
    """Root of this package's errors; never raised itself.

    Attributes:
        code: stable name of the cause; the server's own for what the server refused.
        status: HTTP status, None where no reply was read or where one item of a column was refused.
        pointer: which part of the request is meant (RFC 6901), None for the whole.
        request_id: names the request in the server's log and audit.
        hint: what to do about it, one sentence.
        retry_after: seconds after which the server wants to be asked again, None where it did not say.
    """

    code = "strongroom_error"

    def __init__(
        self,
        text: str,
        *,
        code: str | None = None,
        status: int | None = None,
        pointer: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code or type(self).code
        self.status, self.pointer, self.request_id, self.hint = status, pointer, request_id, hint
        self.retry_after = retry_after


class Misconfigured(StrongroomError, ValueError):
    """The address, the API key or the certificate authority given to the client cannot be used."""

    code = "misconfigured"


class InvalidArgument(StrongroomError, ValueError):
    """An argument cannot be sent at all; nothing was."""

    code = "invalid_argument"


class Unreachable(StrongroomError):
    """No connection, or it broke before the reply was whole."""

    code = "unreachable"


class TimedOut(Unreachable):
    """The connection or the reply took longer than the client's time-out."""

    code = "timed_out"


class Untrusted(Unreachable):
    """The server's certificate does not prove that it is the server meant."""

    code = "untrusted"


class BadReply(StrongroomError):
    """The reply is not one of strongroom's: is the address right?"""

    code = "bad_reply"


class Refused(StrongroomError):
    """The server refused the request, or the only item in it; `code` is the server's (RFC 9457)."""

    code = "refused"


class Unauthenticated(Refused):
    """The API key is unknown, expired or revoked (401)."""

    code = "unauthenticated"


class Forbidden(Refused):
    """The API key does not reach this operation or field (403)."""

    code = "forbidden"


class ApprovalRequired(Forbidden):
    """A second person must approve (403): `Client.using(proposal)` sends the same request again, once they have.

    Attributes:
        proposal: the id of what they approve.
        approved, needed: people, the one who asks included.
    """

    code = "approval_required"
    proposal = ""
    approved = 0
    needed = 0


class WrongPassword(Refused):
    """The old password is not right, or there is no such login; which of the two is not said."""

    code = "wrong_password"


class NotFound(Refused):
    """There is no such thing in this tenant (404)."""

    code = "not_found"


class TooManyAttempts(Refused):
    """Too many wrong passwords (429): wait for `retry_after` seconds; code login_locked: until it is unlocked."""

    code = "too_many_attempts"


class Unavailable(Refused):
    """The server could not do it now (503), also after the retries that were allowed."""

    code = "unavailable"


class Unfinished(StrongroomError):
    """A job has not ended in the time given; it goes on."""

    code = "unfinished"


class ItemsRefused(StrongroomError):
    """Some items of a column were refused; `errors` says which, the others went through."""

    code = "items_refused"

    def __init__(self, text: str, errors: Sequence[ItemError] = ()) -> None:
        first = errors[0] if errors else None
        super().__init__(text, pointer=first.pointer if first else None)
        self.errors = list(errors)
