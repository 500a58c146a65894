"""What the URLs of targets name, without anything being opened: the libraries that reach them are not needed for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from vault.errors import InvalidRequest
from vault.sinks import bucket
from vault.sinks.bucket import Bucket

SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class DirectoryPlace:
    """A folder of this machine; `mounted`: only while a file system of its own is mounted there."""

    path: Path
    mounted: bool

    @property
    def name(self) -> str:
        """`file:` and the path."""
        return f"file:{self.path}"


@dataclass(frozen=True, slots=True)
class SftpPlace:
    """An absolute path at a server that speaks SFTP."""

    user: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """`sftp://user@host:port/path`; port 22 is not said."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == SSH_PORT else f":{self.port}"
        return f"sftp://{self.user}@{host}{port}{self.path}"


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket, and the one that keyrings go to; None where that is the same."""

    bucket: Bucket
    keyrings: Bucket | None

    @property
    def name(self) -> str:
        """`s3://bucket/prefix`."""
        return self.bucket.name


Place = DirectoryPlace | SftpPlace | S3Place


def parse(url: str) -> Place:
    """Return what a URL names.

    `file:/path[?mounted=yes]`, `sftp://user@host[:port]/path`,
    `s3://bucket/prefix?region=…[&endpoint=…][&keyrings=BUCKET]`.

    Raises InvalidRequest if it is none of these, with what is wrong and never the URL.
    """
    try:
        parsed = urlsplit(url)
        options = dict(parse_qsl(parsed.query, keep_blank_values=True, strict_parsing=bool(parsed.query)))
        _ = parsed.port
    except ValueError:
        raise InvalidRequest("a target's URL cannot be read") from None
    maker = {"file": _directory, "sftp": _sftp, "s3": _s3}.get(parsed.scheme)
    if maker is None:
        raise InvalidRequest("a target's URL begins with file:, sftp:// or s3://")
    if parsed.fragment or parsed.password is not None or not url.isascii() or not url.isprintable():
        raise InvalidRequest(
            "a target's URL is ASCII and holds no password and no fragment: secrets come from files"
        )
    return maker(parsed, options)


def _directory(parsed: SplitResult, options: Mapping[str, str]) -> Place:
    _known(options, "mounted")
    if options.get("mounted", "yes") != "yes":
        raise InvalidRequest("mounted= is yes, or left out")
    if parsed.netloc:
        raise InvalidRequest("a file target's URL names an absolute path, such as file:/path")
    return DirectoryPlace(Path(_path(parsed)), "mounted" in options)


def _sftp(parsed: SplitResult, options: Mapping[str, str]) -> Place:
    _known(options)
    user, host = unquote(parsed.username or ""), parsed.hostname or ""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", user) or not re.fullmatch(
        r"[a-z0-9.:_-]{1,255}", host
    ):
        raise InvalidRequest("an SFTP target's URL names user and host, such as sftp://backup@host/path")
    return SftpPlace(user, host, parsed.port or SSH_PORT, _path(parsed))


def _s3(parsed: SplitResult, options: Mapping[str, str]) -> Place:
    _known(options, "region", "endpoint", "keyrings")
    if "@" in parsed.netloc:
        raise InvalidRequest("an S3 URL names a bucket")
    backups = bucket.parse(parsed, options)
    if "keyrings" not in options:
        return S3Place(backups, None)
    keyrings = bucket.parse(parsed._replace(netloc=options["keyrings"]), options)
    if keyrings.bucket == backups.bucket:
        raise InvalidRequest("keyrings= names another bucket than that of the backups")
    return S3Place(backups, keyrings)


def _path(parsed: SplitResult) -> str:
    """Return an absolute path in its plain form, so that a place has one name."""
    path = unquote(parsed.path)
    if not path.startswith("/") or "\0" in path or ".." in path.split("/") or not path.strip("/."):
        raise InvalidRequest(f"a {parsed.scheme} target's URL names an absolute path, and not the root")
    return str(PurePosixPath("/" + path.lstrip("/")))


def _known(options: Mapping[str, str], *names: str) -> None:
    if not set(options) <= set(names):
        what = f"takes {' and '.join(names)} behind ? and nothing else" if names else "takes nothing behind ?"
        raise InvalidRequest(f"a target's URL of this kind {what}")
