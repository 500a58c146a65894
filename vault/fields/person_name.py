"""Name of a person, in any script.

>>> normalize("买买提 • 吐尔逊"), normalize("张\\u3000三"), normalize("  José  O’Neil ")
('买买提·吐尔逊', '张三', "José O'Neil")
>>> mask("张三"), mask("欧阳明月"), mask("José O'Neil")
('张*', '欧***', 'J**********')

NFC (Unicode Standard Annex 15). The dot between the parts of a name is U+00B7, whichever of the many dots was
typed, a full stop between Han characters included; apostrophes are straight. Spaces between Han characters
go, for they only pad. Case stays. No character is refused for being rare: names use the newest extensions,
variation selectors and, in older systems, private use areas. One character is a name.
"""

from __future__ import annotations

import re
import unicodedata

from vault.errors import InvalidValue
from vault.fields.characters import HAN, close_han, line
from vault.fields.masking import nothing, stars
from vault.fields.protocol import Check, Classification
from vault.fields.shapes import unshapable

name, sample = "person_name", "张三"
classification: Classification = "C2"
lookup = True
max_length = 128
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = nothing
reserved: str | None = None
shape = unshapable

_plain = re.compile("[\u4e00-\u9fff]{1,64}").fullmatch
_SIGNS = dict.fromkeys(map(ord, "•‧∙⋅・･ꞏ●"), "·") | dict.fromkeys(map(ord, "‘’ʼ＇`´"), "'")
_STOP_IN_HAN = re.compile(f"(?<=[{HAN}]) ?[.．。｡] ?(?=[{HAN}])")
_DOT = re.compile(" *·[ ·]*")


def normalize(value: str) -> str:
    """Return the name in its canonical form; raise InvalidValue if there is none in it."""
    if _plain(value):
        return value
    text = line(name, value, max_length).translate(_SIGNS)
    text = close_han(_DOT.sub("·", _STOP_IN_HAN.sub("·", text)))
    if not any(map(_names, text)):
        raise InvalidValue(name, "has no letter")
    return text


def mask(canonical: str) -> str:
    """Show the first character, of a name of one character nothing."""
    return stars(canonical, 1, 0, 1)


def _names(character: str) -> bool:
    """Tell whether a name can consist of this character, be it too new for the tables or private."""
    return unicodedata.category(character)[0] == "L" or unicodedata.category(character) in {
        "Co",
        "Cn",
        "Nl",
        "No",
    }
