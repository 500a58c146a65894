"""Passwords verified and changed: what a password that is right brings about."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from vault.attempting import Try, attempt, told
from vault.columns import Actor
from vault.credentials import Chosen, Login, Origin, Verified
from vault.errors import HashingBusy, HashingUnavailable, InvalidPassword, PasswordUnchanged, WrongPassword
from vault.passwords import argon2id, legacy, rules
from vault.passwords.verifier import ARGON2ID, WRAPPED, Verifier
from vault.permitting import permit
from vault.resources import Resources
from vault.selecting import NewPassword, choose


def verify(resources: Resources, actor: Actor, login: Login, password: object, origin: Origin) -> Verified:
    """Return whether the password is the login's; see `Vault.verify_password`."""
    given = permit(resources, actor, "verify")
    candidate = rules.candidate(password)
    told("", origin, Verified(False))  # what cannot be recorded is refused before it counts
    tried = partial(_renew, resources)
    return attempt(given, login, candidate, origin, "verify_password", tried)


def change(
    resources: Resources, actor: Actor, login: Login, password: object, new: object, origin: Origin
) -> Chosen:
    """Replace a password whose old text is known; see `Vault.change_password`."""
    given = permit(resources, actor, "verify")
    candidate, wanted = rules.candidate(password), _new(new)
    told("", origin, Verified(False))
    if candidate == wanted:
        raise PasswordUnchanged("the new password is the old one", "/new_password")
    new_one: list[NewPassword] = []

    def tried(once: Try) -> Try:
        if once.right:
            new_one[:] = [choose(resources, once.keys, actor, once.account, wanted, "/new_password")]
            once.replacement, once.chosen = new_one[0].verifier, True
        return once

    result = attempt(given, login, candidate, origin, "change_password", tried)
    if not result.verified:
        raise WrongPassword("the old password is not right")
    return new_one[0].chosen


def _new(password: object) -> str:
    try:
        return rules.candidate(password)
    except InvalidPassword as error:
        error.pointer = "/new_password"
        raise


def _renew(resources: Resources, once: Try) -> Try:
    """Have a right password hashed by today's profile, if it is behind and there is room for it now.

    One of which the scheme saw a part only stays as it is: another with the same beginning would take its place.
    """
    profile, scheme = resources.passwords.profile, once.verifier.scheme.removeprefix(WRAPPED)
    whole = legacy.whole(scheme, once.text.encode())
    if once.right and whole and argon2id.behind(once.verifier, profile):
        with suppress(HashingBusy, HashingUnavailable):  # the next log-in will do
            encoded = resources.hashing().hash([once.text.encode()], profile)[0]
            once.replacement = Verifier(ARGON2ID, encoded, normalized=once.verifier.normalized)
    return once
