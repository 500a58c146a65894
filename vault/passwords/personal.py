"""What of a person a password must not hold (OWASP ASVS 5.0, 6.2.11, words of the context).

>>> holds_any("My-Phone-138 0013 8000!", ["+8613800138000"]), holds_any("correct horse battery", ["+8613800138000"])
(True, False)

Password and values are compared folded: NFKD without accents, no case, letters and digits only. So "Zhang.San_1990"
holds "zhangsan". A value counts forwards and backwards, if it weighs enough to mean something: letters and digits weigh
1, Han characters, kana and Hangul 2, and 4 are needed (张三, "anna"), of digits alone 6. Besides the whole value, these
parts do:

- e-mail address: what stands before the @ (the domain is other people's too)
- telephone number: without the country's code
- identity number of 18 characters: the date of birth as yyyymmdd, and its last 6, with and without the check character
- any other value with 8 digits or more, such as cards and accounts: its last 8
- value of at most 4 words, such as "Maria Lopez" or "zhangsan_01": each word of 5 letters or more

And a password that is itself a part of a value, such as a card's first 12 digits, is nobody's secret either. What does
not count: shorter words and numbers (they stand in many a good password), years, names in Pinyin, and digits put for
letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from vault.fields import phone
from vault.fields.characters import HAN

WEIGHT = 4  # of what means something, where Han characters and the like weigh 2
DIGITS = 6  # of what means something and is digits alone
WORD, WORDS = 5, 4  # letters of a word that tells; words of a value whose words do
TAIL = 8  # characters of a number's end, and digits that make a value a number

_heavy = re.compile(f"[{HAN}\u3040-\u30ff\uac00-\ud7af]").findall
_words = re.compile(r"[^\W\d_]+").findall
_DATE = "(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_identity = re.compile(f"[0-9]{{6}}({_DATE})[0-9]{{3}}[0-9X]").fullmatch
_international = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


def holds_any(password: str, values: Sequence[str]) -> bool:
    """Tell whether a password holds one of a person's canonical values, or a telling part of one."""
    text = folded(password)
    return any(_holds(text, value) for value in values)


def folded(text: str) -> str:
    """Return the letters and digits of a text without accents, width and case."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", "".join(filter(str.isalnum, plain)))


def _holds(text: str, value: str) -> bool:
    whole = folded(value)
    parts = {whole, *map(folded, _parts(value))}
    if any(part in text or part[::-1] in text for part in parts if _means_something(part)):
        return True
    return _means_something(text) and text in whole


def _means_something(part: str) -> bool:
    if part.isdigit():
        return len(part) >= DIGITS
    return len(part) + len(_heavy(part)) >= WEIGHT


def _parts(value: str) -> Iterator[str]:
    """Yield what tells of a canonical value, besides the whole."""
    local, at, _ = value.rpartition("@")
    if at:
        value = local
        yield local
    words = _words(value)
    yield from (word for word in words if len(word) >= WORD and len(words) <= WORDS)
    if found := _identity(value):
        yield from (found[1], value[-6:], value[-7:-1])
    elif _international(value):
        yield phone.national(value)
    elif sum(map(str.isdigit, value)) >= TAIL:
        yield folded(value)[-TAIL:]
