"""Layouts of plain and salted digests, as somebody declares them: `md5(md5(password)+salt)`.

    layout = digest
    digest = algorithm [ ":raw" ] "(" term { "+" term } ")"
    term   = "password" | "salt" | digest

A digest inside another stands for its lower-case hex, as PHP has it; with `:raw` for its bytes. What the outermost one
is kept as says nothing of the layout, so `:raw` is left out there. At most 128 characters, at most four deep.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SM3, Hash

from vault.errors import UnknownScheme

LONGEST, DEEPEST = 128, 4
SIZES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64, "sm3": 32}  # bytes

_TOKEN = re.compile("[a-z0-9]+(?::raw)?|[()+]")


class Digest(NamedTuple):
    """A digest over terms, each "password", "salt" or another digest."""

    algorithm: str
    raw: bool
    terms: tuple[str | Digest, ...]

    def __str__(self) -> str:
        return f"{self.algorithm}{':raw' * self.raw}({'+'.join(map(str, self.terms))})"

    def uses(self, name: str) -> bool:
        """Return whether the term is in it, or in a digest inside it."""
        return any(term == name if isinstance(term, str) else term.uses(name) for term in self.terms)

    def over(self, password: bytes, salt: bytes) -> bytes:
        """Return the bytes of the digest."""
        given = {"password": password, "salt": salt}
        return _hash(
            self.algorithm,
            b"".join(given[t] if isinstance(t, str) else t._inside(password, salt) for t in self.terms),
        )

    def _inside(self, password: bytes, salt: bytes) -> bytes:
        made = self.over(password, salt)
        return made if self.raw else made.hex().encode()


@lru_cache(maxsize=64)
def parse(layout: str) -> Digest:
    """Return the layout; UnknownScheme if it is none, or never uses the password."""
    tokens = _TOKEN.findall(layout) if len(layout) <= LONGEST else []
    if tokens and "".join(tokens) == layout:
        rest = iter(tokens)
        whole = _term(next(rest), rest, 0)
        if isinstance(whole, Digest) and not any(rest) and whole.uses("password"):
            return whole._replace(raw=False)
    raise _refused()


def _refused() -> UnknownScheme:
    return UnknownScheme("the layout is not one: digests of password and salt, such as sha256(salt+password)")


def _term(token: str, rest: Iterator[str], depth: int) -> str | Digest:
    """Return the term that begins with a token; `depth` digests are around it."""
    if token in ("password", "salt"):
        return token
    algorithm, _, raw = token.partition(":")
    if algorithm not in SIZES or depth == DEEPEST or next(rest, "") != "(":
        raise _refused()
    terms = [_term(next(rest, ""), rest, depth + 1)]
    while (after := next(rest, "")) == "+":
        terms.append(_term(next(rest, ""), rest, depth + 1))
    if after != ")":
        raise _refused()
    return Digest(algorithm, bool(raw), tuple(terms))


def _hash(algorithm: str, data: bytes) -> bytes:
    if algorithm != "sm3":
        return hashlib.new(algorithm, data, usedforsecurity=False).digest()
    # GB/T 32905-2016: not in every build of the library that hashlib uses, but in that of cryptography.
    sm3 = Hash(SM3())
    sm3.update(data)
    return sm3.finalize()
