"""Characters as people type them: widths, dashes, spaces, marks nobody sees, and what no field takes.

>>> bare("bank_card", "６２１２ 3456\u20137890\u200b1265")
'6212345678901265'
>>> line("address", "  \u5317\u4eac\u5e02\u3000\uff11\uff12\u53f7 ", 100) == "\u5317\u4eac\u5e02 12\u53f7"
True
"""

from __future__ import annotations

import re
import unicodedata

from vault.errors import InvalidValue
from vault.fields import track

MAX_TYPED = 65_536  # characters anybody may send for one value
MAX_BARE = 256  # characters of a number as typed, separators included

# Full-width forms of ASCII (Unicode block FF00), which Chinese input methods produce.
WIDE = {0xFF01 + i: 0x21 + i for i in range(94)}
WIDE_ALNUM = {wide: plain for wide, plain in WIDE.items() if chr(plain).isalnum()}
SPACES = [0x20, *(c for c in range(0x80, 0x3001) if unicodedata.category(chr(c)) in {"Zs", "Zl", "Zp"})]
DASHES = [
    c
    for c in range(0x2D, 0xFF0E)
    if unicodedata.category(chr(c)) == "Pd" and c not in {0x058A, 0x05BE, 0x1400}
] + [0x2043, 0x2212, 0x2500]  # hyphen bullet, minus sign, box drawing: all seen where a dash was meant
# Marks without a glyph that copying from other programs leaves behind: byte order, direction, joiners of
# words.
UNSEEN = [
    0xAD, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2065),
    *range(0x2066, 0x206A), 0xFEFF,
]  # fmt: skip
JOINERS = [0x200C, 0x200D]  # part of the spelling of Persian and Indic names, of no number

EDGES = "\t\n\v\f\r" + "".join(map(chr, [*SPACES, *UNSEEN]))
_BARE: dict[int, int | None] = WIDE | dict.fromkeys([*SPACES, *DASHES, *UNSEEN, *JOINERS])
_LINE: dict[int, int | None] = (
    WIDE_ALNUM
    | dict.fromkeys(SPACES, 0x20)
    | dict.fromkeys(DASHES, 0x2D)
    | dict.fromkeys(UNSEEN)
    # Radicals that documents use in place of the character itself (block 2F00, as NFKC maps them).
    | {c: ord(unicodedata.normalize("NFKC", chr(c))) for c in range(0x2F00, 0x2FD6)}
)
_BREAKS = re.compile(r"[\t\n]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SPACES = re.compile(" {2,}")

# Han characters, their extensions and compatibility forms, and the private use areas in which older systems
# keep the rare characters of names.
HAN = "\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\ue000-\uf8ff\uf900-\ufaff\U00020000-\U0010fffd"
_BETWEEN_HAN = re.compile(f"(?<=[{HAN}]) (?=[{HAN}])")


def bare(field: str, value: str, drop: str = "") -> str:
    """Return `value` in ASCII width without spaces, dashes, unseen marks and the characters in `drop`."""
    if len(value) > MAX_BARE:
        raise InvalidValue(field, "is too long")
    text = value.strip(EDGES).translate(_BARE)
    if drop:
        text = text.translate(dict.fromkeys(map(ord, drop)))
    if not text:
        raise InvalidValue(field, "is empty")
    return text


def line(field: str, value: str, limit: int) -> str:
    """Return one line of at most `limit` characters: NFC, single spaces, ASCII digits, letters and dashes."""
    text = value.strip(EDGES)
    refuse(field, text)
    if _BREAKS.search(text):
        raise InvalidValue(field, "has control characters")
    text = unicodedata.normalize("NFC", text.translate(_LINE))
    return bounded(field, _SPACES.sub(" ", text).strip(), limit)


def refuse(field: str, text: str) -> None:
    """Raise InvalidValue for control characters but \\n and \\t, half characters and track data."""
    if len(text) > MAX_TYPED:
        raise InvalidValue(field, "is too long")
    if _CONTROL.search(text):
        raise InvalidValue(field, "has control characters")
    if _SURROGATE.search(text):
        raise InvalidValue(field, "has half a character (a lone surrogate)")
    track.refuse(field, text.translate(_BARE))


def bounded(field: str, text: str, limit: int) -> str:
    """Return `text` if it has 1 to `limit` characters."""
    if not text:
        raise InvalidValue(field, "is empty")
    if len(text) > limit:
        raise InvalidValue(field, f"is longer than {limit} characters")
    return text


def close_han(text: str) -> str:
    """Return `text` without the spaces between Han characters, which Chinese spelling does not have."""
    return _BETWEEN_HAN.sub("", text)
