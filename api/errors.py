"""What the doors themselves refuse, one class a cause, each with a stable code; none holds what was sent."""

from __future__ import annotations


class ApiError(Exception):
    """Root of this package's errors; never raised itself. `pointer` (RFC 6901) names the part of the body."""

    code = "api_error"  # stable, part of the API

    def __init__(self, detail: str = "", pointer: str | None = None) -> None:
        super().__init__(detail)
        self.pointer = pointer


class BadRequest(ApiError):
    """The request breaks HTTP itself, before its body is looked at."""

    code = "bad_request"


class MalformedJson(ApiError):
    """The body is not JSON in UTF-8 (RFC 8259), or not JSON that can be read in one way only."""

    code = "malformed_json"


class Unauthenticated(ApiError):
    """No API key, token or certificate, or none that is good now; which of these is not said."""

    code = "unauthenticated"


class IssuerUnavailable(ApiError):
    """The issuer of a token does not give its keys now, so that nothing can be said of the token."""

    code = "issuer_unavailable"


class Forbidden(ApiError):
    """The caller is known, but this is not for it."""

    code = "forbidden"


class FieldNotReached(ApiError):
    """The API key is good, but does not reach the field."""

    code = "forbidden_field"


class NotFound(ApiError):
    """There is nothing here."""

    code = "not_found"


class MethodNotAllowed(ApiError):
    """The path is there, but not for this method."""

    code = "method_not_allowed"


class BodyTooLarge(ApiError):
    """The body is longer than `max_body_bytes`."""

    code = "body_too_large"


class TooManyValues(ApiError):
    """More values or tokens than one request may carry."""

    code = "too_many_values"


class UnsupportedMediaType(ApiError):
    """The body is not said to be application/json, or it is compressed."""

    code = "unsupported_media_type"


class ShownOnce(ApiError):
    """The same request made an API key before, whose text was in that reply and is kept nowhere."""

    code = "shown_once"


class RootNotListed(ApiError):
    """The settings list no root key of that name."""

    code = "unknown_root"


class InternalError(ApiError):
    """Something of ours is broken; the log knows where."""

    code = "internal_error"


class SettingsError(ApiError):
    """A setting is missing or wrong; names the variable, never its value."""

    code = "settings_error"
