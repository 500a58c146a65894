"""The address that a request comes from, in one form: as the network says it, or the proxy in front.

A peer over TCP is whoever it is, and its headers are its own words. Over the Unix socket the peer is the proxy, which
adds the address that it sees at the end of one header: `X-Forwarded-For`, or `Forwarded` (RFC 7239). The settings say
which, for of the other it lets through what a caller made up.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Literal

from api.intake import Environ

Header = Literal["x-forwarded-for", "forwarded"]

LONGEST = 4_096  # characters of a header that is looked at
_KEYS = {"x-forwarded-for": "HTTP_X_FORWARDED_FOR", "forwarded": "HTTP_FORWARDED"}
# RFC 7239, section 4: a pair's value is a token (RFC 9110, 5.6.2) or a quoted string (5.6.4).
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR = rf'({_WORD})=({_WORD}|"(?:[^"\\]|\\.)*")'
_BARE_PAIR = _PAIR.replace("(" + _WORD, "(?:" + _WORD)
_ELEMENT = re.compile(rf"\s*(?:{_BARE_PAIR})?(?:\s*;\s*(?:{_BARE_PAIR})?)*\s*")
_PAIRS = re.compile(_PAIR)
_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+)(?::[0-9]{1,5})?")


def of(environ: Environ, header: Header) -> str | None:
    """Return the address that a request comes from; None if the proxy did not write one that can be read.

    Args:
        header: which one the proxy in front writes; nothing is read of it unless the peer is a Unix socket's.
    """
    if not is_local(environ):
        return normal(environ["REMOTE_ADDR"])
    text = environ.get(_KEYS[header], "")
    return last(text, header) if text and len(text) <= LONGEST else None


def is_local(environ: Environ) -> bool:
    """Whether the peer came over a Unix socket: granian writes no address for it."""
    return not environ.get("REMOTE_ADDR")


@lru_cache(maxsize=4_096)
def normal(text: str) -> str | None:
    """Return an address in its one form, an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) as IPv4; None if it is none.

    >>> normal("::ffff:192.0.2.1")
    '192.0.2.1'
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:  # the zone of one machine, in the caller's own words
            return None
        address = address.ipv4_mapped or address
    return str(address)


@lru_cache(maxsize=4_096)
def last(text: str, header: Header) -> str | None:
    """Return the last address of a header's value; None if that is no address, such as `unknown` or `_hidden`."""
    if header == "x-forwarded-for":
        return _address(text.rpartition(",")[2].strip())
    found = [value for name, value in _PAIRS.findall(_last_element(text)) if name.lower() == "for"]
    return _address(found[0].strip('"')) if len(found) == 1 else None


def _last_element(text: str) -> str:
    """Return the last element of a Forwarded header, "" if the header is not of RFC 7239's form."""
    at, element = 0, ""
    while True:
        match = _ELEMENT.match(text, at)
        element, at = (match[0], match.end()) if match else ("", at)
        if at == len(text):
            return element.strip()
        if text[at] != ",":
            return ""
        at += 1


def _address(text: str) -> str | None:
    """Return an address that may have a port, an IPv6 one in brackets then (RFC 7239, section 6)."""
    found = _PORT.fullmatch(text)
    return normal(found[1] or found[2]) if found else normal(text)
