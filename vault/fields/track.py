"""Track data of a payment card (ISO/IEC 7813), which no field may store (PCI DSS v4.0.1, 3.3.1).

>>> refuse("text", "4111111111111111=29121010000000000000")
Traceback (most recent call last):
vault.errors.InvalidValue: text: looks like the track data of a card, which is never stored
"""

from __future__ import annotations

import re

from vault.errors import InvalidValue

# Track 1: %B<number>^<name, 2 to 26 characters>^<year, month>…?   Track 2: ;<number>=<year, month>…? and, as
# chips give it, <number>D<year, month>…. The sentinels are often lost, so they are not asked for.
_TRACK = re.compile(r"[0-9]{12,19}(?:\^[^^]{0,40}\^|[=Dd][0-9]{4})")


def refuse(field: str, text: str) -> None:
    """Raise InvalidValue if `text`, in ASCII width and without spaces, holds track data."""
    if _TRACK.search(text):
        raise InvalidValue(field, "looks like the track data of a card, which is never stored")
