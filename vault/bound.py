"""What a proposal is bound to: the digest of an action and its exact parameters, which says nothing of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from vault.columns import NO_GROUNDS, Grounds
from vault.context import pack


def digest(action: str, parts: Mapping[str, object]) -> bytes:
    """Return the SHA-256 of an action and its parameters; it says nothing of them, and no two have the same.

    Args:
        parts: by name; texts, bytes, whole numbers, True, False, None, and lists and mappings of these.
    """
    return hashlib.sha256(pack(b"strongroom/1 proposal", action.encode(), _canonical(parts))).digest()


def _canonical(part: object) -> bytes:
    """Return a kind in front of every part, and a length in front of every piece."""
    match part:
        case None:
            return b"n"
        case bool():
            return b"b1" if part else b"b0"
        case int():
            return b"i" + str(part).encode()
        case str():
            return b"s" + part.encode("utf-8", "surrogatepass")
        case bytes():
            return b"x" + part
        case Mapping():
            named = sorted((str(name).encode(), _canonical(value)) for name, value in part.items())
            return b"m" + pack(*(piece for pair in named for piece in pair))
        case Sequence():
            return b"l" + pack(*map(_canonical, part))
    raise TypeError("not a part of a proposal's digest")


def bulk(
    tokens: Sequence[object], fields: Sequence[str], purpose: str, view: str, field: str | None, metadata: bool,
    grounds: Grounds = NO_GROUNDS,
) -> tuple[str, bytes, str]:  # fmt: skip
    """Return action, digest and summary of a reveal that is so large that a second person must approve it.

    Args:
        tokens: as they came, in their order.
        fields: the field types that are touched, for the summary.
        field: as the request names it.
    """
    parts = {
        "tokens": [token if isinstance(token, str) else None for token in tokens], "purpose": purpose, "view": view,
        "field": field, "metadata": metadata, "case": grounds.case, "consent": grounds.consent,
        "subject": grounds.subject,
    }  # fmt: skip
    what = ", ".join(sorted(set(fields))) or "no field"
    more = " and metadata" if metadata else ""
    named = "".join(
        f", {kind} {text}" for kind, text in (("case", grounds.case), ("consent", grounds.consent)) if text
    )
    summary = f"reveal {len(tokens):,} tokens ({what}) in view {view}{more} for {purpose}{named}"
    return "reveal", digest("reveal", parts), summary
