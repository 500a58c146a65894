"""From a URL of the settings to a sink; one that cannot be meant is refused before anything is opened."""

from __future__ import annotations

import os
import re
import ssl
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from vault.errors import InvalidRequest
from vault.sinks import bucket, rfc5424
from vault.sinks.bounded import Bounded
from vault.sinks.fifo import FifoSink
from vault.sinks.file import FileSink
from vault.sinks.posting import is_fit
from vault.sinks.protocol import Sink
from vault.sinks.s3 import S3Sink
from vault.sinks.syslog import Local, Stream, SyslogSink
from vault.sinks.witness import WitnessSink

LEAST_PART = 65_536  # bytes of a part of a file

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What sinks need beside their URLs.

    Attributes:
        clock: seconds since 1970 (UTC).
        monotonic: the clock that deadlines count in, in seconds.
        s3_keys: access key and secret key of S3 sinks; None where there are none.
    """

    clock: Callable[[], float]
    monotonic: Callable[[], float]
    s3_keys: tuple[str, str] | None = field(default=None, repr=False)


def open_sink(url: str, around: Surroundings) -> Sink:
    """Return the sink that a URL names; nothing is opened or asked before its first call.

    `file:/path[?rotate=SIZE]`, `syslog+tcp://host:port`, `syslog+tls://host:port[?ca=FILE]`,
    `syslog+unix:/path`, each with `longest=BYTES` of a message; `s3://bucket/prefix?region=…[&endpoint=…]`,
    `witness+https://host/path?key=VKEY[&ca=FILE]`.

    Raises InvalidRequest if it is none of these, with what is wrong and never the URL.
    """
    try:
        parsed = urlsplit(url)
        makers = {
            "file": _file, "s3": _s3, "syslog+tcp": _syslog, "syslog+tls": _syslog, "syslog+unix": _syslog_here,
            "witness+http": _witness, "witness+https": _witness,
        }  # fmt: skip
        maker = makers.get(parsed.scheme)
        options = dict(parse_qsl(parsed.query, keep_blank_values=True, strict_parsing=bool(parsed.query)))
        port = parsed.port
    except ValueError:
        raise InvalidRequest("a sink's URL cannot be read") from None
    if maker is None:
        raise InvalidRequest(
            "a sink's URL begins with file:, syslog+tcp:, syslog+tls:, syslog+unix:, s3: or witness+https:"
        )
    if "@" in parsed.netloc or parsed.fragment:
        raise InvalidRequest("a sink's URL holds no user, password or fragment: secrets come from files")
    if port is None and parsed.scheme in {"syslog+tcp", "syslog+tls"}:
        raise InvalidRequest("a syslog sink's URL names host and port")
    return Bounded(maker(parsed, options, around))


def _file(parsed: SplitResult, options: Mapping[str, str], around: Surroundings) -> Sink:
    _known(options, "rotate")
    path = _path(parsed)
    try:
        pipe = stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        pipe = False
    if pipe:
        return FifoSink(path, around.monotonic)
    rotate = _size(options["rotate"]) if "rotate" in options else 0
    return FileSink(path, around.clock, rotate)


def _syslog(parsed: SplitResult, options: Mapping[str, str], around: Surroundings) -> Sink:
    tls = None
    if parsed.scheme == "syslog+tls":
        _known(options, "longest", "ca")
        tls = _trust(options)
    else:
        _known(options, "longest")
    if not parsed.hostname or parsed.path not in {"", "/"}:
        raise InvalidRequest("a syslog sink's URL names host and port")
    way = Stream(parsed.hostname, parsed.port or 0, around.monotonic, tls)
    return SyslogSink(way, _longest(options))


def _syslog_here(parsed: SplitResult, options: Mapping[str, str], around: Surroundings) -> Sink:
    _known(options, "longest")
    return SyslogSink(Local(_path(parsed), around.monotonic), _longest(options))


def _s3(parsed: SplitResult, options: Mapping[str, str], around: Surroundings) -> Sink:
    _known(options, "region", "endpoint")
    place = bucket.with_keys(bucket.parse(parsed, options), around.s3_keys)
    return S3Sink(place, around.monotonic)


def _witness(parsed: SplitResult, options: Mapping[str, str], around: Surroundings) -> Sink:
    _known(options, "key", "ca")
    address = parsed._replace(scheme=parsed.scheme.removeprefix("witness+"), query="").geturl().rstrip("/")
    if not is_fit(address):
        raise InvalidRequest("a witness's address is https, or http of this machine")
    # A + in a query is read as a space, and no key has one.
    trust = _trust(options) if address.startswith("https:") else None
    return WitnessSink(address, options.get("key", "").replace(" ", "+"), around.monotonic, trust)


def _path(parsed: SplitResult) -> Path:
    path = Path(unquote(parsed.path))
    if parsed.netloc or not path.is_absolute() or "\0" in parsed.path or path.name == "":
        raise InvalidRequest(
            f"a {parsed.scheme} sink's URL names an absolute path, such as {parsed.scheme}:/path"
        )
    return path


def _known(options: Mapping[str, str], *names: str) -> None:
    if not set(options) <= set(names):
        raise InvalidRequest(
            f"a sink's URL of this kind takes {' and '.join(names)} behind ? and nothing else"
        )


def _size(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,15})([KMG]?)", text)
    size = int(match[1]) * _UNITS[match[2]] if match else 0
    if size < LEAST_PART:
        raise InvalidRequest("rotate= is a number of bytes, K, M or G, 64K at least")
    return size


def _longest(options: Mapping[str, str]) -> int:
    text = options.get("longest", str(rfc5424.LONGEST))
    if not re.fullmatch("[0-9]{4,7}", text) or int(text) < rfc5424.LEAST:
        raise InvalidRequest(f"longest= is a number of bytes, {rfc5424.LEAST:,} at least")
    return int(text)


def _trust(options: Mapping[str, str]) -> ssl.SSLContext:
    """Return whom to trust: the authorities of the file that `ca` names, or the system's."""
    try:
        return ssl.create_default_context(cafile=options.get("ca"))
    except (OSError, ValueError):
        raise InvalidRequest("ca= names a PEM file with certificates of authorities") from None
