"""Ways to log in to Vault: AppRole, Kubernetes, or a token that somebody else keeps in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from keys.errors import RootLoginRefused
from keys.providers.transit.calls import Answer, Line, Refused
from keys.secret import Secret


@dataclass(frozen=True, slots=True)
class Token:
    """A token of Vault, for how many seconds (0: without end), and whether that can be prolonged."""

    text: str
    seconds: float
    renewable: bool


class Login(Protocol):
    """Gets a token."""

    def __call__(self, line: Line) -> Token:
        """Log in within the time that is set; raise RootLoginRefused, or what `Line.ask` raises."""
        ...

    def changed(self) -> bool:
        """Tell whether a token got before should be left for a new one."""
        ...


class AppRole:
    """A role id, and a secret id that is read anew at each login, or unwrapped once."""

    def __init__(
        self, role_id: Callable[[], str], secret_id: Callable[[], str], wrapped: bool, mount: str
    ) -> None:
        """Args: `role_id`, `secret_id` read theirs; `wrapped`: that is a wrapping token; `mount`: the method's."""
        self._role_id, self._secret_id, self._wrapped, self._mount = role_id, secret_id, wrapped, mount
        self._unwrapped: Secret | None = None

    def __call__(self, line: Line) -> Token:
        """Log in; RootLoginRefused if one of the two is wrong."""
        role, secret = self._role_id(), self._secret(line)
        client = line.client("")
        answer = _logged_in(line, self._mount, "role id or secret id is wrong, has ended, or was used up", lambda:
            client.auth.approle.login(role, secret, use_token=False, mount_point=self._mount))  # fmt: skip
        return _token(answer)

    def changed(self) -> bool:
        """A secret id that changed is read at the next login."""
        return False

    def _secret(self, line: Line) -> str:
        if not self._wrapped:
            return self._secret_id()
        if self._unwrapped is None:
            self._unwrapped = unwrap_secret_id(line, self._secret_id())
        return self._unwrapped.expose().decode()


class Kubernetes:
    """A service account's JWT, read anew at each login."""

    def __init__(self, role: str, jwt: Callable[[], str], mount: str) -> None:
        self._role, self._jwt, self._mount = role, jwt, mount

    def __call__(self, line: Line) -> Token:
        """Log in; RootLoginRefused if the role does not take the JWT."""
        jwt, client = self._jwt(), line.client("")
        answer = _logged_in(line, self._mount, "the role does not take this service account's JWT", lambda:
            client.auth.kubernetes.login(self._role, jwt, use_token=False, mount_point=self._mount))  # fmt: skip
        return _token(answer)

    def changed(self) -> bool:
        """A JWT that changed is read at the next login."""
        return False


class TokenFile:
    """A token in a file that an agent keeps good; it is read when it changes, and renewed if it can be."""

    def __init__(self, path: Path, read: Callable[[], str]) -> None:
        self._path, self._read = path, read
        self._seen: tuple[int, int] | None = None

    def __call__(self, line: Line) -> Token:
        """Read the file; Vault is not asked."""
        self._seen = self._mark()
        text = self._read()
        return Token(text, 0.0, True)

    def changed(self) -> bool:
        """Tell whether the file is another one than was read."""
        return self._seen is not None and self._mark() not in (None, self._seen)

    def _mark(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def unwrap_secret_id(line: Line, wrapping_token: str) -> Secret:
    """Return the secret id of a wrapping token, which opens this once (response wrapping)."""
    client = line.client(wrapping_token)
    refused = False
    try:
        answer = line.ask(client.sys.unwrap)
    except Refused:
        refused = True
    if refused:
        raise RootLoginRefused(
            "the wrapped secret id does not open: it has ended or was unwrapped before, which somebody else may "
            "have done; if it was none of yours, destroy that secret id and wrap a new one"
        )
    secret = _member(answer, "data", "secret_id")
    if not isinstance(secret, str) or not secret:
        raise RootLoginRefused("what was wrapped is no secret id")
    return Secret(secret.encode())


def _logged_in(line: Line, mount: str, why: str, question: Callable[[], object]) -> Answer:
    status = 0
    try:
        return line.ask(question)
    except Refused as refused:
        status = refused.status
    if status == 404:
        why = "no such auth method is mounted there"
    raise RootLoginRefused(f"Vault refuses the login at auth/{mount}/login: {why}")


def _token(answer: Answer) -> Token:
    text, seconds = _member(answer, "auth", "client_token"), _member(answer, "auth", "lease_duration")
    if not isinstance(text, str) or not isinstance(seconds, int):
        raise RootLoginRefused("Vault's answer to the login holds no token")
    return Token(text, float(seconds), bool(_member(answer, "auth", "renewable")))


def _member(answer: Answer, *names: str) -> object:
    found: object = answer
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
