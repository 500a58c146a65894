"""An issuer's key set, from a file or over https: at most 2 seconds and 256 KiB, never by a redirect.

What is fetched is only as good as the connection: certificates are verified, and plain http is not spoken.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import urllib3
from urllib3.exceptions import HTTPError

from api.callers import strictjson

SECONDS = 2.0  # for all of it
LARGEST = 262_144  # bytes of a reply or file
DISCOVERY = "/.well-known/openid-configuration"  # OpenID Connect Discovery 1.0, section 4

_PART = 16_384  # bytes read at a time


class NotFetched(Exception):
    """The key set could not be had; the reason is in fixed words."""


class Source(Protocol):
    """Where key sets come from."""

    def fetch(self) -> bytes:
        """Return the key set as it is now; raise NotFetched."""


class File:
    """A file that the operator keeps up to date."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fetch(self) -> bytes:
        """Return what the file holds."""
        try:
            with self._path.open("rb") as file:
                content = file.read(LARGEST + 1)
        except OSError as error:
            raise NotFetched(f"the file cannot be read: {error.strerror}") from None
        if len(content) > LARGEST:
            raise NotFetched("the file is too large")
        return content


class Web:
    """An address that the issuer publishes its keys at, or the one that says where it does."""

    def __init__(
        self, issuer: str, url: str | None, ca: Path | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Fetch nothing yet.

        Args:
            url: of the key set; None to ask the issuer where it is.
            ca: PEM file of the certificate authorities to trust; the system's without it.
        """
        self._issuer, self._url, self._monotonic = issuer, url, monotonic
        self._pool = urllib3.PoolManager(
            1, cert_reqs="CERT_REQUIRED", ca_certs=None if ca is None else str(ca), retries=False
        )

    def fetch(self) -> bytes:
        """Return what the issuer publishes."""
        end = self._monotonic() + SECONDS
        return self._get(self._url or self._discovered(end), end)

    def _discovered(self, end: float) -> str:
        """Return the address of the key set; the document must be this issuer's (Discovery 1.0, section 4.3)."""
        try:
            found = strictjson.read(self._get(self._issuer.rstrip("/") + DISCOVERY, end))
        except ValueError:
            raise NotFetched("the issuer's configuration is no JSON") from None
        url = found.get("jwks_uri")
        if found.get("issuer") != self._issuer:
            raise NotFetched("the issuer's configuration is of another issuer")
        if not isinstance(url, str) or not url.startswith("https://"):
            raise NotFetched("the issuer's configuration names no keys over https")
        return url

    def _get(self, url: str, end: float) -> bytes:
        left = end - self._monotonic()
        if left <= 0:
            raise NotFetched("it took too long")
        try:
            response = self._pool.request(
                "GET", url, headers={"Accept": "application/json", "User-Agent": "strongroom"}, redirect=False,
                retries=False, preload_content=False, decode_content=False, timeout=urllib3.Timeout(total=left),
            )  # fmt: skip
        except (HTTPError, OSError, ValueError) as error:
            raise NotFetched(f"no answer ({type(error).__name__})") from None
        try:
            return self._body(response, end)
        except (HTTPError, OSError) as error:
            raise NotFetched(f"the answer was cut off ({type(error).__name__})") from None
        finally:
            response.close()

    def _body(self, response: urllib3.BaseHTTPResponse, end: float) -> bytes:
        if response.status != 200:
            raise NotFetched(f"the answer has status {response.status}")
        content = b""
        while part := response.read1(_PART):
            content += part
            if len(content) > LARGEST:
                raise NotFetched("the answer is too large")
            if self._monotonic() > end:  # a server that drips resets the socket's own time-out with each byte
                raise NotFetched("it took too long")
        return content
