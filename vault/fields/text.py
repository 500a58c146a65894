"""Any other text: kept as it is, lines and all, but for NFC.

>>> normalize("first line\\nsecond line")
'first line\\nsecond line'
>>> mask("anything at all")
'********'

What is in it nobody knows, so nothing of it is shown and it cannot be looked up. Line ends of Windows become
\\n.
"""

from __future__ import annotations

import unicodedata

from vault.errors import InvalidValue
from vault.fields.characters import EDGES, bounded, refuse
from vault.fields.masking import nothing
from vault.fields.protocol import Check, Classification
from vault.fields.shapes import unshapable

name, sample = "text", "Calls back on Mondays."
classification: Classification = "C2"
lookup = False
max_length = 16_384  # so that 4 bytes a character stay within 65,536
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = nothing
reserved: str | None = None
shape = unshapable


def normalize(value: str) -> str:
    """Return the text in NFC; raise InvalidValue if it is blank or holds what no text may hold."""
    text = value.replace("\r\n", "\n")
    refuse(name, text)
    if not text.strip(EDGES):
        raise InvalidValue(name, "is empty")
    return bounded(name, unicodedata.normalize("NFC", text), max_length)


def mask(canonical: str) -> str:
    """Show nothing, the length included."""
    return "*" * 8
