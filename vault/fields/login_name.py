"""Name a person logs in with.

>>> normalize(" ｚｈａｎｇｓａｎ_０１ ")
'zhangsan_01'
>>> mask("zhangsan_01"), mask("ab")
('z*********1', 'a*')

As RFC 8265, section 3.4 (UsernameCasePreserved), compares user names: ASCII width, NFC, case kept.
"""

from __future__ import annotations

import re

from vault.fields.characters import WIDE, line
from vault.fields.masking import ending, stars
from vault.fields.protocol import Check, Classification
from vault.fields.shapes import unshapable

name, sample = "login_name", "zhangsan_01"
classification: Classification = "C2"
lookup = True
max_length = 128
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = ending
reserved: str | None = None
shape = unshapable

_plain = re.compile("(?!.*[0-9]{12})[A-Za-z0-9_.@-]{1,128}").fullmatch


def normalize(value: str) -> str:
    """Return the name in its canonical form; raise InvalidValue if there is none."""
    return value if _plain(value) else line(name, value.translate(WIDE), max_length)


def mask(canonical: str) -> str:
    """Show the first and the last character, of names shorter than 5 only the first, of one nothing."""
    return stars(canonical, 1, 1, 3) if len(canonical) > 4 else stars(canonical, 1, 0, 1)
