"""What proves who asks: an API key, or a token in a file that somebody else keeps fresh."""

from __future__ import annotations

import os
import re
from pathlib import Path
from threading import Lock
from typing import Protocol

from strongroom_client.errors import Misconfigured

LONGEST_TOKEN = 8_192  # characters; the server takes no longer one

_KEY = re.compile(r"sr_(live|test)_[A-Za-z0-9_-]{16,256}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")  # RFC 7515, section 3.1
_KEYS, _TOKENS = ("STRONGROOM_API_KEY", "STRONGROOM_API_KEY_FILE"), "STRONGROOM_TOKEN_FILE"


class Credential(Protocol):
    """What is sent as a bearer token (RFC 6750)."""

    def text(self) -> str:
        """Return it as it is now; raise Misconfigured if there is none."""


class ApiKey:
    """An API key, which stays the same."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def text(self) -> str:
        """Return the key."""
        return self.__text


class TokenFile:
    """A token in a file, read anew when the file is another one or was written to; thread-safe.

    While the file is being written and holds no token, the one before stays.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Read it once; raise Misconfigured if it holds no token."""
        self._path, self._lock = Path(path), Lock()
        self._seen: tuple[int, int, int] | None = None
        self.__text = ""
        self.text()

    def text(self) -> str:
        """Return the token that the file holds now."""
        reason = ""
        try:
            found = self._path.stat()
            seen = found.st_ino, found.st_mtime_ns, found.st_size
            with self._lock:
                if seen != self._seen:
                    self._take(seen)
                return self.__text
        except OSError as error:
            reason = error.strerror or "no reason is known"
        raise Misconfigured(f"the file of the token cannot be read: {reason}", hint=f"see {_TOKENS}")

    def _take(self, seen: tuple[int, int, int]) -> None:
        try:
            self.__text, self._seen = _token(self._path), seen
        except Misconfigured:
            if not self.__text:
                raise


def credential(key: str | None, token_file: str | os.PathLike[str] | None) -> Credential:
    """Return what proves who asks: from the arguments, else the environment; raise Misconfigured.

    An argument goes before the environment; of two at one place, none is chosen.
    """
    if key and token_file:
        raise Misconfigured("both an API key and a file of a token are given", hint="pass one of them")
    if key:
        return ApiKey(_key(key))
    if token_file:
        return TokenFile(token_file)
    named = os.environ.get(_TOKENS)
    if named and any(os.environ.get(name) for name in _KEYS):
        raise Misconfigured(
            "both an API key and a file of a token are set", hint=f"unset {_TOKENS}, or {' and '.join(_KEYS)}"
        )
    return TokenFile(named) if named else ApiKey(api_key())


def api_key() -> str:
    """Return STRONGROOM_API_KEY, else what the file STRONGROOM_API_KEY_FILE names holds."""
    file = os.environ.get(_KEYS[1])
    text = os.environ.get(_KEYS[0]) or (_read(file) if file else "")
    if not text:
        hint = "set STRONGROOM_API_KEY, or STRONGROOM_API_KEY_FILE to a file that holds it"
        raise Misconfigured("no API key is given", hint=hint)
    return _key(text)


def _key(text: str) -> str:
    text = text.strip()
    if not _KEY.fullmatch(text):
        raise Misconfigured("the API key has not the form of one", hint="it begins with sr_live_ or sr_test_")
    return text


def _token(path: Path) -> str:
    with path.open("rb") as file:
        text = file.read(LONGEST_TOKEN + 3).decode("ascii", "replace").strip()
    if len(text) > LONGEST_TOKEN or not _TOKEN.fullmatch(text):
        hint = f"three parts with dots between, at most {LONGEST_TOKEN:,} characters"
        raise Misconfigured("the file of the token holds none", hint=hint)
    return text


def _read(file: str) -> str:
    try:
        return Path(file).read_bytes()[:1024].decode("ascii", "replace")
    except OSError as error:
        reason = error.strerror
    raise Misconfigured(f"the file STRONGROOM_API_KEY_FILE names cannot be read: {reason}")
