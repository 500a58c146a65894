"""Log-ins: whose password is meant, where a log-in comes from, and those on record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, TypedDict, Unpack

from msgspec import Struct

from strongroom_client.errors import InvalidArgument
from strongroom_client.options import Purpose, View, wire
from strongroom_client.session import Session, encode


class Whose(TypedDict, total=False):
    """Whose password is meant: exactly one of these.

    Attributes:
        login: an opaque token of any field, such as a login name's or a phone number's; each has its own password.
        login_name: a login name itself, which stands for its deterministic opaque token in the field's scope.
        subject: your own id of the person, who then has one password for all ways to log in.
    """

    login: str | None
    login_name: str | None
    subject: str | None


class Origin(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a log-in comes from, as you know it; never prints.

    Attributes:
        ip: IPv4 or IPv6; wrong passwords are counted by it, too.
        device: an id that stays the same on one device, 1 to 128 characters.
        agent: what the device says of itself, 1 to 256 characters.
        latitude, longitude: degrees, both or neither.
    """

    ip: str | None = None
    device: str | None = None
    agent: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    def __repr__(self) -> str:
        """Return which parts are known."""
        known = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        return f"<Origin: {', '.join(known) or 'unknown'}>"


class LogIn(Struct, frozen=True, kw_only=True):
    """One log-in on record, in the view that was asked for; never prints where it came from.

    Attributes:
        token: of the record itself.
        at: UTC.
        new_device: the person had logged in before, and never from this device.
        impossible_travel: nobody gets from the place of the log-in before to this one in that time.
    """

    token: str
    at: datetime
    result: Literal["ok", "refused"]
    ip: str | None = None
    device: str | None = None
    agent: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    new_device: bool = False
    impossible_travel: bool = False

    def __repr__(self) -> str:
        """Return when, and with which result."""
        return f"<LogIn: {self.result}, {self.at.isoformat(timespec='seconds')}>"


class _Page(Struct):
    logins: list[LogIn]
    next_cursor: str | None = None


class LogIns(Session):
    """The call on log-ins; it needs a key that carries the operation logins, for view "full" reveal_plain too."""

    def log_ins(
        self,
        *,
        purpose: Purpose,
        view: View = "masked",
        since: datetime | None = None,
        page: int = 1000,
        case: str | None = None,
        consent: str | None = None,
        **whose: Unpack[Whose],
    ) -> Iterator[LogIn]:
        """Yield a person's log-ins, the newest first; raise NotFound (code unknown_login).

        By the login of somebody who has several, those of all of them.

        Args:
            purpose: what it is for; recorded, and never optional.
            view: "masked" (default) or "full".
            since: with its time zone; only what is not older.
            page: how many are asked for at a time, 1 to 1,000.
            case, consent: references, which some purposes need.
        Raises:
            InvalidArgument: at the call, not at the first log-in.
        """
        if since is not None and since.tzinfo is None:
            raise InvalidArgument("since needs a time zone")
        why = {"purpose": purpose, "case": case, "consent": consent}
        ask = wire({**one_of(whose), **why, "view": view, "since": since, "limit": page})
        return self._log_ins(ask, list(whose.values()))

    def _log_ins(self, ask: dict[str, object], sent: list[object]) -> Iterator[LogIn]:
        while True:
            found = self._call("POST", "/v1/logins/list", _Page, body=encode(ask), sent=sent)
            yield from found.logins
            if found.next_cursor is None:
                return
            ask["cursor"] = found.next_cursor


def one_of(whose: Whose) -> dict[str, str]:
    """Return the one member that says whose password is meant; raise InvalidArgument, which does not hold it."""
    given = {name: text for name, text in whose.items() if text is not None}
    if len(given) != 1 or not given.keys() <= Whose.__annotations__.keys():
        raise InvalidArgument("name exactly one of login, login_name and subject")
    ((name, text),) = given.items()
    return {name: as_text(name, text)}


def as_text(name: str, text: object) -> str:
    """Return `text` if it is one: bytes would be written as Base64, and be another password."""
    if not isinstance(text, str):
        raise InvalidArgument(f"{name} is a text")
    return text
