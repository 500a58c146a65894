"""Whether a login that is there for drills gets in with its password, and not with another."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from vault.authenticating import verify
from vault.credentials import NOWHERE, Login
from vault.recovery.checks.scratch import Found, Scratch, Skipped, actor
from vault.store import apikeys


@dataclass(frozen=True, slots=True, repr=False)
class Canary:
    """A login made for drills.

    Attributes:
        subject: whose password it is, in the caller's words.
        password: that gets in.
        owner: SHA-256 of the API key that stored it, which tells whose business it is of.
    """

    subject: str
    password: str
    owner: bytes


def check(scratch: Scratch, canary: Canary | None) -> Found:
    """Log the canary in, once with a wrong password and then with the right one."""
    if canary is None:
        raise Skipped("no_canary")
    with scratch.resources.database.read() as connection:
        key = apikeys.by_digest(connection, canary.owner)
    tenant = next((one for one in scratch.tenants if key is not None and one.id == key.tenant), None)
    if tenant is None:
        return Found(1, 1, "tenant_missing")
    login, asks = Login(subject=canary.subject), actor(tenant)
    wrong = verify(scratch.resources, asks, login, secrets.token_urlsafe(24), NOWHERE)
    right = verify(scratch.resources, asks, login, canary.password, NOWHERE)
    if wrong.verified:
        return Found(2, 1, "wrong_password_let_in")
    return Found(2) if right.verified else Found(2, 1, "right_password_refused")
