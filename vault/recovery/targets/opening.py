"""From a URL of the settings to a target; one that cannot be meant is refused before anything is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vault.errors import InvalidRequest
from vault.recovery.targets.bounded import Bounded, Server
from vault.recovery.targets.directory import Directory
from vault.recovery.targets.patience import Patience
from vault.recovery.targets.places import DirectoryPlace, S3Place, SftpPlace, parse
from vault.sinks import bucket


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What targets need beside their URLs.

    Attributes:
        monotonic: the clock that deadlines count in, in seconds.
        ssh_key: the private key of targets that speak SFTP, in a file of OpenSSH.
        known_hosts: their host keys, a file as OpenSSH's.
        s3_keys: access key and secret key of those that speak S3; None where there are none.
        patience: how long a server may take.
    """

    monotonic: Callable[[], float]
    ssh_key: Path | None = None
    known_hosts: Path | None = None
    s3_keys: tuple[str, str] | None = field(default=None, repr=False)
    patience: Patience = field(default_factory=Patience)


def open_target(url: str, around: Surroundings) -> Bounded:
    """Return the target that a URL names, which satisfies `protocol.Target`; no server is asked before its first call.

    Raises InvalidRequest as `places.parse` does, and if a key or a file that it needs is missing or of no use.
    """
    place = parse(url)
    server: Server
    if isinstance(place, DirectoryPlace):
        server = Directory(place.path, place.mounted)
    elif isinstance(place, SftpPlace):
        server = _sftp(place, around)
    else:
        server = _s3(place, around)
    return Bounded(server, around.monotonic, around.patience)


def _sftp(place: SftpPlace, around: Surroundings) -> Server:
    from vault.recovery.targets.login import Account, read_key  # paramiko is for who uses it
    from vault.recovery.targets.sftp import Sftp

    if around.ssh_key is None or around.known_hosts is None:
        raise InvalidRequest("an SFTP target needs a file with its key, and one with the keys of known hosts")
    try:
        key = read_key(around.ssh_key)
    except (OSError, ValueError):
        raise InvalidRequest(
            "the key file of SFTP holds no private key that opens without a password"
        ) from None
    _require_known(around.known_hosts)
    return Sftp(Account(place.user, place.host, place.port, key, around.known_hosts), place)


def _require_known(file: Path) -> None:
    """Raise InvalidRequest if the file cannot be read, or says what would be overlooked: lines with @ before a host."""
    try:
        lines = file.read_text("ascii").splitlines()
    except (OSError, ValueError):
        raise InvalidRequest("the file of known hosts cannot be read") from None
    if any(line.lstrip().startswith("@") for line in lines):
        raise InvalidRequest(
            "the file of known hosts has @cert-authority or @revoked, which are not understood here"
        )


def _s3(place: S3Place, around: Surroundings) -> Server:
    from vault.recovery.targets.s3 import S3  # obstore is for who uses it

    keyrings = None if place.keyrings is None else bucket.with_keys(place.keyrings, around.s3_keys)
    return S3(bucket.with_keys(place.bucket, around.s3_keys), keyrings, around.patience)
