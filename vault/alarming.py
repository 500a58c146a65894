"""What people ask of alarms: which there are, and that somebody has seen to one."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from vault.audit import journal
from vault.columns import Actor
from vault.errors import InvalidRequest, UnknownAlarm
from vault.permitting import permit
from vault.resources import Resources
from vault.store import alarms
from vault.store.alarms import Alarm
from vault.store.writer import Refused, Transaction

MAX_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class AlarmPage:
    """A page of alarms, the newest first, and where the next one starts; None at the end."""

    alarms: list[Alarm]
    next_cursor: str | None


class Alarms:
    """The alarms of a tenant, and those that are nobody's alone; the policy is asked for `audit`, whose they are."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def list(self, actor: Actor, cursor: str | None = None, limit: int = 100) -> AlarmPage:
        """Return up to `limit` (1 to 1,000) alarms behind `cursor`, the newest first."""
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidRequest("limit must be 1 to 1,000", "/limit")
        before = _place(cursor)
        permit(self._resources, actor, "audit")
        with self._resources.database.read() as connection:
            found = alarms.page(connection, actor.tenant, before, limit + 1)
        more, shown = len(found) > limit, found[:limit]
        return AlarmPage(shown, _cursor(shown[-1]) if more else None)

    def acknowledge(self, actor: Actor, alarm_id: str) -> Alarm:
        """Say that somebody has seen to an alarm; who was first stays. UnknownAlarm if there is none of that id."""
        permit(self._resources, actor, "audit")
        database = self._resources.database
        keys = self._resources.keyring.keys(actor.tenant)
        row = journal.row(keys, actor, database.now(), "acknowledge_alarm", count=1, target=alarm_id)

        def work(transaction: Transaction) -> Alarm:
            found = alarms.acknowledge(transaction, actor.tenant, alarm_id, actor.name)
            if found is None:
                raise Refused(UnknownAlarm("the tenant has no alarm of that id"))
            transaction.append("audit_record", [row])
            return found

        return database.write(work, deadline=actor.deadline)


def _cursor(last: Alarm) -> str:
    return base64.urlsafe_b64encode(f"{last.at} {last.id}".encode()).decode().rstrip("=")


def _place(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        at, alarm_id = raw.split(" ")
        place = int(at), alarm_id
        if 0 <= place[0] < 2**63 and alarm_id.isascii() and alarm_id.isprintable():
            return place
    except (ValueError, binascii.Error):
        pass
    raise InvalidRequest("the cursor is not one that this service gave", "/cursor")
