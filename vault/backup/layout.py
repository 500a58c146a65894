"""Where files lie below a target's root; docs/format.md has the same.

    INSTALLATION/keyring/manifests/0000000001.txt     INSTALLATION/keyring/chunks/DIGEST
    INSTALLATION/data/manifests/0000000001.txt        INSTALLATION/data/chunks/DIGEST
    INSTALLATION/audit/NAME                           old audit records, as `vault.audit.archive` writes them

INSTALLATION is 16 hex digits, a number ten digits, a digest the SHA-256 of the file's bytes in hex.
"""

from __future__ import annotations

import re

from vault.errors import InvalidRequest
from vault.store.streams import Stream

_MANIFEST = re.compile(r"([0-9a-f]{16})/(keyring|data)/manifests/([0-9]{10})\.txt")


def installation(number: int) -> str:
    """Return an installation's name: 16 hex digits."""
    return f"{number:016x}"


def checked(name: str) -> str:
    """Return an installation's name that somebody gave; InvalidRequest if it can be none."""
    if not re.fullmatch("[0-9a-f]{16}", name):
        raise InvalidRequest("an installation's name is 16 hex digits, as the folders at a target have them")
    return name


def manifests(installation: str, stream: Stream) -> str:
    """Return the prefix of a stream's manifests."""
    return f"{installation}/{stream}/manifests/"


def manifest(installation: str, stream: Stream, number: int) -> str:
    """Return the path of a manifest."""
    return f"{manifests(installation, stream)}{number:010}.txt"


def chunks(installation: str, stream: Stream) -> str:
    """Return the prefix of a stream's chunks."""
    return f"{installation}/{stream}/chunks/"


def chunk(installation: str, stream: Stream, digest: str) -> str:
    """Return the path of a chunk."""
    return f"{chunks(installation, stream)}{digest}"


def archived(installation: str, name: str) -> str:
    """Return the path of a file of old audit records."""
    return f"{installation}/audit/{name}"


def parsed(path: str) -> tuple[str, str, int] | None:
    """Return the installation, stream and number of a manifest's path; None if it is none."""
    found = _MANIFEST.fullmatch(path)
    return None if found is None else (found[1], found[2], int(found[3]))
