"""The bytes of a request's body: how many, of which type, whole or not at all."""

from __future__ import annotations

from typing import Any

from api.errors import BadRequest, BodyTooLarge, UnsupportedMediaType

JSON = "application/json"
LONGEST_LENGTH = 18  # digits
Environ = dict[str, Any]  # of WSGI (PEP 3333)


def receive(environ: Environ, limit: int) -> bytes:
    """Return a request's body, at most `limit` bytes of JSON, with or without a Content-Length."""
    if environ.get("CONTENT_TYPE") != JSON:
        _check_type(environ.get("CONTENT_TYPE", ""))
    if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise UnsupportedMediaType("a compressed body is not read")
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").strip().lower() != "chunked":  # such as gzip, chunked
        raise UnsupportedMediaType("a body is sent whole or in chunks, and in no other transfer coding")
    length = _length(environ)
    # Chunked, or nothing: only a stream that the server ends may be read to its end. WSGI does not say whether the last
    # chunk came; a body that was cut off is noticed all the same, for a JSON object says itself where it ends.
    if length is None:
        body = bytes(environ["wsgi.input"].read(limit + 1)) if environ.get("wsgi.input_terminated") else b""
        if len(body) > limit:
            raise BodyTooLarge(f"at most {limit:,} bytes")
        return body
    if length > limit:
        raise BodyTooLarge(f"at most {limit:,} bytes")
    body = bytes(environ["wsgi.input"].read(length))
    if len(body) != length:
        raise BadRequest("the body was cut off")
    return body


def swallow(environ: Environ, most: int) -> None:
    """Read on, at most `most` bytes, and forget them: a caller who is still sending hears no reply."""
    try:
        length = _length(environ)
    except BadRequest:
        return
    ends = length is not None or environ.get("wsgi.input_terminated")
    if not ends or "HTTP_EXPECT" in environ or (length or 0) > most:
        return
    left = most
    while left > 0 and (piece := environ["wsgi.input"].read(min(left, 65_536))):
        left -= len(piece)


def left_out(environ: Environ) -> bool:
    """Tell whether a request has neither a body nor a type for one."""
    if environ.get("CONTENT_TYPE") or "HTTP_TRANSFER_ENCODING" in environ:
        return False
    return environ.get("CONTENT_LENGTH", "") in {"", "0"}


def _length(environ: Environ) -> int | None:
    """Return the stated length of a request's body in bytes; None if there is none, BadRequest if it is none."""
    stated = environ.get("CONTENT_LENGTH", "")
    if not stated:
        return None
    if not (stated.isascii() and stated.isdigit() and len(stated) <= LONGEST_LENGTH):
        raise BadRequest("Content-Length is no number of bytes")
    return int(stated)


def _check_type(stated: str) -> None:
    """Raise UnsupportedMediaType unless `stated` is application/json, in UTF-8 if it names a charset."""
    kind, _, parameters = stated.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != JSON or charset not in {"", "charset=utf-8"}:
        raise UnsupportedMediaType("the Content-Type must be application/json, in UTF-8")
