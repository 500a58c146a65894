"""Address codes of identity numbers (GB/T 2260), and when each was in force.

The codes and years are python-stdnum's, read from the installed library's data file; its rule is not used (it
wants a code in force in the *birth year*, but numbers were first given out in 1984, so it refuses real
people). The table is known to be incomplete: it lacks 340524, with which GB 11643-1999 Annex B works its
example. So it is trusted where it says that a code ended, and of a county it does not know only the
prefecture or the like has to be known.

>>> last_year("110103"), last_year("110101") == OPEN, last_year("990426")
(2010, True, 0)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources

OPEN = 9999  # the last year of a code still in force
FIRST_NUMBERS = 1984  # identity numbers were first given out under the trial regulations of 6 April 1984

# Residence permits of residents of Hong Kong, Macao and Taiwan have these in place of an address code
# (State Council, measures of 2018 for applying for and issuing them).
PERMITS = ("810000", "820000", "830000")

_province = re.compile("([0-9]{2}) ").match
_place = re.compile('  ([0-9]{4}) county="([^"]*)"').match
_years = re.compile(r"(?:^|,)(?:\[[0-9]*-([0-9]*)\])?").findall


def _read() -> Iterator[tuple[str, int]]:
    """Yield each code of python-stdnum's table with the last year it was in force."""
    province = ""
    for row in (resources.files("stdnum") / "cn" / "loc.dat").read_text("utf-8").splitlines():
        if found := _province(row):
            province = found[1]
        elif found := _place(row):
            yield province + found[1], max(int(end or OPEN) for end in _years(found[2]))


_LAST_YEAR = dict(_read()) | dict.fromkeys(PERMITS, OPEN)
_PREFECTURES = frozenset(code[:4] for code in _LAST_YEAR)
PROVINCES = frozenset(code[:2] for code in _LAST_YEAR)


def last_year(code: str) -> int:
    """Return the last year a 6-digit code was in force, OPEN if it still is or may be, 0 if it is none."""
    return _LAST_YEAR.get(code) or (OPEN if code[:4] in _PREFECTURES else 0)


def in_force(code: str, birth_year: int) -> bool:
    """Tell whether a code was in force at any time since birth or, if later, since numbers are given."""
    return last_year(code) >= max(birth_year, FIRST_NUMBERS)
