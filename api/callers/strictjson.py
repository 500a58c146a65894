"""JSON that can be read in one way only (RFC 8259): UTF-8, an object, no name twice, no NaN."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read(data: bytes) -> dict[str, Any]:
    """Return the object; raise ValueError, which does not hold it."""
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError("not a JSON object that can be read in one way only")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(_: str) -> NoReturn:
    raise ValueError("not a number of JSON")
