"""Where the server is and whom to trust for it: from arguments, else the environment; checked before use."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from strongroom_client.errors import Misconfigured

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}")


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address; `path` is what a proxy in front may have put before /v1, no slash at its end."""

    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def address(url: str | None) -> Address:
    """Return the address in `url`, or in STRONGROOM_URL; raise Misconfigured.

    Plain http is for loopback alone: values travel in the body.
    """
    text = url or os.environ.get("STRONGROOM_URL") or ""
    if not text:
        raise Misconfigured("no address is given", hint="pass url=, or set STRONGROOM_URL")
    parts, port = _split(text)
    if parts is None or parts.scheme not in ("http", "https") or not _is_host(parts.hostname):
        raise Misconfigured(
            "the address is no http or https URL", hint="it looks like https://vault.example:8700"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise Misconfigured("the address holds more than scheme, host, port and path")
    host = parts.hostname or ""
    if parts.scheme == "http" and not is_loopback(host):
        raise Misconfigured(
            "plain http to another machine is refused",
            hint="use https://, and STRONGROOM_CA for a CA of your own",
        )
    return Address(
        parts.scheme, host, port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/")
    )


def _split(text: str) -> tuple[SplitResult | None, int | None]:
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError:  # its text repeats the URL
        return None, None


def _is_host(host: str | None) -> bool:
    return host is not None and (":" in host or _HOST.fullmatch(host) is not None)


def is_loopback(host: str) -> bool:
    """Tell whether `host` (a name or an address, no port) can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def tls(ca: str | os.PathLike[str] | None) -> ssl.SSLContext:
    """Return TLS settings (1.2 or later) that trust `ca`, else STRONGROOM_CA, else what the system does.

    Args:
        ca: a PEM file of one or more certificates.
    Raises:
        Misconfigured: it is none.
    """
    try:
        context = ssl.create_default_context(cafile=ca or os.environ.get("STRONGROOM_CA") or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    except (OSError, ssl.SSLError) as error:
        reason = (
            error.strerror if isinstance(error, FileNotFoundError) else "it is no PEM file of certificates"
        )
    raise Misconfigured(
        f"the file of the certificate authority cannot be used: {reason}", hint="see ca= or STRONGROOM_CA"
    )
