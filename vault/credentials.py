"""What is asked and answered about passwords and log-ins: plain data with no behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vault.errors import VaultError

MAX_WRAPPED = 16  # hashes that one import wraps in Argon2id: they take seconds, and log-ins go first


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """Whose password is meant: exactly one of these is not None.

    Attributes:
        token: an opaque token of any field, such as a login name or a phone number; each has a password of its own.
        name: a login name itself, which stands for its deterministic opaque token in the field's own scope.
        subject: the caller's own id of the person, who then has one password for all ways to log in.
    """

    token: str | None = None
    name: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Origin:
    """Where a log-in comes from, as the caller knows it.

    Attributes:
        ip: IPv4 or IPv6; also the source whose failures are counted.
        device: an id that stays the same on one device.
        agent: what the device says of itself.
        latitude, longitude: degrees, both or neither.
    """

    ip: str | None = None
    device: str | None = None
    agent: str | None = None
    latitude: float | None = None
    longitude: float | None = None


NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a log-in.

    Attributes:
        verified: the password is right.
        new_device: the person logged in before, and never from this device.
        impossible_travel: nobody gets from the place of the last log-in to this one in that time.
    """

    verified: bool
    new_device: bool = False
    impossible_travel: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """A password that was stored: how hard it is to guess, 0 to 4, and a fixed sentence on why it is not; or ""."""

    score: int
    warning: str


@dataclass(slots=True, repr=False)
class Import:
    """Password hashes of another system; every list is as long as `hashes`.

    Attributes:
        logins: whose they are.
        salts: where they stand in a column of their own.
        layout: what was hashed how, such as "md5(md5(password)+salt)"; None where the hashes say it themselves.
        wrap: put Argon2id over each hash now, so that none is kept as it was; at most MAX_WRAPPED of them.
    """

    logins: Sequence[Login]
    hashes: Sequence[str]
    salts: Sequence[str | None] | None = None
    layout: str | None = None
    wrap: bool = False


@dataclass(slots=True)
class Imported:
    """How many passwords were taken, and which were not, by index."""

    imported: int
    errors: dict[int, VaultError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """How passwords stand.

    Attributes:
        profile: what new ones are hashed with.
        kinds: how many there are by scheme and parameters.
        behind: how many of them are not of that profile, and are brought there at the next log-in.
        locked: logins that only an operator, or a reset, lets through again.
    """

    profile: str
    kinds: dict[str, int]
    behind: int
    locked: int


@dataclass(frozen=True, slots=True, repr=False)
class LoginRecord:
    """One log-in on record; `at` in seconds since 1970 (UTC); masked or plain as it was asked for."""

    token: str
    at: float
    result: str
    ip: str | None
    device: str | None
    agent: str | None
    latitude: float | None
    longitude: float | None
    new_device: bool
    impossible_travel: bool


@dataclass(frozen=True, slots=True, repr=False)
class LoginPage:
    """Log-ins, the newest first, and where the next page begins; None at the end."""

    records: list[LoginRecord]
    next_cursor: str | None
