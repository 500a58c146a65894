"""The time and the address of a situation, as conditions look at them: each worked out when it is first asked for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from vault.errors import InvalidRequest
from vault.policy.model import Situation
from vault.policy.networks import Address, parse

# Areas begin with a capital letter; files beside them, such as localtime or right/UTC, are of one machine alone.
ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,31}){0,2}")


class Moment:
    """When and where from something is asked."""

    def __init__(self, situation: Situation) -> None:
        self.mode, self._at, self._origin = situation.mode, situation.at, situation.origin
        self._locals: dict[str, tuple[int, int]] = {}
        self._address: Address | None = None

    def local(self, zone: str) -> tuple[int, int]:
        """Return the weekday (0 for Monday) and the minute of the day that clocks in `zone` show."""
        found = self._locals.get(zone)
        if found is None:
            try:
                there = datetime.fromtimestamp(self._at, zone_of(zone))
            except (ValueError, OverflowError, OSError):
                raise InvalidRequest("the time must lie in the years 1 to 9999", "/at") from None
            found = self._locals[zone] = there.weekday(), there.hour * 60 + there.minute
        return found

    @property
    def address(self) -> Address | None:
        """Return where it comes from; None where that is not known."""
        if self._address is None and self._origin is not None:
            self._address = parse(self._origin)
        return self._address


@cache
def zone_of(name: str) -> tzinfo:
    """Return a time zone of the IANA database by its name.

    Raises:
        LookupError: this machine has no such zone.
    """
    if name == "UTC":
        return UTC  # on every machine, with or without a database
    if not ZONE.fullmatch(name):
        raise LookupError(name)
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # the last for a folder of the database, such as America
        raise LookupError(name) from None


def has_zones() -> bool:
    """Return whether this machine has a time zone database."""
    try:
        ZoneInfo("Etc/UTC")
    except LookupError:
        return False
    return True
