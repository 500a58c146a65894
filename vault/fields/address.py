"""Postal address, as one line of text.

>>> normalize("北京市 朝阳区　示例路１号－２室")
'北京市朝阳区示例路1号-2室'
>>> mask("北京市朝阳区示例路1号")
'北京市朝阳*****'

NFC, ASCII digits, letters and dashes, single spaces, none between Han characters. Not looked up by value: one
address is written in too many ways for that to be more than an accident.
"""

from __future__ import annotations

import re

from vault.fields.characters import close_han, line
from vault.fields.masking import nothing
from vault.fields.protocol import Check, Classification
from vault.fields.shapes import unshapable

name, sample = "address", "北京市朝阳区示例路1号"  # made up
classification: Classification = "C2"
lookup = False
max_length = 512
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = nothing
reserved: str | None = None
shape = unshapable

_plain = re.compile("[\u4e00-\u9fff0-9]{1,512}").fullmatch
_SHOWN = 6  # characters, about province and city


def normalize(value: str) -> str:
    """Return the address in its canonical form; raise InvalidValue if there is none."""
    return value if _plain(value) else close_han(line(name, value, max_length))


def mask(canonical: str) -> str:
    """Show at most 6 characters in front, at most half; the stars do not tell the length."""
    return canonical[: min(_SHOWN, len(canonical) // 2)] + "*****"
