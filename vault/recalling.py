"""A person's own log-ins, shown for a purpose; answered once the audit record is durable."""

from __future__ import annotations

from keys.errors import KeyProblem, UnknownKey
from vault import accounts, logins
from vault.columns import PURPOSES, Actor, View
from vault.credentials import Login, LoginPage
from vault.errors import FieldNotGranted, InvalidRequest, UnknownLogin, UnreadableValue, VaultError
from vault.resources import Resources, record

ATTEMPTS = 3  # a person may get a new key after the records were read and before the key was
MOST = 1_000  # records on a page


def log_ins(
    resources: Resources,
    actor: Actor,
    login: Login,
    purpose: str,
    view: View,
    since: float,
    cursor: str | None,
    limit: int,
) -> LoginPage:
    """Return a page of log-ins; see `Vault.log_ins`."""
    if purpose not in PURPOSES:
        raise InvalidRequest("purpose must be one of the purposes in the documentation", "/purpose")
    if not 1 <= limit <= MOST:
        raise InvalidRequest(f"limit must be 1 to {MOST:,}", "/limit")
    if actor.fields is not None and logins.FIELD not in actor.fields:
        raise FieldNotGranted("the key does not reach this field")
    failed: VaultError | KeyProblem
    for _ in range(ATTEMPTS):
        keys = resources.keyring.keys(actor.tenant)
        account = accounts.resolve(resources, keys, actor, login)
        if account.person is None:
            raise UnknownLogin("there is no such login")
        try:
            with resources.database.snapshot():
                page, touched = logins.page(
                    resources, keys, actor, account.person, view, since, cursor, limit
                )
        except (UnreadableValue, UnknownKey) as error:
            failed = error
            resources.keyring.refresh(actor.tenant)
            continue
        record(
            resources, actor, keys, "list_log_ins",
            field=logins.FIELD, purpose=purpose, view=view, tokens=touched,
        )  # fmt: skip
        return page
    raise failed
