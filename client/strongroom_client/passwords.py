"""Passwords: stored, verified, changed, reset, deleted, imported; nothing here prints one, and no call returns one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, Unpack

from msgspec import Struct

from strongroom_client.columns import ImportPart, Plan, Progress, batches, collect, send
from strongroom_client.errors import InvalidArgument
from strongroom_client.logins import Origin, Whose, as_text, one_of
from strongroom_client.options import wire
from strongroom_client.results import Answers
from strongroom_client.retries import Repeat
from strongroom_client.session import Session, encode

T = TypeVar("T")

MAX_HASHES = 1_000  # an import's request: small enough to be told soon how far it is
MAX_WRAPPED = 16  # of them where each takes the time of a log-in


class PasswordChosen(Struct, frozen=True):
    """A password that was stored: how hard it is to guess, 0 to 4, and a fixed sentence on why it is not; or None."""

    score: int
    warning: str | None = None


class PasswordVerified(Struct, frozen=True):
    """What became of a log-in; true where the password is right, so that `if` may be said of it.

    Attributes:
        verified: the password is the login's.
        new_device: the person logged in before, and never from this device.
        impossible_travel: nobody gets from the place of the last log-in to this one in that time.
    """

    verified: bool
    new_device: bool = False
    impossible_travel: bool = False

    def __bool__(self) -> bool:
        """Whether the password is right."""
        return self.verified


class PasswordStatus(Struct, frozen=True, kw_only=True):
    """How passwords stand.

    Attributes:
        profile: what new ones are hashed with.
        passwords: how many there are.
        behind: how many of them are not of that profile, and are brought there at the next log-in.
        locked: logins that only `unlock_login` or `reset_password` lets through again.
        kinds: how many there are by scheme and parameters.
    """

    profile: str
    passwords: int
    behind: int
    locked: int
    kinds: dict[str, int]


@dataclass(slots=True, repr=False)
class PasswordsImported(Answers):
    """How many of the hashes given were taken; code password_exists of an error: the login has a password already."""

    imported: int
    asked: int

    def __len__(self) -> int:
        return self.asked


class _Unlocked(Struct):
    unlocked: bool


class Passwords(Session):
    """The calls on passwords: verifying and changing need the operation verify, unlocking unlock, the rest passwords.

    Each takes exactly one of `login`, `login_name` and `subject`, see `Whose`. None runs twice: it is sent again only
    while the server cannot have seen it, or was too busy to do anything of it. After a lost reply it is not known
    whether a password was stored, and `verify_password` tells; a second verification would count a wrong password
    twice, and find the device no longer new.
    """

    def store_password(self, password: str, **whose: Unpack[Whose]) -> PasswordChosen:
        """Give a login its first password.

        Raises:
            NotFound: there is no such login (code unknown_login).
            Refused: it has a password (code password_exists), or may not have this one (password_too_short,
                password_common, password_personal, password_weak, …).
        """
        return self._ask("/v1/passwords", PasswordChosen, whose, password=password)

    def verify_password(
        self, password: str, *, origin: Origin | None = None, **whose: Unpack[Whose]
    ) -> PasswordVerified:
        """Return whether a password is the login's; alike, and in like time, where there is no such login.

        Args:
            origin: where the log-in comes from; kept on record, and judged.
        Raises:
            TooManyAttempts: too many were wrong, and this one was not looked at; see `retry_after`.
        """
        return self._ask("/v1/passwords/verify", PasswordVerified, whose, origin, password=password)

    def change_password(
        self, password: str, new_password: str, *, origin: Origin | None = None, **whose: Unpack[Whose]
    ) -> PasswordChosen:
        """Replace a password by another; raise WrongPassword, and what `store_password` and `verify_password` raise."""
        both = {"password": password, "new_password": new_password}
        return self._ask("/v1/passwords/change", PasswordChosen, whose, origin, **both)

    def reset_password(self, password: str, **whose: Unpack[Whose]) -> PasswordChosen:
        """Replace a password without the old one, and unlock the login; raise NotFound if it has none."""
        return self._ask("/v1/passwords/reset", PasswordChosen, whose, password=password)

    def delete_password(self, **whose: Unpack[Whose]) -> None:
        """Delete a login's password; the login stays. Raise NotFound if it has none (code unknown_login)."""
        self._ask("/v1/passwords/delete", type(None), whose)

    def unlock_login(self, **whose: Unpack[Whose]) -> bool:
        """Forget the wrong passwords of a login; return whether there were any."""
        return self._ask("/v1/passwords/unlock", _Unlocked, whose).unlocked

    def password_status(self) -> PasswordStatus:
        """Return how many passwords there are of each kind, and how many are behind; reads whole tables."""
        return self._call("GET", "/v1/passwords", PasswordStatus)

    def import_passwords(
        self,
        hashes: Sequence[str | None],
        *,
        logins: Sequence[str] | None = None,
        login_names: Sequence[str] | None = None,
        subjects: Sequence[str] | None = None,
        salts: Sequence[str | None] | None = None,
        layout: str | None = None,
        wrap: bool = False,
        progress: Progress | None = None,
    ) -> PasswordsImported:
        """Take a column of another system's password hashes; what is refused is in `errors`, not raised.

        The column is sent in requests of at most 1,000 hashes, 16 with `wrap`. If one of them fails as a whole,
        StrongroomError is raised and the earlier ones stand; the same call again refuses what they took (code
        password_exists), and takes the rest.

        Args:
            hashes: None is not sent.
            logins, login_names, subjects: exactly one of them, as long as `hashes`; see `Whose`.
            salts: as long as `hashes`, where they stand in a column of their own.
            layout: what was hashed how, where the hashes do not say it, such as "md5(md5(password)+salt)".
            wrap: put Argon2id over each hash now, so that none is kept as it was; takes the time of a log-in each.
            progress: called after each request with the number of hashes done.
        """
        named = {"logins": logins, "login_names": login_names, "subjects": subjects}
        beside = _beside(named, salts, len(hashes))
        rest, limit = wire({"layout": layout, "wrap": wrap or None}), MAX_WRAPPED if wrap else MAX_HASHES
        plan = Plan("/v1/passwords/import", "hashes", ImportPart, rest, limit, repeat=Repeat.UNDONE)
        whole = PasswordsImported(0, len(hashes))
        for batch in batches(hashes, beside, limit):
            found = collect(batch, send(self, plan, batch), progress)
            whole.imported += sum(part.imported for _, part in found.parts)
            whole.errors += found.errors
        return whole

    def _ask(
        self, path: str, into: type[T], whose: Whose, origin: Origin | None = None, **passwords: str
    ) -> T:
        checked = {name: as_text(name, text) for name, text in passwords.items()}
        ask = wire({**one_of(whose), **checked, "origin": origin})
        sent = [*ask.values(), *([origin.ip, origin.device, origin.agent] if origin else [])]
        return self._call("POST", path, into, body=encode(ask), repeat=Repeat.UNDONE, sent=sent)


def _beside(
    named: Mapping[str, Sequence[str] | None], salts: Sequence[str | None] | None, count: int
) -> dict[str, Sequence[object] | None]:
    """Return the columns beside `count` hashes; raise InvalidArgument before the first request."""
    given = {name: column for name, column in named.items() if column is not None}
    if len(given) != 1:
        raise InvalidArgument("name exactly one of logins, login_names and subjects")
    ((name, column),) = given.items()
    if isinstance(column, str) or not all(isinstance(text, str) for text in column):
        raise InvalidArgument(f"{name} is a list of texts")
    if len(column) != count or (salts is not None and len(salts) != count):
        raise InvalidArgument("columns given together must be equally long")
    return {name: column, "salts": salts}
