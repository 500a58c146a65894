"""Who asks: from a request's headers to an Actor, and whether the caller is good for what is asked.

An API key is 256 random bits after `sr_live_` or `sr_test_`, looked up by its SHA-256. Other callers come by a token of
an issuer that the file of callers names, or by a certificate that a proxy in front has verified. What is known of a
caller is kept for a second at most: a key revoked elsewhere works that long here, and a key revoked here not at all.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from api.callers import origin
from api.callers.caller import Caller, of_key
from api.callers.refused import NotBelieved
from api.errors import BadRequest, FieldNotReached, Forbidden, Unauthenticated
from api.intake import Environ
from api.state import state
from api.visit import visit
from vault import fields
from vault.columns import Actor, ApiKeyRecord
from vault.errors import AuditUnavailable, CallerFrozen, SlowedDown

if TYPE_CHECKING:
    from api.callers.directory import Directory

ANY = "any"  # every good caller may
KEPT_SECONDS = 1.0  # how long what was looked up is believed
KEPT_KEYS = 4_096
LONGEST_KEY = 128  # characters; a longer one is not ours

_PREFIXES = ("sr_live_", "sr_test_")
_APPROVAL = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Callers:
    """The callers seen within the last second, by the SHA-256 of what they showed; at most `KEPT_KEYS`."""

    def __init__(
        self,
        look_up: Callable[[str], ApiKeyRecord | None],
        directory: Directory | None = None,
        certificates: bool = False,
    ) -> None:
        """Look API keys up by `look_up`.

        Args:
            directory: the callers beside API keys, where there are any.
            certificates: believe the certificates that come over a Unix socket.
        """
        self._look_up, self._directory = look_up, directory
        self._by_token = None if directory is None else directory.by_token
        self._by_certificate = directory.by_certificate if directory is not None and certificates else None
        self._kept: dict[bytes, tuple[float, Caller]] = {}

    def who(self, environ: Environ) -> Caller:
        """Return who sent a request, good now or not.

        With a certificate beside an API key or token, the caller is the latter, and the former must be good and of
        the same tenant: that is told by what is wrong with the caller.

        Raises:
            Unauthenticated: it shows nothing of ours.
            NotBelieved: it shows a token or certificate that says nothing.
            IssuerUnavailable: what a token says cannot be told now.
        """
        header = environ.get("HTTP_AUTHORIZATION")
        believed = self._by_certificate if origin.is_local(environ) else None
        if believed is not None and (shown := environ.get("HTTP_CLIENT_CERT")):
            return self._with_certificate(header, self._kept_or(b"certificate", shown, believed))
        if header is None:
            raise Unauthenticated
        return self._of(header)

    def find(self, text: str) -> Caller | None:
        """Return the caller whose API key is `text`, good or not; None if there never was one."""
        return self._kept_or(b"key", text, self._by_key)

    def forget(self) -> None:
        """Look every caller up anew: a key was just revoked or replaced."""
        self._kept = {}

    def warm(self) -> None:
        """Get ready for the first token."""
        if self._directory is not None:
            self._directory.warm()

    def _of(self, header: str) -> Caller:
        """Return whom an Authorization header names (RFC 6750, section 2.1)."""
        scheme, _, text = header.partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text.isascii():
            raise Unauthenticated
        if text.startswith(_PREFIXES):
            found = self.find(text) if len(text) <= LONGEST_KEY else None
        else:
            found = None if self._by_token is None else self._kept_or(b"token", text, self._by_token)
        if found is None:
            raise Unauthenticated
        return found

    def _with_certificate(self, header: str | None, named: Caller | None) -> Caller:
        if named is None:
            raise Unauthenticated
        if header is None:
            return named
        caller = self._of(header)
        if (caller.tenant, caller.mode) != (named.tenant, named.mode):
            raise NotBelieved("certificate_tenant")
        return caller.beside(named)

    def _by_key(self, text: str) -> Caller | None:
        record = self._look_up(text)
        return None if record is None else of_key(record)

    def _kept_or(self, kind: bytes, text: str, look_up: Callable[[str], Caller | None]) -> Caller | None:
        """Return the caller that is known by what it showed, else by `look_up`; each kind is known apart."""
        digest = hashlib.sha256(kind + text.encode()).digest()
        kept, now = self._kept.get(digest), time.monotonic()
        if kept is not None and kept[0] > now:
            return kept[1]
        caller = look_up(text)
        if caller is None:
            return None
        if len(self._kept) >= KEPT_KEYS:
            self.forget()
        self._kept[digest] = (now + KEPT_SECONDS, caller)
        return caller


def admit(*operations: str, unaudited: bool = False) -> Actor:
    """Return who asks, if the caller is good now and for one of `operations`; else audit that it is not.

    Args:
        unaudited: let it in, too, while no place outside takes the audit's records.

    Raises:
        AuditUnavailable: none does.
        Unauthenticated: nothing shown, or what is unknown, expired or revoked; they look the same from outside.
        CallerFrozen, SlowedDown: the caller may do nothing now.
        Forbidden: the caller has none of `operations`.
        BadRequest: the approval that it names is not of the form of one.
    """
    here, asked = state(), visit()
    caller = _known(here.callers)
    deadline = asked.started + here.settings.request_seconds
    actor = Actor(
        caller.tenant, caller.mode, caller.name, asked.id, caller.fields, deadline, caller.kind, caller.roles,
        caller.claims, origin.of(asked.environ, here.settings.origin_header), caller.subject, _approval(asked.environ),
    )  # fmt: skip
    asked.caller, asked.actor = caller, actor
    if not caller.good(here.clock()):
        asked.why = caller.why or "expired"
        here.vault.record_refusal(actor, operations[0], Unauthenticated.code)
        raise Unauthenticated
    if not unaudited:
        _require_audit(actor, operations[0])
    _require_thawed(actor, operations[0])
    if not (caller.may_any if operations[0] == ANY else not caller.operations.isdisjoint(operations)):
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
    """Raise Forbidden, after an audit record, unless the current caller has `operation`."""
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


def _known(callers: Callers) -> Caller:
    asked = visit()
    try:
        return callers.who(asked.environ)
    except NotBelieved as error:
        asked.why = error.code
    raise Unauthenticated


def _forbid(actor: Actor, operations: tuple[str, ...]) -> NoReturn:
    state().vault.record_refusal(actor, operations[0], Forbidden.code)
    wanted = " or ".join(operations)
    if actor.kind == "key":
        raise Forbidden(f"the API key does not carry the operation {wanted}")
    raise Forbidden(f"the tenant's policy gives the caller no role with the operation {wanted}")


def _approval(environ: Environ) -> str | None:
    """Return the proposal that a request names in the header `Approval`; None if it names none."""
    named = environ.get("HTTP_APPROVAL")
    if named is None or _APPROVAL.fullmatch(named):
        return named
    raise BadRequest("Approval is 1 to 64 letters, digits, - or _")
