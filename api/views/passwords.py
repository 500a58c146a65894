"""Passwords: stored, verified, changed, reset, deleted, imported; never revealed, by no key and in no view."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers, limits, problems
from api.operations import Operation
from api.schema.asks import LoginOnly, NewPassword, PasswordChange, PasswordImport, PasswordTry
from api.schema.replies import (
    PasswordChosen,
    PasswordsImported,
    PasswordStatus,
    PasswordVerified,
    Unlocked,
)
from api.state import vault
from vault import errors
from vault.columns import Actor
from vault.credentials import Chosen, Import, Login

bp = Blueprint("passwords", __name__, url_prefix="/v1/passwords")

_LOGIN = (errors.MalformedToken, errors.WrongMode, errors.FieldNotGranted, errors.InvalidValue)
_BUSY = (errors.HashingBusy, errors.HashingUnavailable)
_CHOICE = (
    errors.InvalidPassword, errors.PasswordTooShort, errors.PasswordTooLong, errors.CommonPassword,
    errors.PersonalPassword, errors.WeakPassword,
)  # fmt: skip
_GUESSING = (errors.TooManyAttempts, errors.LoginLocked)
_TOKEN = "tok_live_" + "0" * 35


@bp.get("")
@Operation(needs=("passwords",), gives=PasswordStatus)
def index(actor: Actor) -> Response:
    """Count the passwords of this mode by scheme, and those that are behind; reads whole tables."""
    found = vault().password_status(actor)
    total = sum(found.kinds.values())
    return answers.answer(PasswordStatus(found.profile, total, found.behind, found.locked, found.kinds))


@bp.post("")
@Operation(
    needs=("passwords",), takes=NewPassword, gives=PasswordChosen, status=201,
    refuses=(*_LOGIN, *_CHOICE, *_BUSY, errors.UnknownLogin, errors.PasswordExists),
    example={"login": _TOKEN, "password": "a lamp, a kite, two rivers"},
)  # fmt: skip
def create(actor: Actor, ask: NewPassword) -> Response:
    """Give a login its first password.

    An Idempotency-Key is not honoured, for it would keep a fast hash of the request: after a lost reply, verify.
    """
    chosen = vault().store_password(actor, login(ask), ask.password)
    answers.count("store_password", None, 1, 0)
    return answers.answer(_shown(chosen), 201)


@bp.post("/verify")
@Operation(
    needs=("verify",), takes=PasswordTry, gives=PasswordVerified,
    refuses=(*_LOGIN, errors.InvalidPassword, *_GUESSING, *_BUSY),
    example={"login": _TOKEN, "password": "a lamp, a kite, two rivers", "origin": {"ip": "192.0.2.1"}},
)  # fmt: skip
def verify(actor: Actor, ask: PasswordTry) -> Response:
    """Say whether a password is the login's; alike, and in like time, where there is no such login."""
    found = vault().verify_password(actor, login(ask), ask.password, limits.origin(ask.origin))
    answers.count("verify_password", None, 1, 0 if found.verified else 1)
    return answers.answer(PasswordVerified(found.verified, found.new_device, found.impossible_travel))


@bp.post("/change")
@Operation(
    needs=("verify",), takes=PasswordChange, gives=PasswordChosen,
    refuses=(*_LOGIN, *_CHOICE, *_GUESSING, *_BUSY, errors.WrongPassword, errors.PasswordUnchanged),
    example={
        "login": _TOKEN, "password": "a lamp, a kite, two rivers", "new_password": "three rivers and no kite",
    },
)  # fmt: skip
def change(actor: Actor, ask: PasswordChange) -> Response:
    """Replace a password by another, if the old one is right."""
    origin = limits.origin(ask.origin)
    chosen = vault().change_password(actor, login(ask), ask.password, ask.new_password, origin)
    answers.count("change_password", None, 1, 0)
    return answers.answer(_shown(chosen))


@bp.post("/reset")
@Operation(
    needs=("passwords",), takes=NewPassword, gives=PasswordChosen,
    refuses=(*_LOGIN, *_CHOICE, *_BUSY, errors.UnknownLogin),
    example={"login": _TOKEN, "password": "three rivers and no kite"},
)  # fmt: skip
def reset(actor: Actor, ask: NewPassword) -> Response:
    """Replace a password without the old one, once the person was identified otherwise; unlocks the login."""
    chosen = vault().reset_password(actor, login(ask), ask.password)
    answers.count("reset_password", None, 1, 0)
    return answers.answer(_shown(chosen))


@bp.post("/delete")
@Operation(
    needs=("passwords",), takes=LoginOnly, status=204, refuses=(*_LOGIN, errors.UnknownLogin),
    example={"login": _TOKEN},
)  # fmt: skip
def delete(actor: Actor, ask: LoginOnly) -> Response:
    """Delete a login's password; the login stays."""
    vault().delete_password(actor, login(ask))
    answers.count("delete_password", None, 1, 0)
    return answers.empty()


@bp.post("/unlock")
@Operation(
    needs=("unlock",), takes=LoginOnly, gives=Unlocked, refuses=_LOGIN, example={"login": _TOKEN},
)  # fmt: skip
def unlock(actor: Actor, ask: LoginOnly) -> Response:
    """Forget the wrong passwords of a login, so that it may be tried at once."""
    return answers.answer(Unlocked(vault().unlock_login(actor, login(ask))))


@bp.post("/import")
@Operation(
    needs=("passwords",), takes=PasswordImport, gives=PasswordsImported, refuses=_BUSY,
    items=(
        *_LOGIN, errors.UnknownLogin, errors.PasswordTaken, errors.UnknownScheme, errors.UnreadableHash,
        errors.HashTooCostly,
    ),
    example={
        "logins": [_TOKEN], "layout": "md5(md5(password)+salt)", "salts": ["a1b2c3"],
        "hashes": ["0" * 32], "wrap": True,
    },
)  # fmt: skip
def take(actor: Actor, ask: PasswordImport) -> Response:
    """Take password hashes of another system, of logins that have no password yet.

    They are verified as they are, and hashed anew at the next log-in.
    """
    limits.count(ask.hashes, "/hashes")
    found = vault().import_passwords(actor, Import(_logins(ask), ask.hashes, ask.salts, ask.layout, ask.wrap))
    answers.count("import_passwords", None, len(ask.hashes), len(found.errors))
    return answers.answer(PasswordsImported(found.imported, problems.items(found.errors, "hashes")))


def login(ask: LoginOnly) -> Login:
    """Return whose password a request is about; its subject is printable."""
    if ask.subject is not None:
        limits.subjects([ask.subject], "/subject")
    return Login(ask.login, ask.login_name, ask.subject)


def _logins(ask: PasswordImport) -> list[Login]:
    named = [column for column in (ask.logins, ask.login_names, ask.subjects) if column is not None]
    if len(named) != 1:
        raise errors.InvalidRequest("name one of logins, login_names and subjects")
    if ask.subjects is not None:
        limits.subjects(ask.subjects, "/subjects/{}")
        return [Login(subject=subject) for subject in ask.subjects]
    if ask.logins is not None:
        return [Login(token=token) for token in ask.logins]
    return [Login(name=name) for name in ask.login_names or ()]


def _shown(chosen: Chosen) -> PasswordChosen:
    return PasswordChosen(chosen.score, chosen.warning or None)
