"""Alarms: what somebody should look at, and that somebody has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

from strongroom_client.session import Session


class Alarm(Struct, frozen=True, kw_only=True):
    """What somebody should look at; times in UTC.

    Attributes:
        kind, text: a stable name, and what it means.
        detail: names, codes and counts.
        caller: who is the cause; "" for nobody.
        mode: None where it is nobody's alone.
    """

    id: str
    kind: str
    at: datetime
    text: str = ""
    detail: dict[str, str | int] = {}
    caller: str = ""
    mode: str | None = None
    request_id: str = ""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


class _Page(Struct):
    alarms: list[Alarm]
    next_cursor: str | None = None


class Alarms(Session):
    """The calls on alarms; they need an API key that carries the operation audit or callers."""

    def alarms(self, *, page: int = 100) -> Iterator[Alarm]:
        """Yield the alarms of this mode, and those that are nobody's alone, the newest first."""
        for found in self._pages("/v1/alarms", _Page, {"limit": page}):
            yield from found.alarms

    def acknowledge_alarm(self, alarm_id: str) -> Alarm:
        """Say that somebody has seen to an alarm; who was first stays. Raises NotFound (code unknown_alarm)."""
        path = f"/v1/alarms/{quote(alarm_id, safe='').replace('.', '%2E')}/acknowledge"
        return self._call("POST", path, Alarm)
