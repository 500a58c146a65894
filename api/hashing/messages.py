"""What is asked of a hasher's process and what it answers, with how much at once, and errors as their codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from vault import errors
from vault.errors import HashingUnavailable, InvalidRequest, VaultError
from vault.passwords.hasher import Judgement, Load
from vault.passwords.profiles import Profile
from vault.passwords.verifier import Verifier

MOST_PASSWORDS, MOST_PASSWORD = 10_000, 1_024  # a column; bytes of one, or characters where it is judged
MOST_SECONDS = 3_600

Passwords = Annotated[list[Annotated[bytes, Meta(max_length=MOST_PASSWORD)]], Meta(max_length=MOST_PASSWORDS)]
Words = Annotated[list[Annotated[str, Meta(max_length=MOST_PASSWORD)]], Meta(max_length=MOST_PASSWORDS)]
Verifiers = Annotated[list[Verifier], Meta(max_length=MOST_PASSWORDS)]
Seconds = Annotated[
    float, Meta(ge=0, le=MOST_SECONDS)
]  # NaN is neither: nothing would ever be later than that


class Guarded(Struct):
    """A message that never shows what is in it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Hash(Guarded, tag="hash"):
    """Asks for hashes; `seconds` are left of the time that the caller waits for its turn."""

    passwords: Passwords
    profile: Profile
    urgent: bool
    seconds: Seconds


class Verify(Guarded, tag="verify"):
    """Asks whether each password is the one beside it; `seconds` as above."""

    passwords: Passwords
    verifiers: Verifiers
    seconds: Seconds


class Judge(Guarded, tag="judge"):
    """Asks what is to be said of passwords; `seconds` as above."""

    passwords: Words
    seconds: Seconds


class HowBusy(Struct, tag="load"):
    """Asks how busy the hasher is."""


class Hashes(Guarded, tag="hashes"):
    """Answers Hash."""

    encoded: list[str]


class Verdicts(Struct, tag="verdicts"):
    """Answers Verify."""

    right: list[bool]


class Judgements(Struct, tag="judgements"):
    """Answers Judge."""

    found: list[Judgement]


class Busy(Struct, tag="busy"):
    """Answers HowBusy."""

    load: Load


class Refused(Struct, tag="refused"):
    """Says that nothing was done, and why."""

    code: str


Timed = Hash | Verify | Judge
Ask = Timed | HowBusy
Answer = Hashes | Verdicts | Judgements | Busy | Refused

_CAUSES: dict[str, type[VaultError]] = {
    kind.code: kind
    for kind in (
        errors.HashingBusy, errors.HashingUnavailable, errors.HashTooCostly, errors.UnknownScheme,
        errors.UnreadableHash,
    )
}  # fmt: skip


def refusal(error: Exception) -> Refused:
    """Return what tells the other side of `error`: its code and none of its words."""
    code = str(getattr(error, "code", ""))
    return Refused(code if code in _CAUSES else HashingUnavailable.code)


def cause(refused: Refused) -> VaultError:
    """Return the error that the other side told of."""
    return _CAUSES.get(refused.code, HashingUnavailable)()


def check_column(passwords: Sequence[bytes | str]) -> None:
    """Raise InvalidRequest if a column is longer, or one of its passwords, than a message may have."""
    if len(passwords) > MOST_PASSWORDS:
        raise InvalidRequest(f"at most {MOST_PASSWORDS:,} passwords at once")
    if any(len(password) > MOST_PASSWORD for password in passwords):
        raise InvalidRequest(f"a password has at most {MOST_PASSWORD:,} bytes")
