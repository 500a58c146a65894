"""The request line and its Host: what a proxy in front could read in another way is refused.

WSGI hands over a path that is percent-decoded, and Werkzeug reads on kindly: it takes `get` for GET, `//v1` for `/v1`
and bytes that are no UTF-8 for U+FFFD. A rule of a proxy would not have met the first two, and the third is another
person's name.
"""

from __future__ import annotations

import re

from flask import request
from werkzeug.routing import PathConverter

from api.errors import BadRequest
from api.intake import Environ

# Host of RFC 9110, section 7.2, without the marks that no name has; two of them come joined by a comma.
_HOST = re.compile(r"(?:[A-Za-z0-9._~%-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?")


class AnyPath(PathConverter):
    """A part of a path that may begin with a slash: a subject may."""

    regex, part_isolating = ".+?", False


def check() -> None:
    """Raise BadRequest unless the current request says in one way only what it wants."""
    environ: Environ = request.environ
    if not environ["REQUEST_METHOD"].isupper():
        raise BadRequest("a method is written in capital letters")
    path = environ["PATH_INFO"]
    if path.startswith("//"):
        raise BadRequest("the path begins with two slashes")
    if not path.isascii():
        _check_utf8(path)
    if not _HOST.fullmatch(environ.get("HTTP_HOST", "")) and environ["SERVER_PROTOCOL"] == "HTTP/1.1":
        raise BadRequest("Host is missing, or given twice, or no name of a host")


def _check_utf8(path: str) -> None:
    """Raise BadRequest unless a path, which WSGI (PEP 3333) writes as Latin-1, is UTF-8."""
    try:
        path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise BadRequest("the path is not UTF-8") from None
