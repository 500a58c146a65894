"""Plain and salted digests: a declared layout, or what Django, werkzeug, Spring and LDAP declare by their texts.

The canonical text is `$layout$` layout `$` salt `$` digest, for instance `$layout$md5(md5(password)+salt)$NTY4$…`, salt
and digest in bare base64. The scheme is layout.

LDAP (RFC 2307, section 5.3, and OpenLDAP's pw-sha2): `{SSHA}` and base64 of digest and salt, the digest being over
password and salt. Spring's MessageDigestPasswordEncoder: `{MD5}{salt}` and hex, over the password and the salt in
its braces. Django: `sha1$salt$` and hex, over salt and password.
"""

from __future__ import annotations

import re

from vault.errors import UnreadableHash
from vault.passwords.legacy import expression, parts
from vault.passwords.legacy.family import SMALL

_HEX = re.compile("[0-9A-Fa-f]+")
_CANONICAL = re.compile(r"\$layout\$([^$]*)\$([A-Za-z0-9+/]*)(?:\$([A-Za-z0-9+/]+))?")
_DJANGO = re.compile(r"(md5|sha1)\$([^$]*)\$([0-9a-f]+)")
_SPRING = re.compile(r"\{(MD5|SHA-1|SHA-256)\}(\{[^{}]*\})?([A-Za-z0-9+/=]+)")
_LDAP = re.compile(r"(?:\{ldap\})?\{([Ss]?)(MD5|SHA|SHA256|SHA384|SHA512|sha)\}([A-Za-z0-9+/=]+)")
_LDAP_NAMES = ("SHA", "SSHA", "MD5", "SMD5", "SHA256", "SSHA256", "SHA384", "SSHA384", "SHA512", "SSHA512")
_LEAST_LDAP_SALT, _MOST_LDAP_SALT = 4, 64  # bytes; slapd writes 8, once 4

schemes = ("layout",)
prefixes = (
    *("$layout$", "md5$", "sha1$", "{SHA-1}", "{SHA-256}", "{sha}", "{ssha}", "{ldap}{sha}", "{ldap}{ssha}"),
    *(f"{{{name}}}" for name in _LDAP_NAMES),
    *(f"{{ldap}}{{{name}}}" for name in _LDAP_NAMES),
)


def declare(text: str, salt: str | None, layout: str) -> tuple[str, str]:
    """Return scheme and canonical text of a digest with a declared layout.

    Args:
        text: the digest, in hex of either case or in base64 with or without padding.
        salt: UTF-8, or hex or base64 behind `hex:` or `base64:`; None or "" if the layout has none.
    Raises:
        UnknownScheme: the layout is none.
        UnreadableHash: the digest has not the algorithm's length, or the salt is missing, too much or unreadable.
    """
    parsed = expression.parse(layout)
    if parsed.uses("salt") != bool(salt):
        raise UnreadableHash("the layout has a salt and the hash none, or the reverse")
    return _written(str(parsed), _salt(salt) if salt else b"", _either(text))


def read(text: str) -> tuple[str, str]:
    """Return the scheme and the canonical text."""
    if found := _DJANGO.fullmatch(text):
        return _django(*found.groups())
    if found := _SPRING.fullmatch(text):
        name, salt = found[1].replace("-", "").lower(), found[2] or ""
        raw = parts.from_padded(found[3]) if found[3].endswith("=") else parts.from_hex(found[3])
        return _written(_layout(name, salt), salt.encode(), raw)
    if found := _LDAP.fullmatch(text):
        return _ldap(*found.groups())
    layout, salt, digest = parts.fields(_CANONICAL, text).groups(default="")
    return _written(layout, parts.from_bare(salt), parts.from_bare(digest))


def digest(scheme: str, setting: str, password: bytes) -> str:
    """Return the canonical text of the password, whatever its bytes."""
    head, layout, salt = _parse(setting)
    return f"{head}${parts.to_bare(layout.over(password, salt))}"


def setting(scheme: str, encoded: str) -> str:
    """Return the canonical text as far as its salt."""
    return _parse(encoded)[0]


def memory(scheme: str, setting: str) -> int:
    """Return kibibytes: next to nothing."""
    _parse(setting)
    return SMALL


def _layout(name: str, salt: str | bytes) -> str:
    return f"{name}(password+salt)" if salt else f"{name}(password)"


def _django(name: str, salt: str, digest: str) -> tuple[str, str]:
    # werkzeug wrote the same text for an HMAC, with salts of 8 or 16 characters: Django's have 5, 12 or 22. Whoever
    # took the one for the other would lose the password.
    if len(salt) in (8, 16):
        raise parts.unknown()
    layout = f"{name}(salt+password)" if salt else f"{name}(password)"
    return _written(layout, salt.encode(), parts.from_hex(digest))


def _ldap(salted: str, said: str, encoded: str) -> tuple[str, str]:
    name = "sha1" if said in ("SHA", "sha") else said.lower()
    data = parts.from_padded(encoded)
    digest, salt = data[: expression.SIZES[name]], data[expression.SIZES[name] :]
    if len(salt) not in range(_LEAST_LDAP_SALT, _MOST_LDAP_SALT + 1) if salted else salt:
        raise parts.unreadable()
    return _written(_layout(name, salt), salt, digest)


def _either(text: str) -> bytes:
    """Return a digest that is in hex or in base64; what could be both is hex, perhaps cut off."""
    return parts.from_hex(text.lower()) if _HEX.fullmatch(text) else _from_base64(text)


def _from_base64(text: str) -> bytes:
    return parts.from_padded(text) if text.endswith("=") else parts.from_bare(text)


def _salt(text: str) -> bytes:
    kind, colon, encoded = parts.clean(text).partition(":")
    if kind + colon == "hex:":
        return parts.from_hex(encoded.lower())
    return _from_base64(encoded) if kind + colon == "base64:" else text.encode()


def _written(layout: str, salt: bytes, digest: bytes) -> tuple[str, str]:
    parsed = expression.parse(layout)
    head = f"$layout${parsed}${parts.to_bare(parts.salted(salt))}"
    if parsed.uses("salt") != bool(salt) or len(digest) != expression.SIZES[parsed.algorithm]:
        raise parts.unreadable()
    return schemes[0], f"{head}${parts.to_bare(digest)}"


def _parse(text: str) -> tuple[str, expression.Digest, bytes]:
    """Return setting, layout and salt."""
    layout, salt, _ = parts.fields(_CANONICAL, text).groups(default="")
    parsed = expression.parse(layout)
    return f"$layout${parsed}${salt}", parsed, parts.from_bare(salt)
