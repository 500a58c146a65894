"""What is to be said of a password: whether many people have it, and how easily it is guessed.

Runs where passwords are hashed, for the lists behind it are slow to load and the work can take a tenth of a second.
"""

from __future__ import annotations

import gzip
import math
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources

from vault.passwords.hasher import Judgement

LIST = "common.txt.gz"  # made by `vault.passwords.listing`, described in common.md
READ = (48, 40, 32, 28, 24, 20, 16, 14, 12)  # characters of a password that zxcvbn may be given
WORK = 50_000  # readings times squared characters: about a tenth of a second, see `affordable`

# zxcvbn's own sentences (feedback.py of 4.5). Nothing else of what it says is passed on: a result holds the password.
WARNINGS = frozenset({
    "Straight rows of keys are easy to guess.",
    "Short keyboard patterns are easy to guess.",
    'Repeats like "aaa" are easy to guess.',
    'Repeats like "abcabcabc" are only slightly harder to guess than "abc".',
    'Sequences like "abc" or "6543" are easy to guess.',
    "Recent years are easy to guess.",
    "Dates are often easy to guess.",
    "This is a top-10 common password.",
    "This is a top-100 common password.",
    "This is a very common password.",
    "This is similar to a commonly used password.",
    "A word by itself is easy to guess.",
    "Names and surnames by themselves are easy to guess.",
    "Common names and surnames are easy to guess.",
})  # fmt: skip

_extra: set[str] = set()


def judge(password: str) -> Judgement:
    """Return what is to be said of a password of any length."""
    if not password:  # of which zxcvbn makes nothing
        return Judgement(common=False, score=0, warning="")
    from zxcvbn import zxcvbn

    found = zxcvbn(affordable(password))
    warning = found["feedback"]["warning"]
    return Judgement(is_common(password), int(found["score"]), warning if warning in WARNINGS else "")


def is_common(password: str) -> bool:
    """Tell whether the whole password, however wide and in whichever case, is in one of the lists."""
    spelled = folded(password)
    return spelled in shipped() or spelled in _extra


def add_words(words: Iterable[str]) -> int:
    """Take words into the operator's own list of what nobody may have; return how many it has now.

    Args:
        words: one each, such as the lines of a text file; blank ones are passed over.
    """
    _extra.update(word for line in words if (word := folded(line.strip("\r\n"))).strip())
    return len(_extra)


@cache
def shipped() -> frozenset[str]:
    """Return the list that comes with the package, folded."""
    packed = (resources.files("vault.passwords") / LIST).read_bytes()
    return frozenset(gzip.decompress(packed).decode("ascii").split("\n"))


def folded(password: str) -> str:
    """Return the form in which passwords are compared with lists: NFKC, without case."""
    return unicodedata.normalize("NFKC", password).casefold()


def affordable(password: str) -> str:
    """Return as much of a password's front as zxcvbn reads in about a tenth of a second, 12 to 48 characters.

    It looks at each part of a text (their number grows with its square) in each reading that putting letters for
    look-alikes gives: "(", "{", "[" and "<" in one text are four readings, and "4" and "@" double them. A text of all
    look-alikes takes it 4 seconds at 72 characters and 0.09 at the 16 it is read to (2.3 microseconds a reading and
    squared character at worst, on one core of an EPYC server). Of one letter that is a word by itself ("iii…") it makes
    the more sequences the longer the text is, a third of a second's work at 72 characters and a tenth at 48.

    The score of a longer text is that of its front, which is the best one unless the front is all patterns.
    """
    return next(
        front
        for length in READ
        if _readings(front := password[:length]) * len(front) ** 2 <= WORK or length == READ[-1]
    )


def _readings(text: str) -> int:
    """Return about how many texts zxcvbn makes of one by putting letters for look-alikes."""
    from zxcvbn.matching import L33T_TABLE

    signs = set(text)
    return math.prod(max(1, len(signs.intersection(looks))) for looks in L33T_TABLE.values())
