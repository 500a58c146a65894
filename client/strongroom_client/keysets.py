"""Keysets, their versions and the root keys that wrap them: looked at, turned, taken out of use, destroyed."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

from strongroom_client.jobs import Job
from strongroom_client.options import wire
from strongroom_client.retries import Repeat
from strongroom_client.session import Session, encode


class KeyVersion(Struct, frozen=True, kw_only=True):
    """One key version, without its key; times in UTC, None where there is none.

    Attributes:
        state: pre-active, active, suspended, deactivated, compromised or destroyed (SP 800-57 Part 1 Rev. 5, 7).
        root: the name of the root key that wraps it.
        destroy_at: when it will be destroyed, if that is planned.
        messages, max_messages: sealed under it so far, and at most; of the keysets seal and password alone.
        expires_at: the end of its cryptoperiod, while it is the one that seals.
        condition: "ok"; "due" from nine tenths of time or messages on; "over" when it seals no more.
        needed_by: how much of each thing needs it; None where that was not counted.
        forfeits: the backups that were given up just now, as they need it.
    """

    id: str
    state: str
    root: str
    created_at: datetime
    activated_at: datetime | None = None
    deactivated_at: datetime | None = None
    destroy_at: datetime | None = None
    messages: int = 0
    max_messages: int = 0
    expires_at: datetime | None = None
    condition: str = "ok"
    needed_by: dict[str, int] | None = None
    forfeits: tuple[int, ...] = ()


class Keyset(Struct, frozen=True, kw_only=True):
    """The versions of a key for one purpose, the oldest first.

    Attributes:
        purpose: seal, index, audit, password or route.
        rotates: False where it never turns: route.
    """

    purpose: str
    rotates: bool
    versions: list[KeyVersion]
    generation: int = 0


class Root(Struct, frozen=True):
    """A root key: the newest version of its own key, None if that has none; `state` is "ok" or a code."""

    name: str
    version: int | None
    state: str


class _Keysets(Struct):
    keysets: list[Keyset]


class _Roots(Struct):
    roots: list[Root]


class Keysets(Session):
    """The calls of key custodians: those that read need the operation keys, the others custody or roots.

    What starts a job returns it at once; `wait_for_job` waits for its end. It is sent again only while the server
    cannot have seen it; code job_running tells that a job is at work on the same thing.
    """

    def keysets(self) -> list[Keyset]:
        """Return the tenant's keysets, without counting what needs their versions."""
        return self._call("GET", "/v1/keysets", _Keysets).keysets

    def keyset(self, purpose: str) -> Keyset:
        """Return one keyset and what needs each version; raise NotFound (code unknown_keyset)."""
        return self._call("GET", f"/v1/keysets/{_segment(purpose)}", Keyset)

    def rotate_keyset(self, purpose: str) -> Job:
        """Start a job that gives a keyset a new primary and brings everything under it."""
        return self._start(f"/v1/keysets/{_segment(purpose)}/rotate")

    def compromise_key(self, key_id: str) -> Job:
        """Start a job that takes everything from under a leaked version, and destroys it."""
        return self._start(f"{_key(key_id)}/compromise")

    def disable_key(self, key_id: str) -> KeyVersion:
        """Suspend a version that nothing needs; code key_in_use says what does."""
        return self._call("POST", f"{_key(key_id)}/disable", KeyVersion)

    def enable_key(self, key_id: str) -> KeyVersion:
        """Let a suspended version open again."""
        return self._call("POST", f"{_key(key_id)}/enable", KeyVersion)

    def destroy_key(
        self, key_id: str, *, wait_seconds: int | None = None, forfeit_backups: bool = False
    ) -> KeyVersion:
        """Plan the destruction of a version that nothing needs; code key_in_use says what does.

        Args:
            wait_seconds: 86,400 to 31,536,000; default 30 days.
            forfeit_backups: give the backups up that need it: `forfeits` of what is returned.
        """
        body = encode(wire({"wait_seconds": wait_seconds, "forfeit_backups": forfeit_backups or None}))
        return self._call("POST", f"{_key(key_id)}/destroy", KeyVersion, body=body)

    def cancel_destruction(self, key_id: str) -> KeyVersion:
        """Call a planned destruction off; code key_state if none is planned."""
        return self._call("POST", f"{_key(key_id)}/cancel", KeyVersion, repeat=Repeat.UNSENT)

    def roots(self) -> list[Root]:
        """Return the root keys that the server's settings list."""
        return self._call("GET", "/v1/roots", _Roots).roots

    def move_root(self, to: str) -> Job:
        """Start a job that wraps every tenant's keysets under the root key `to`."""
        return self._start("/v1/roots/move", {"to": to})

    def rotate_root(self, root: str) -> Job:
        """Start a job that turns a root's own key, wraps every keyset anew, and retires its older versions."""
        return self._start("/v1/roots/rotate", {"root": root})

    def rewrap(self, root: str) -> Job:
        """Start a job that wraps every keyset under the newest version of its root's own key."""
        return self._start("/v1/roots/rewrap", {"root": root})

    def _start(self, path: str, ask: dict[str, str] | None = None) -> Job:
        body = None if ask is None else encode(ask)
        return self._call("POST", path, Job, body=body, repeat=Repeat.UNSENT)


def _key(key_id: str) -> str:
    return f"/v1/keys/{_segment(key_id)}"


def _segment(text: str) -> str:
    return quote(text, safe="").replace(".", "%2E")
