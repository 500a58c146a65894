"""Name of a company or another organisation.

>>> normalize("示例科技(北京) 有限公司"), normalize("Example  Trading （HK） Ltd.")
('示例科技（北京）有限公司', 'Example Trading (HK) Ltd.')
>>> mask("示例科技（北京）有限公司")
'示例**********'

NFC. Brackets are wide in a name with Han characters and narrow in any other, as registers print them; spaces
between Han characters and around wide brackets go. Case stays.
"""

from __future__ import annotations

import re

from vault.errors import InvalidValue
from vault.fields.characters import HAN, close_han, line
from vault.fields.masking import nothing, stars
from vault.fields.protocol import Check, Classification
from vault.fields.shapes import unshapable

name, sample = "company_name", "示例科技（北京）有限公司"  # made up
classification: Classification = "C2"  # a sole trader's company may be called like its owner
lookup = True
max_length = 256
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = nothing
reserved: str | None = None
shape = unshapable

_plain = re.compile("[\u4e00-\u9fff（）]{0,255}[\u4e00-\u9fff][（）]?").fullmatch
_han = re.compile(f"[{HAN}]").search
_WIDE = {ord("("): "（", ord(")"): "）"}
_NARROW = {ord("（"): "(", ord("）"): ")"}
_AROUND = re.compile(" *([（）]) *")


def normalize(value: str) -> str:
    """Return the name in its canonical form; raise InvalidValue if there is none in it."""
    if _plain(value) and len(value) <= max_length:
        return value
    text = line(name, value, max_length)
    text = close_han(_AROUND.sub(r"\1", text.translate(_WIDE))) if _han(text) else text.translate(_NARROW)
    if not any(map(str.isalnum, text)) and not _han(text):
        raise InvalidValue(name, "has no letter")
    return text


def mask(canonical: str) -> str:
    """Show the first two characters, at most half."""
    return stars(canonical, 2, 0, (len(canonical) + 1) // 2)
