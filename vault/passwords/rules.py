"""Which passwords may be had, and in which form one is hashed.

After NIST SP 800-63B-4 (August 2025), 3.1.1.2, and OWASP ASVS 5.0, 6.2: length and lists decide, no rule of
composition does (ASVS 6.2.5), every Unicode character may be in one, each code point counts as one, nothing is cut off
(ASVS 6.2.8), and none expires. ASVS 6.2.1 asks for 8 characters and recommends 15, which is what SP 800-63B-4 asks of a
password that is the only factor of a log-in: `Rules(least=15)`. The default lies between: SP 800-63B-4 lets it stand
beside a second factor, from 8 characters on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from vault.errors import (
    CommonPassword,
    InvalidPassword,
    InvalidRequest,
    PasswordTooLong,
    PasswordTooShort,
    PersonalPassword,
    WeakPassword,
)
from vault.passwords.hasher import Judgement
from vault.passwords.personal import holds_any

MOST_BYTES = 1024  # of UTF-8, of any password that is tried
ALLOWED = 64  # characters of any kind that every set of rules allows (SP 800-63B-4, 3.1.1.2; ASVS 6.2.9)

_SURROGATE = re.compile("[\ud800-\udfff]").search
_TOO_LONG = f"a password has at most {MOST_BYTES} bytes of UTF-8"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a new password must be.

    Attributes:
        least: characters (code points) at least, 8 to 64.
        most_bytes: bytes of UTF-8 at most, 256 to 1,024, so that any 64 characters fit.
        normalize: new ones are brought to NFC (see `prepared`).
        common: those of the list of common passwords are refused.
        personal: those that hold something of the person are refused (see `vault.passwords.personal`).
        least_score: zxcvbn's score at least, 0 to 4; 0 asks for none, and then it is a hint only.
    """

    least: int = 12
    most_bytes: int = MOST_BYTES
    normalize: bool = True
    common: bool = True
    personal: bool = True
    least_score: int = 0

    def __post_init__(self) -> None:
        """Raise InvalidRequest if a number is out of its range."""
        if not 8 <= self.least <= ALLOWED:
            raise InvalidRequest(f"passwords must have at least 8 to {ALLOWED} characters")
        if not 4 * ALLOWED <= self.most_bytes <= MOST_BYTES:
            raise InvalidRequest(f"passwords must have at most {4 * ALLOWED} to {MOST_BYTES} bytes")
        if not 0 <= self.least_score <= 4:
            raise InvalidRequest("a password's score is 0 to 4")


def candidate(password: object) -> str:
    """Return what may be tried as a password, exactly as it came.

    Raises:
        InvalidPassword: it is no text, empty, or has a NUL or half a character (a lone surrogate).
        PasswordTooLong: it has more than 1,024 bytes of UTF-8.
    """
    if not isinstance(password, str):
        raise InvalidPassword("a password must be a string", "/password")
    if not password:
        raise InvalidPassword("a password is not empty", "/password")
    if len(password) > MOST_BYTES:
        raise PasswordTooLong(_TOO_LONG, "/password")
    if "\0" in password:
        raise InvalidPassword("a password has no NUL character", "/password")
    if _SURROGATE(password):
        raise InvalidPassword("a password has no half of a character (a lone surrogate)", "/password")
    if len(password.encode()) > MOST_BYTES:
        raise PasswordTooLong(_TOO_LONG, "/password")
    return password


def prepared(rules: Rules, password: str) -> tuple[str, bool]:
    """Return the form in which a new password is hashed, and whether candidates must be brought to NFC as well.

    One keyboard sends "é" as one code point and another as two, so SP 800-63B-4, 3.1.1.2, has the verifier apply the
    normalization process for stabilized strings with NFC before hashing (its revision 3 said NFKC or NFKD, which also
    make different characters the same). NFC only joins what Unicode holds to be the same text (canonical equivalence):
    nothing is cut off and no case is changed, the modifications that ASVS 6.2.8 names. It is said in the record, so
    that a password hashed elsewhere, as it came, is verified as it comes.

    That process (Unicode Standard Annex 15, section 12.1) does not touch text with code points that are not assigned
    yet, for a later version of Unicode may compose them. Such a password is taken, hashed as it came and not flagged.

    Args:
        password: as `candidate` returned it.
    """
    if rules.normalize and "Cn" not in map(unicodedata.category, password):
        return presented(password, True), True
    return password, False


def presented(password: str, normalized: bool) -> str:
    """Return the form in which a candidate is verified, `normalized` being the flag of the record."""
    return unicodedata.normalize("NFC", password) if normalized else password


def check(rules: Rules, password: str, judgement: Judgement, personal: Sequence[str]) -> None:
    """Raise the first reason for which a new password is refused; none of them says anything of it.

    SP 800-63B-4 compares whole passwords with its list, never parts of them, and so is `judgement` made. That a
    password holds no data of its person is a rule of this service beyond the standard, and `personal` turns it off.

    Args:
        password: as `prepared` returned it.
        judgement: of the same text.
        personal: canonical values of the person's fields.
    Raises:
        PasswordTooShort, PasswordTooLong: it has fewer characters, or more bytes, than the rules say.
        CommonPassword, PersonalPassword: it is a common one, or holds something of `personal`.
        WeakPassword: its score is less than the rules ask for.
    """
    if len(password) < rules.least:
        raise PasswordTooShort(f"a password has at least {rules.least} characters", "/password")
    if len(password.encode()) > rules.most_bytes:
        raise PasswordTooLong(f"a password has at most {rules.most_bytes} bytes of UTF-8", "/password")
    if rules.common and judgement.common:
        raise CommonPassword("many people have this password, so it is guessed first", "/password")
    if rules.personal and holds_any(password, personal):
        raise PersonalPassword("the password holds something of the person that others know", "/password")
    if judgement.score < rules.least_score:
        raise WeakPassword("the password is guessed too easily", "/password")
