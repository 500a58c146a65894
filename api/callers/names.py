"""Names of callers for policy, log and audit: printable ASCII without spaces, at most 128 characters, no two alike.

Whatever a token or certificate holds is percent-encoded (RFC 3986, section 2.1) but for letters, digits and marks that
mean nothing to a terminal, a log or TOML. A longer name is cut, and ends in a mark that no other name has and a digest
of the whole, so that two persons with a long beginning in common stay two.

>>> of_token("https://login.example.com", "ada lovelace")
'oidc:login.example.com#ada%20lovelace'
"""

from __future__ import annotations

import hashlib
from urllib.parse import quote

LONGEST = 128  # characters
_CUT = "~"
_DIGEST = 32  # hex digits: 128 bits
_MARKS = "!$'()*+,-./:;=?@_|"


def of_token(issuer: str, subject: str) -> str:
    """Return the name of whom an issuer calls `subject`.

    The issuer's whole address stays, without its scheme: realms of one host are different issuers.
    """
    return _within(f"oidc:{plain(issuer.removeprefix('https://'))}#{plain(subject)}")


def of_certificate(name: str) -> str:
    """Return the name of whom a certificate names `name`."""
    return _within(f"cert:{plain(name)}")


def plain(text: str) -> str:
    """Return a text percent-encoded as names have it."""
    return quote(text, safe=_MARKS).replace(_CUT, "%7E")


def _within(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{name[: LONGEST - _DIGEST - 1]}{_CUT}{digest}"
