"""What becomes of it when a place outside fails or is well again: health, alarms, and records of pause and resumption.

Each sink's thread says how its sink is; that all requests pause, as no place holds their records, is worked out in
the same transaction, so that it is said once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from keys.errors import KeyProblem
from vault.alarms import raise_alarm
from vault.audit import journal
from vault.columns import Actor
from vault.gatekeeping import PAUSED, is_fresh
from vault.resources import Resources
from vault.store import audithealth, auditlog
from vault.store.audithealth import OK, OUTSIDE
from vault.store.writer import Transaction

NOBODY = Actor(0, "live", "shipper", "shipper")  # in whose name pauses are on record


@dataclass(frozen=True, slots=True)
class Said:
    """What a sink's thread says of its sink.

    Attributes:
        name: the sink's.
        state: "ok", or the stable code of what is wrong.
    """

    name: str
    state: str


def tell(transaction: Transaction, said: Said, holding: Collection[str]) -> str | None:
    """Write how a sink is; return `audit_paused` or `audit_resumed` if that is so from now on.

    Args:
        holding: the names of the sinks that hold records.
    """
    transaction.dialect.serialize(transaction.connection, "audit outside")
    before = audithealth.tell(transaction, said.name, said.state)
    if said.state != OK and before in {None, OK}:
        detail = {"sink": said.name, "code": said.state}
        raise_alarm(transaction, None, "audit_sink_failed", detail, cause=said.name)
    elif said.state == OK and before not in {None, OK}:
        raise_alarm(transaction, None, "audit_sink_recovered", {"sink": said.name}, cause=said.name)
    return _settle(transaction, holding)


def _settle(transaction: Transaction, holding: Collection[str]) -> str | None:
    """Say whether any place holds records now; return the kind of alarm if that has changed."""
    if not holding:
        return None
    known = {one.name: one for one in audithealth.states(transaction.connection)}
    held = any(
        name in known and known[name].state == OK and is_fresh(known[name].seen_at, transaction.now)
        for name in holding
    )
    before = audithealth.tell(transaction, OUTSIDE, OK if held else PAUSED)
    if not held and before in {None, OK}:
        kind = "audit_paused"
    elif held and before == PAUSED:
        kind = "audit_resumed"
    else:
        return None
    raise_alarm(transaction, None, kind)
    return kind


def records(resources: Resources, kind: str) -> Iterable[journal.Row]:
    """Return a record of a pause or resumption for every tenant with a log, as far as its keys can be had."""
    with resources.database.read() as connection:
        tenants = sorted({log.tenant for log in auditlog.logs(connection)})
    for tenant in tenants:
        actor = Actor(tenant, NOBODY.mode, NOBODY.name, NOBODY.request_id)
        try:
            keys = resources.keyring.keys(tenant)
        except KeyProblem:
            continue
        yield journal.row(keys, actor, resources.database.now(), kind)
