"""Who asks: from the Authorization header to an Actor, and whether the API key is good for what is asked.

An API key is 256 random bits after `sr_live_` or `sr_test_`, looked up by its SHA-256. What is known of a key
is kept for a second at most: a key revoked elsewhere works that long here, and a key revoked here not at all.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from api.errors import FieldNotReached, Forbidden, Unauthenticated
from api.state import state
from api.visit import visit
from vault import fields
from vault.columns import Actor, ApiKeyRecord
from vault.errors import AuditUnavailable, CallerFrozen, SlowedDown

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


def admit(*operations: str, unaudited: bool = False) -> Actor:
    """Return who asks, if its API key is good now and for one of `operations`; else audit that it is not.

    Args:
        unaudited: let it in, too, while no place outside takes the audit's records.

    Raises:
        AuditUnavailable: none does.
        Unauthenticated: no key, an unknown, an expired or a revoked one; the four look the same from outside.
        CallerFrozen, SlowedDown: the caller may do nothing now.
        Forbidden: the key carries none of `operations`.
    """
    here, asked = state(), visit()
    caller = here.callers.find(_bearer(asked.environ.get("HTTP_AUTHORIZATION", "")))
    if caller is None:
        raise Unauthenticated
    record = caller.record
    deadline = asked.started + here.settings.request_seconds
    actor = Actor(
        record.tenant, record.mode, record.id, asked.id, caller.fields, deadline,
        roles=frozenset(record.roles), approval=asked.environ.get("HTTP_APPROVAL"),
    )  # fmt: skip
    asked.caller, asked.actor = caller, actor
    if not _good(record, here.clock()):
        here.vault.record_refusal(actor, operations[0], Unauthenticated.code)
        raise Unauthenticated
    if not unaudited:
        _require_audit(actor, operations[0])
    _require_thawed(actor, operations[0])
    if operations[0] != ANY and caller.operations.isdisjoint(operations):
        _forbid(actor, operations)
    return actor


def _require_thawed(actor: Actor, operation: str) -> None:
    """Raise CallerFrozen or SlowedDown, after an audit record, if the caller may do nothing now."""
    try:
        state().vault.governance.require_thawed(actor)
    except (CallerFrozen, SlowedDown) as error:
        state().vault.record_refusal(actor, operation, error.code)
        raise


def need(actor: Actor, operation: str) -> None:
    """Raise Forbidden, after an audit record, unless the current caller's key carries `operation`."""
    if operation not in visit().caller.operations:
        _forbid(actor, (operation,))


def need_field(actor: Actor, operation: str, field: str) -> None:
    """Raise FieldNotReached, after an audit record, unless the key reaches `field`.

    A name that no field type has is let through: the vault says so better.
    """
    if actor.fields is None or field in actor.fields or field not in fields.names():
        return
    state().vault.record_refusal(actor, operation, FieldNotReached.code)
    raise FieldNotReached("the API key does not reach this field", "/field")


def _require_audit(actor: Actor, operation: str) -> None:
    """Raise AuditUnavailable, after an audit record, while no place outside takes the audit's records."""
    vault = state().vault
    try:
        vault.require_audit()
    except AuditUnavailable:
        vault.record_refusal(actor, operation, AuditUnavailable.code)
        raise


def _forbid(actor: Actor, operations: tuple[str, ...]) -> NoReturn:
    state().vault.record_refusal(actor, operations[0], Forbidden.code)
    raise Forbidden(f"the API key does not carry the operation {' or '.join(operations)}")


def _bearer(header: str) -> str:
    """Return the API key of an Authorization header (RFC 6750, section 2.1)."""
    scheme, _, text = header.partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text.startswith(_PREFIXES) or len(text) > LONGEST_KEY:
        raise Unauthenticated
    if not text.isascii():
        raise Unauthenticated
    return text


def _good(record: ApiKeyRecord, now: float) -> bool:
    """Tell whether a key is neither revoked nor expired at `now`, seconds since 1970."""
    return record.revoked_at is None and (record.expires_at is None or now < record.expires_at)
