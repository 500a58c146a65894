"""A signed token (JWT, RFC 7519) read and verified as RFC 8725 advises.

The token says which key and algorithm it wants; which are there, the issuer's key set and the settings say. Keys that a
token brings along, or says where to fetch, make it no better signed: such a token is not believed at all.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from math import isfinite
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode

from api.callers import strictjson
from api.callers.jwks import ALGORITHMS
from api.callers.refused import NotBelieved

LONGEST = 8_192  # characters
LONGEST_SUBJECT = 255  # characters of `sub` (OpenID Connect Core 1.0, section 2)

# RFC 8725, section 3.11: a token made for something else, such as a logout, says so here. RFC 9068, 2.1: at+jwt.
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
# RFC 7515, 4.1: keys of the sender's choice, and extensions that one must understand: we understand none.
_REFUSED = ("jku", "jwk", "x5u", "x5c", "crit", "b64")
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token as it came; nothing of it is believed before `verify`."""

    text: str
    algorithm: str
    key_id: str | None
    claims: dict[str, Any]


class _Registry(jws.JWSRegistry):
    """The algorithms of ours, without joserfc's warning that EdDSA has another name now (RFC 9864)."""

    max_header_length = max_payload_length = LONGEST

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in (self.allowed or ()):
            raise JoseError
        return self.algorithms[name]


_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


def has_form(text: str) -> bool:
    """Whether a text may be a token: three parts in base64url (RFC 7515, section 3.1)."""
    return len(text) <= LONGEST and _FORM.fullmatch(text) is not None


def read(text: str) -> Token:
    """Return a token, not verified yet; raise NotBelieved."""
    if not has_form(text):
        raise NotBelieved("token_form")
    first, second, _ = text.split(".")
    header, claims = _part(first), _part(second)
    if any(name in header for name in _REFUSED):
        raise NotBelieved("token_header")
    kind, algorithm, key_id = header.get("typ", "JWT"), header.get("alg"), header.get("kid")
    if not isinstance(kind, str) or kind.lower() not in _TYPES or "cty" in header:
        raise NotBelieved("token_type")
    if algorithm not in ALGORITHMS:
        raise NotBelieved("token_algorithm")
    if key_id is not None and not isinstance(key_id, str):
        raise NotBelieved("token_header")
    return Token(text, str(algorithm), key_id, claims)


def verify(token: Token, key: Key) -> None:
    """Return if `key` signed the token; raise NotBelieved."""
    try:
        jws.deserialize_compact(token.text, key, registry=_REGISTRY)
        return
    except (JoseError, ValueError, TypeError):
        pass
    raise NotBelieved("token_signature")


def moment(claims: dict[str, Any], name: str) -> float | None:
    """Return a NumericDate (RFC 7519, section 2) in seconds since 1970; None if it is left out. NotBelieved if none."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotBelieved("token_times")
    if (isinstance(value, int) and abs(value) > 2**53) or not isfinite(value):
        raise NotBelieved("token_times")
    return float(value)


def audiences(claims: dict[str, Any]) -> tuple[str, ...]:
    """Return whom a token is for (RFC 7519, section 4.1.3)."""
    found = claims.get("aud")
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(one, str) for one in listed):
        raise NotBelieved("token_audience")
    return tuple(listed)


def texts(value: object) -> tuple[str, ...]:
    """Return the values of a claim as text: of one or a list of texts, whole numbers and truth values."""
    found = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, bool):
            found.append("true" if one else "false")
        elif isinstance(one, str | int):
            found.append(str(one))
    return tuple(found)


def _part(text: str) -> dict[str, Any]:
    try:
        return strictjson.read(urlsafe_b64decode(text.encode()))
    except (ValueError, binascii.Error):
        pass
    raise NotBelieved("token_form")
