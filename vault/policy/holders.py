"""Who has which roles: callers by name, OIDC claims, certificates."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vault.policy.cursor import Node
from vault.policy.model import claim_of
from vault.policy.patterns import check, matches
from vault.policy.roles import role_words

# An API key's id, or the name that the door gives to whom a token or certificate names: printable ASCII, no spaces.
CALLER = re.compile(r"\*|(?:key_|oidc:|cert:|local:)[!-~]{1,250}")
CERTIFICATE = re.compile(r"[!-~]{1,255}")
ISSUER = re.compile(r"https://[!\"$-~]{1,200}")  # no # and no space
CLAIM = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True)
class Grant:
    """Roles for one caller, claim or certificate, or for all whose name fits a pattern.

    Attributes:
        name: of the caller or certificate; of a claim `claim_of` and its value.
    """

    line: int
    name: str
    value: str
    roles: tuple[str, ...]


def callers(node: Node, roles: Collection[str]) -> list[Grant]:
    """Return the roles of callers by name; a name may have wildcards, and * alone is every caller."""
    made = []
    for name, inner in node.members().items():
        if not CALLER.fullmatch(name):
            inner.refuse("a caller is key_…, oidc:… or cert:… in printable characters, or * for every one")
        check(inner, name)
        made.append(Grant(inner.line, name, "", role_words(inner, roles)))
    return made


def claims(node: Node, roles: Collection[str]) -> list[Grant]:
    """Return the roles of OIDC claims."""
    made, seen = [], set[tuple[str, str]]()
    for inner in node.tables():
        keys = ("issuer", "claim", "value", "roles")
        found = inner.table(*keys, required=keys)
        issuer = found["issuer"].matching(ISSUER, "the issuer's address, https://…, with no # in it")
        name = claim_of(
            issuer, found["claim"].matching(CLAIM, "a claim's name, up to 64 printable characters")
        )
        value = found["value"].text()
        _once(inner, (name, value), seen)
        made.append(Grant(inner.line, name, value, role_words(found["roles"], roles)))
    return made


def certificates(node: Node, roles: Collection[str]) -> list[Grant]:
    """Return the roles of certificates by the name in them, in which * may stand for one segment of the path."""
    made, seen = [], set[tuple[str, str]]()
    for inner in node.tables():
        found = inner.table("name", "roles", required=("name", "roles"))
        name = found["name"].matching(CERTIFICATE, "a name of 1 to 255 printable characters")
        segments = name.split("/")
        fixed = (
            3 if "://" in name else 1
        )  # the scheme and the trust domain of a SPIFFE id, or what comes first
        if name.count("*") > 1 or ("*" in name and "*" not in segments[fixed:]):
            found["name"].refuse("* may stand once, for one whole segment of the path")
        _once(inner, (name, ""), seen)
        made.append(Grant(inner.line, name, "", role_words(found["roles"], roles)))
    return made


class Holders:
    """All of them, to be asked: by name where it is whole, and the few patterns in turn."""

    def __init__(
        self, callers: Sequence[Grant], claims: Sequence[Grant], certificates: Sequence[Grant]
    ) -> None:
        self.callers, self.claims, self.certificates = tuple(callers), tuple(claims), tuple(certificates)
        self._callers, self._any_callers = _parted(callers)
        self._certificates, self._any_certificates = _parted(certificates)
        self._claims = {(grant.name, grant.value): grant for grant in claims}

    def roles_of(
        self, name: str, claims: Collection[tuple[str, str]], certificates: Collection[str]
    ) -> frozenset[str]:
        """Return the roles that the document gives to a name, to pairs of claim and value, and to certificate names."""
        given = [grant for grant in self._any_callers if matches(grant.name, name)]
        given += [self._callers[name]] if name in self._callers else []
        given += [self._claims[claim] for claim in claims if claim in self._claims]
        for one in certificates:
            given += [self._certificates[one]] if one in self._certificates else []
            path = one.split("/")
            given += [grant for grant in self._any_certificates if _fits(grant.name.split("/"), path)]
        return frozenset(role for grant in given for role in grant.roles)

    @property
    def given(self) -> frozenset[str]:
        """Return the roles that somebody has by the document."""
        return frozenset(
            role for grant in (*self.callers, *self.claims, *self.certificates) for role in grant.roles
        )


def _parted(grants: Sequence[Grant]) -> tuple[dict[str, Grant], list[Grant]]:
    """Return the grants of whole names, by name, and those of patterns."""
    whole = {grant.name: grant for grant in grants if "*" not in grant.name}
    return whole, [grant for grant in grants if "*" in grant.name]


def _fits(pattern: list[str], path: list[str]) -> bool:
    return len(pattern) == len(path) and all(
        piece == part or (piece == "*" and part) for piece, part in zip(pattern, path, strict=True)
    )


def _once(node: Node, key: tuple[str, str], seen: set[tuple[str, str]]) -> None:
    if key in seen:
        node.refuse("its roles are given above already: name them all in one place")
    seen.add(key)
