"""Who asks: from the Authorization header to an Actor, and whether the API key is good for what is asked.

An API key is 256 random bits after `sr_live_` or `sr_test_`, looked up by its SHA-256. What is known of a key
is kept for a second at most: a key revoked elsewhere works that long here, and a key revoked here not at all.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import g, request

from api.errors import FieldNotReached, Forbidden, Unauthenticated
from api.state import state
from vault import fields
from vault.columns import Actor, ApiKeyRecord

ANY = "any"  # every good API key may
KEPT_SECONDS = 1.0  # how long a looked-up key is believed
KEPT_KEYS = 4_096
LONGEST_KEY = 128  # characters; a longer one is not ours

_PREFIXES = ("sr_live_", "sr_test_")


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key's record, and what it may do, ready to be asked."""

    record: ApiKeyRecord
    operations: frozenset[str]
    fields: frozenset[str] | None


class Callers:
    """The API keys seen within the last second, by the SHA-256 of their text; at most `KEPT_KEYS`."""

    def __init__(self, look_up: Callable[[str], ApiKeyRecord | None]) -> None:
        self._look_up = look_up
        self._kept: dict[bytes, tuple[float, Caller]] = {}

    def find(self, text: str) -> Caller | None:
        """Return the caller whose API key is `text`, good or not; None if there never was one."""
        digest = hashlib.sha256(text.encode()).digest()
        kept, now = self._kept.get(digest), time.monotonic()
        if kept is not None and kept[0] > now:
            return kept[1]
        record = self._look_up(text)
        if record is None:
            return None
        fields = None if record.fields is None else frozenset(record.fields)
        caller = Caller(record, frozenset(record.operations), fields)
        if len(self._kept) >= KEPT_KEYS:
            self.forget()
        self._kept[digest] = (now + KEPT_SECONDS, caller)
        return caller

    def forget(self) -> None:
        """Look every key up anew: one was just revoked or replaced."""
        self._kept = {}


def admit(*operations: str) -> Actor:
    """Return who asks, if its API key is good now and for one of `operations`; else audit that it is not.

    Raises:
        Unauthenticated: no key, an unknown, an expired or a revoked one; the four look the same from outside.
        Forbidden: the key carries none of `operations`.
    """
    here = state()
    caller = here.callers.find(_bearer())
    if caller is None:
        raise Unauthenticated
    record = caller.record
    deadline = g.started + here.settings.request_seconds
    actor = Actor(record.tenant, record.mode, record.id, g.request_id, caller.fields, deadline)
    g.actor, g.caller = actor, caller
    if not _good(record, here.clock()):
        here.vault.record_refusal(actor, operations[0], Unauthenticated.code)
        raise Unauthenticated
    if operations[0] != ANY:
        need(*operations)
    return actor


def need(*operations: str) -> None:
    """Raise Forbidden, after an audit record, unless the current caller's key carries one of `operations`."""
    if g.caller.operations.isdisjoint(operations):
        state().vault.record_refusal(g.actor, operations[0], Forbidden.code)
        raise Forbidden(f"the API key does not carry the operation {' or '.join(operations)}")


def need_field(operation: str, field: str, pointer: str = "/field") -> None:
    """Raise FieldNotReached, after an audit record, unless the current caller's key reaches `field`.

    A name that no field type has is let through: the vault says so better.
    """
    granted = g.actor.fields
    if granted is None or field in granted:
        return
    if field in fields.names():
        state().vault.record_refusal(g.actor, operation, FieldNotReached.code)
        raise FieldNotReached("the API key does not reach this field", pointer)


def _bearer() -> str:
    """Return the API key of the Authorization header (RFC 6750, section 2.1)."""
    scheme, _, text = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text.startswith(_PREFIXES) or len(text) > LONGEST_KEY:
        raise Unauthenticated
    if not text.isascii():
        raise Unauthenticated
    return str(text)


def _good(record: ApiKeyRecord, now: float) -> bool:
    """Tell whether a key is neither revoked nor expired at `now`, seconds since 1970."""
    return record.revoked_at is None and (record.expires_at is None or now < record.expires_at)
