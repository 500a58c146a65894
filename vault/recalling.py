"""A person's own log-ins, shown for a purpose; answered once they are counted and on record."""

from __future__ import annotations

from keys.errors import KeyProblem, UnknownKey
from vault import accounts, logins
from vault.columns import NO_GROUNDS, Actor, Grounds, View
from vault.counting import SPENT, Cost, missed, settle
from vault.credentials import Login, LoginPage
from vault.errors import InvalidRequest, UnknownLogin, UnreadableValue, VaultError
from vault.permitting import permit, touched
from vault.resources import Resources
from vault.views import seen

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
    grounds: Grounds = NO_GROUNDS,
) -> LoginPage:
    """Return a page of log-ins; see `Vault.log_ins`."""
    if (wanted := seen(view)) not in {"masked", "full"}:
        raise InvalidRequest("log-ins are shown masked or full", "/view")
    if not 1 <= limit <= MOST:
        raise InvalidRequest(f"limit must be 1 to {MOST:,}", "/limit")
    given = permit(resources, actor, "logins", purpose=purpose, view=wanted, grounds=grounds)
    most = given.policy.bulk_limit
    if most is not None and wanted in SPENT:
        limit = min(
            limit, most
        )  # a page may be shorter, so nothing here is so large that a second person is needed
    # A log-in is a value as any other: what is shown of it is what the caller might reveal of it.
    shown = permit(resources, actor, "reveal", purpose=purpose, view=wanted, grounds=grounds)
    shown.reach(logins.FIELD)
    failed: VaultError | KeyProblem
    for _ in range(ATTEMPTS):
        keys = resources.keyring.keys(actor.tenant)
        account = accounts.resolve(resources, keys, actor, login)
        if account.person is None:
            raise missed(given, keys, UnknownLogin("there is no such login"), "list_log_ins")
        try:
            with resources.database.snapshot():
                page, found = logins.page(shown, keys, account.person, since, cursor, limit)
        except (UnreadableValue, UnknownKey) as error:
            failed = error
            resources.keyring.refresh(actor.tenant)
            continue
        row = given.row(keys, resources.database.now(), touched(found), operation="list_log_ins")
        settle(given, keys, Cost(values=len(found) if wanted in SPENT else 0), row, len(found))
        return page
    raise given.refused(failed, operation="list_log_ins")
