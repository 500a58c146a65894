"""From an error to its reply: one table of statuses and titles, and bodies as RFC 9457 wants them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from api import errors as api
from api import intake
from api.schema.replies import ItemProblem, Problem
from api.state import state
from api.visit import visit
from keys import errors as keys
from keys.errors import KeyProblem
from vault import errors as vault
from vault.columns import AlreadyDone, Reply

MIMETYPE = "application/problem+json"

TABLE: Mapping[type[Exception], tuple[int, str]] = {
    api.BadRequest: (400, "The request is not valid HTTP"),
    api.MalformedJson: (400, "The body is not valid JSON"),
    api.Unauthenticated: (401, "A valid API key or token is needed"),
    api.IssuerUnavailable: (503, "The issuer of the token does not answer"),
    api.Forbidden: (403, "The caller is not for this"),
    api.FieldNotReached: (403, "The API key does not reach this field"),
    api.NotFound: (404, "There is nothing at this address"),
    api.MethodNotAllowed: (405, "The method is not for this address"),
    api.ShownOnce: (409, "The API key was made and shown before"),
    api.BodyTooLarge: (413, "The body is too large"),
    api.TooManyValues: (413, "There are too many values"),
    api.RootNotListed: (422, "There is no such root key"),
    api.UnsupportedMediaType: (415, "The body must be application/json"),
    api.InternalError: (500, "Something is broken here"),
    vault.InvalidRequest: (422, "The request is not valid"),
    vault.UnknownField: (422, "There is no such field type"),
    vault.ForbiddenField: (422, "This must never be stored"),
    vault.InvalidOption: (422, "The field type has no such option"),
    vault.NotShapable: (422, "The field has no shape to keep"),
    vault.DomainTooSmall: (422, "Too few tokens would be left"),
    vault.LookalikeRequired: (422, "These tokens look real"),
    vault.NotSearchable: (422, "The field cannot be found by value"),
    vault.InvalidPassword: (422, "This cannot be a password"),
    vault.PasswordTooShort: (422, "The password is too short"),
    vault.PasswordTooLong: (422, "The password is too long"),
    vault.CommonPassword: (422, "Too many people have this password"),
    vault.PersonalPassword: (422, "The password holds personal data"),
    vault.WeakPassword: (422, "The password is guessed too easily"),
    vault.InvalidValue: (422, "The value is not of its field type"),
    vault.MalformedToken: (422, "This is no token"),
    vault.UnknownToken: (404, "There is no such token"),
    vault.ExpiredToken: (410, "The token has expired"),
    vault.WrongMode: (422, "The token is of the other mode"),
    vault.NotRevealable: (422, "A one-way token has no value"),
    vault.FieldNotGranted: (403, "The API key does not reach this field"),
    vault.SubjectConflict: (409, "The token belongs to another subject"),
    vault.TokenSpaceExhausted: (409, "Too few tokens are left"),
    vault.UnknownSubject: (404, "There is no such subject"),
    vault.UnknownApiKey: (404, "There is no such API key"),
    vault.UnknownKeyset: (404, "There is no such keyset"),
    vault.UnknownKeyVersion: (404, "There is no such key version"),
    vault.UnknownJob: (404, "There is no such job"),
    vault.JobRunning: (409, "A job is at work on this"),
    vault.KeyInUse: (409, "Something needs the key version"),
    vault.KeysetDoesNotTurn: (422, "The keyset never rotates"),
    vault.UnknownLogin: (404, "There is no such login"),
    vault.PasswordExists: (409, "The login has a password"),
    vault.PasswordTaken: (409, "The login has a password"),
    vault.WrongPassword: (403, "The old password is not right"),
    vault.PasswordUnchanged: (422, "The new password is the old one"),
    vault.TooManyAttempts: (429, "Too many wrong passwords"),
    vault.LoginLocked: (429, "The login is locked"),
    vault.UnknownScheme: (422, "The password hash is of no known scheme"),
    vault.UnreadableHash: (422, "The password hash cannot be read"),
    vault.HashTooCostly: (422, "The password hash takes too much"),
    vault.PolicyDenied: (403, "The policy does not allow this"),
    vault.PolicyInvalid: (422, "The policy cannot be taken"),
    vault.PolicyUnreadable: (503, "The policy cannot be read"),
    vault.PolicyConflict: (409, "Another policy was taken"),
    vault.UnknownPolicyVersion: (404, "There is no such policy version"),
    vault.CaseRequired: (422, "The purpose needs a case"),
    vault.ConsentRequired: (422, "The purpose needs consent"),
    vault.BudgetExceeded: (429, "The caller's budget is used up"),
    vault.SlowedDown: (429, "The caller is slowed down"),
    vault.CallerFrozen: (403, "The caller is frozen"),
    vault.UnknownCaller: (404, "No such caller is frozen"),
    vault.ApprovalRequired: (403, "A second person must approve"),
    vault.ApprovalNotValid: (403, "The approval is not good for this"),
    vault.SelfApproval: (403, "Nobody approves their own"),
    vault.UnknownProposal: (404, "There is no such proposal"),
    vault.AuditUnavailable: (503, "The audit cannot be kept outside"),
    vault.UnknownRecord: (404, "There is no such audit record"),
    vault.NotSealed: (409, "The record is not in the tree yet"),
    vault.UnknownLog: (404, "There is no such audit log"),
    vault.AuditDamaged: (500, "The audit log is damaged"),
    vault.LogNotBehind: (409, "Nothing of the log was lost"),
    vault.InvalidCheckpoint: (422, "This is no checkpoint of the log"),
    vault.UnknownAlarm: (404, "There is no such alarm"),
    vault.BackupsNotConfigured: (409, "Backups are not set up"),
    vault.UnknownDrill: (404, "There is no such drill"),
    vault.InvalidReport: (422, "This is no drill's report"),
    vault.IdempotencyKeyReused: (422, "The Idempotency-Key was used before"),
    vault.DeadlineExceeded: (503, "The request took too long"),
    vault.StaleKeyset: (503, "The keys are changing"),
    vault.HashingBusy: (503, "Too many passwords wait to be hashed"),
    vault.HashingUnavailable: (503, "Passwords cannot be hashed now"),
    vault.StoreConflict: (503, "Others write the same thing at once"),
    vault.StoreUnavailable: (503, "The database cannot be used"),
    vault.SchemaBehind: (503, "The database's schema is not ready"),
    vault.UnreadableValue: (500, "A sealed value does not open"),
    vault.VaultError: (500, "Something is broken here"),
    keys.RootUnavailable: (503, "The root key's Vault does not answer"),
    keys.RootForbidden: (503, "Vault's policy forbids it"),
    keys.RootLoginRefused: (503, "Vault refuses the login"),
    keys.RootUntrusted: (503, "Vault's certificate is not trusted"),
    keys.RootUnfit: (503, "Vault's key cannot be a root"),
    keys.KeyStateError: (409, "The key version's state does not allow this"),
    keys.RootCannotTurn: (422, "The root's own key has no versions"),
    keys.KeyExpired: (503, "The key's cryptoperiod is over"),
    keys.KeyExhausted: (503, "The key has sealed as many messages as it may"),
    KeyProblem: (503, "The keys cannot be used"),
}

HINTS: Mapping[str, str] = {
    "unauthenticated": "send `Authorization: Bearer` and a key or token; it may have expired or been revoked",
    "issuer_unavailable": "nothing was done; send it again after the seconds of Retry-After",
    "forbidden": "ask for an API key, or a role in the policy, with this operation",
    "forbidden_field": "ask for an API key with this field",
    "unknown_field": "GET /v1/fields lists the field types",
    "never_stored": "passwords: POST /v1/passwords keeps a hash; card data: PCI DSS v4.0.1, 3.3.1: not even encrypted",
    "password_too_short": "a few words in a row are long and easy to remember",
    "password_common": "it is among the first that are tried anywhere; a few words that belong to no phrase are not",
    "password_personal": "leave out names, numbers, birthdays and addresses, forwards and backwards",
    "password_weak": "make it longer: a few words that belong to no phrase, or what a password manager draws",
    "too_many_values": "send them in several requests",
    "body_too_large": "send it in several requests",
    "unsupported_media_type": "send `Content-Type: application/json`, uncompressed",
    "lookalike_required": 'say `"lookalike": true` if tokens may be taken for real values',
    "domain_too_small": "keep fewer characters",
    "wrong_mode": "tok_live_ needs an sr_live_ key, tok_test_ an sr_test_ key",
    "shown_once": "POST /v1/apikeys/{id}/rotate makes a new text",
    "idempotency_key_reused": "take a new key for every new request, and the old one only to repeat it",
    "job_running": "GET /v1/jobs lists the jobs; ask again when that one has ended, or cancel it",
    "key_in_use": "GET /v1/keysets/{purpose} counts what needs each version; rotating brings it under the new one",
    "key_state": "GET /v1/keysets shows the state of every version",
    "unknown_root": "GET /v1/roots lists the roots that the settings name",
    "root_cannot_turn": "POST /v1/roots/move wraps the keysets under another root",
    "password_exists": "POST /v1/passwords/change with the old one, or /reset without",
    "login_locked": "POST /v1/passwords/unlock, or /reset",
    "unknown_scheme": "say `layout` for a salted digest; docs/operations.md lists the schemes",
    "key_expired": "GET /v1/keysets says which: rotate it, such as `strongroom keys rotate seal`",
    "key_exhausted": "GET /v1/keysets says which: rotate it, such as `strongroom keys rotate seal`",
    "policy_denied": "`strongroom policy explain` says by which line",
    "policy_unreadable": "nothing was done; a service of this version or a later one reads it",
    "policy_conflict": "propose it anew, on top of the policy that is in force now",
    "case_required": "send `case`, the reference of the case",
    "consent_required": "send `consent`, the reference of the person's consent",
    "caller_frozen": "POST /v1/callers/unfreeze, once you know why",
    "approval_required": "have another person approve the proposal, then send the same request with `Approval: id`",
    "approval_not_valid": "GET /v1/approvals lists the proposals",
    "audit_unavailable": "nothing was done; GET /v1/audit says which sink fails and why",
    "audit_damaged": "`strongroom audit verify` names the first bad record",
    "not_sealed": "ask again in a few seconds",
    "store_unavailable": "send it again with the same Idempotency-Key",
    "root_unavailable": "nothing was written; send it again with the same Idempotency-Key",
    "deadline_exceeded": "nothing was written; send it again with the same Idempotency-Key",
    "hashing_busy": "nothing was done; send it again after the seconds of Retry-After, or raise hashing's ceiling",
    "hashing_unavailable": "nothing was done; send it again after the seconds of Retry-After",
    "stale_keyset": "nothing was written; send it again with the same Idempotency-Key",
}

SWALLOWED = 4  # times the largest body, of a caller whose key is known
EXPECTED = (
    vault.HashingBusy,
    vault.AuditUnavailable,
    api.IssuerUnavailable,
)  # the request's line says it all, and in a storm there are many
OURS = (api.ApiError, vault.VaultError, KeyProblem)

_BY_STATUS: Mapping[int, type[api.ApiError]] = {
    400: api.BadRequest, 404: api.NotFound, 405: api.MethodNotAllowed,
    413: api.BodyTooLarge, 415: api.UnsupportedMediaType,
}  # fmt: skip


def look_up(kind: type[Exception]) -> tuple[int, str]:
    """Return status and title of an error class or of its nearest ancestor in the table."""
    for cause in kind.__mro__:
        if cause in TABLE:
            return TABLE[cause]
    return TABLE[api.InternalError]


def detail(error: Exception) -> str:
    """Return a sentence for `error`: its own words, all of them ours, or the title."""
    return str(error) or look_up(type(error))[1]


def kept(error: Exception, request_id: str, pointer: str | None = None) -> Reply:
    """Return the problem body of `error` and its status; asks nothing of Flask, so any thread may render it.

    Args:
        error: one of the table's classes.
        pointer: which part of the body is to blame (RFC 6901), if the error does not say.
    """
    status, title = look_up(type(error))
    code = str(getattr(error, "code", api.InternalError.code))
    problem = Problem(
        type=f"urn:strongroom:problem:{code}",
        title=title,
        status=status,
        detail=detail(error),
        code=code,
        pointer=getattr(error, "pointer", None) or pointer,
        request_id=request_id,
        hint=HINTS.get(code),
        proposal=getattr(error, "proposal", None),
        approved=getattr(error, "approved", None),
        needed=getattr(error, "needed", None),
    )
    return Reply(status, msgspec.json.encode(problem))


def items(errors: Mapping[int, Exception], base: str, member: str = "") -> list[ItemProblem]:
    """Return the refused items of a column in order; `/base/index/member` points to each."""
    tail = f"/{member}" if member else ""
    return [
        ItemProblem(index, str(getattr(error, "code", "")), detail(error), f"/{base}/{index}{tail}")
        for index, error in sorted(errors.items())
    ]


def respond(error: Exception) -> Response:
    """Return the whole reply to an error of the table."""
    reply = kept(error, visit().id)
    headers = {}
    if reply.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="strongroom"'
    if reply.status == 503 or hasattr(error, "retry_after"):
        headers["Retry-After"] = str(getattr(error, "retry_after", 1))
    return Response(reply.body, reply.status, headers, mimetype=MIMETYPE)


def replay(done: AlreadyDone) -> Response:
    """Return the reply that was given before under the same Idempotency-Key."""
    mimetype = MIMETYPE if done.reply.status >= 400 else "application/json"
    headers = {"Idempotency-Replayed": "true"}
    return Response(done.reply.body, done.reply.status, headers, mimetype=mimetype)


def handle(error: Exception) -> Response:
    """Answer any exception of a request; of what nobody expected, only the place goes to the log."""
    asked = visit()
    if asked.actor is not None and not asked.complete:
        intake.swallow(asked.environ, SWALLOWED * state().settings.max_body_bytes)
    if isinstance(error, AlreadyDone):
        return replay(error)
    if isinstance(error, HTTPException):
        return _handle_http(error)
    if look_up(type(error))[0] >= 500 and not isinstance(error, EXPECTED):
        state().log.failure(error, asked.id)
    if not isinstance(error, OURS):  # its words may hold anything
        return respond(api.InternalError("the log has the place, under this request id"))
    return respond(error)


def _handle_http(error: HTTPException) -> Response:
    """Answer what Flask and Werkzeug raise, in our words; of theirs only Allow is kept (RFC 9110, 15.5.6)."""
    status = error.code or 500
    kind = _BY_STATUS.get(status, api.BadRequest if status < 500 else api.InternalError)
    if status >= 500:  # of an error outside of views, Flask hands over a wrapping
        state().log.failure(getattr(error, "original_exception", None) or error, visit().id)
    response = respond(kind())
    allow = getattr(error, "valid_methods", None)
    if status == 405 and allow:
        response.headers["Allow"] = ", ".join(sorted(allow))
    return response


def install(app: Flask) -> None:
    """Make `app` answer every error with a problem."""
    app.register_error_handler(Exception, handle)
