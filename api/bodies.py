"""The one place where bodies and queries become what they should be; no error repeats what came.

A body that can be read in two ways is refused: duplicate names (RFC 8259, section 4) are found by counting
colons against the re-encoded body, which is cheap, and by walking every object only where the counts differ.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from api import intake, validation
from api.decoding import convert, decoder
from api.errors import MalformedJson
from api.state import state
from api.visit import visit
from vault.errors import InvalidRequest

T = TypeVar("T")


def read(kind: type[T], loose: type[T] | None = None, *, optional: bool = False) -> T:
    """Return the current request's body as `kind`.

    Args:
        kind: a Struct that forbids unknown members and omits defaults.
        loose: what to try when `kind` fails because of single items: the same with Any for each.
        optional: no body stands for all defaults.
    Raises:
        UnsupportedMediaType, BodyTooLarge, MalformedJson, InvalidRequest.
    """
    here = visit()
    if optional and intake.left_out(here.environ):
        return kind()
    here.body, here.complete = intake.receive(here.environ, state().settings.max_body_bytes), True
    return decode(here.body, kind, loose)


def decode(body: bytes, kind: type[T], loose: type[T] | None = None) -> T:
    """Return `body` as `kind`, or as `loose` if only single items are of the wrong type."""
    try:
        ask: T = decoder(kind).decode(body)
        doubtful = b"\\" in body or body.count(b":") != msgspec.json.encode(ask).count(b":")
    except msgspec.ValidationError as error:
        if loose is not None and validation.in_item(str(error)):
            return decode(body, loose)
        raise validation.refusal(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedJson("the body is not JSON in UTF-8") from None
    except RecursionError:
        raise MalformedJson("the body is nested too deeply") from None
    if doubtful:
        _refuse_duplicates(body)
    return ask


def query(kind: type[T]) -> T:
    """Return the current request's query as `kind`; raise InvalidRequest, also for a name given twice."""
    given = visit().args
    if any(len(values) > 1 for values in given.listvalues()):
        raise InvalidRequest("a query parameter is given twice")
    try:
        return convert(given.to_dict(), kind, strict=False)
    except msgspec.ValidationError as error:
        refused = validation.refusal(str(error))
        name = refused.pointer.lstrip("/")
        raise InvalidRequest(f"query parameter {name}: {refused}" if name else f"query: {refused}") from None


def refuse_query() -> None:
    """Raise InvalidRequest if the current request, which takes no query, has one.

    It would be silently without effect; and a subject with an unquoted question mark is another subject.
    """
    if visit().environ.get("QUERY_STRING"):
        raise InvalidRequest("there is no query here; is a question mark of the path not quoted?")


def _refuse_duplicates(body: bytes) -> None:
    """Raise MalformedJson if any object of `body` has two members of one name."""
    try:
        json.loads(body, object_pairs_hook=_distinct, parse_int=len, parse_float=len)
    except RecursionError:
        raise MalformedJson("the body is nested too deeply") from None


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise MalformedJson("an object has two members of one name")
