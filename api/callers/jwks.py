"""The public keys of an issuer (RFC 7517): those that may verify its tokens, by their id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey
from joserfc.util import base64_to_int

from api.callers import strictjson

# RFC 7518, section 3.1, and RFC 8037, section 3.1; none that a public key would be the secret of.
ALGORITHMS = (
    "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519",
)  # fmt: skip
CURVES = {
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA", "Ed25519"),
}
RSA_BITS = range(2_048, 8_193)  # RFC 7518, section 3.3; more takes long to verify
MOST_KEYS = 100
LONGEST_ID = 256  # characters

_RSA = tuple(name for name in ALGORITHMS if name[:2] in {"RS", "PS"})
# What a key is made of (RFC 7518, section 6; RFC 8037, section 2); all else in it, such as x5u, is not looked at.
_PARTS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y"), "OKP": ("kty", "crv", "x")}


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key, its id, and the algorithms that it verifies."""

    id: str | None
    key: Key
    algorithms: frozenset[str]


class KeySet:
    """The keys of one issuer that can be used."""

    def __init__(self, keys: Iterable[VerifyingKey], passed_over: int) -> None:
        """Hold keys; `passed_over` says how many of the set cannot be used."""
        self.keys, self.passed_over = tuple(keys), passed_over
        self._by_id: dict[str | None, list[VerifyingKey]] = defaultdict(list)
        for one in self.keys:
            self._by_id[one.id].append(one)

    def find(self, key_id: str | None, algorithm: str) -> Key | None:
        """Return the one key of this id for this algorithm; None if there is none, or not one alone.

        Args:
            key_id: None where the token names none (RFC 7515, section 4.1.4): then there must be no choice.
        """
        among = self.keys if key_id is None else self._by_id.get(key_id, ())
        found = [one.key for one in among if algorithm in one.algorithms]
        return found[0] if len(found) == 1 else None


def read(data: bytes, allowed: Iterable[str]) -> KeySet:
    """Return the keys of a JWK Set that verify by one of the `allowed` algorithms; raise ValueError if it is no set.

    A key that cannot be used is passed over (RFC 7517, section 5), as is one with its private part in it: whoever
    published that has lost it.
    """
    listed = strictjson.read(data).get("keys")
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ValueError("not a JWK Set")
    wanted = frozenset(allowed)
    found = [one for jwk in listed if (one := _usable(jwk, wanted)) is not None]
    return KeySet(found, len(listed) - len(found))


def _usable(jwk: object, allowed: frozenset[str]) -> VerifyingKey | None:
    if not isinstance(jwk, dict) or "d" in jwk or jwk.get("use", "sig") != "sig":
        return None
    key_id, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    if key_id is not None and not (isinstance(key_id, str) and 0 < len(key_id) <= LONGEST_ID):
        return None
    key = _imported(jwk)
    if key is None:
        return None
    fit = allowed.intersection(_algorithms(key))
    if "alg" in jwk:
        fit &= {jwk["alg"]} if isinstance(jwk["alg"], str) else set()
    return VerifyingKey(key_id, key, fit) if fit else None


def _imported(jwk: dict[str, Any]) -> Key | None:
    names = _PARTS.get(str(jwk.get("kty")), ())
    parts = {name: jwk[name] for name in names if isinstance(jwk.get(name), str)}
    if not names or len(parts) != len(names) or parts.get("crv", "P-256") not in CURVES:
        return None
    try:
        if parts["kty"] == "RSA" and base64_to_int(parts["n"]).bit_length() not in RSA_BITS:
            return None  # before joserfc warns of it on standard error
        key = JWKRegistry.import_key(parts)
        return key if key.public_key is not None else None
    except (JoseError, ValueError, TypeError, LookupError, OverflowError, UnsupportedAlgorithm):
        return None


def _algorithms(key: Key) -> tuple[str, ...]:
    if isinstance(key, RSAKey):
        return _RSA
    if isinstance(key, ECKey | OKPKey):
        return CURVES.get(key.curve_name, ())
    return ()
