"""Stars in place of characters.

The rules are those of JR/T 0171-2020 Annex A and PCI DSS v4.0.1 3.4.1, the stricter of the two. Annex A's
text was not at hand: its figures (card first 6 and last 4, phone first 3 with at least the middle 4 hidden,
identity document first 1 and last 1) come from secondary sources. What neither says is decided here: at least
`hide` characters stay hidden, so that a short value is never shown whole.
"""

from __future__ import annotations

from functools import lru_cache


def stars(text: str, first: int, last: int, hide: int) -> str:
    """Return `text` with a star for each character but at most the `first` and `last` ones.

    At least `hide` characters are hidden; where `text` is too short for that, the first ones go before the
    last.

    >>> stars("6212345678901265", 6, 4, 5)
    '621234******1265'
    >>> stars("62123456", 6, 4, 5), stars("AB", 1, 1, 1), stars("A", 1, 1, 1)
    ('*****456', '*B', '*')
    """
    first, hidden, last = _cut(len(text), first, last, hide)
    return text[:first] + hidden + text[last:]


def ending(text: str) -> str:
    """Return a star for each character of `text` but the last 4; of 8 or fewer, a quarter is shown.

    What the view `last4` shows of numbers and codes.

    >>> ending("6212345678901265"), ending("12345678"), ending("123")
    ('************1265', '******78', '***')
    """
    return stars(text, 0, 4 if len(text) > 8 else len(text) // 4, 1)


def nothing(text: str) -> str:
    """Return stars that do not tell the length: of names, addresses and free text an end says as much as the whole."""
    return "*" * 8


@lru_cache(maxsize=1024)
def _cut(length: int, first: int, last: int, hide: int) -> tuple[int, str, int]:
    """Return where the hidden part of a text begins, its stars, and where it ends."""
    shown = max(0, length - hide)
    last = min(last, shown)
    first = min(first, shown - last)
    return first, "*" * (length - first - last), length - last
