"""One thing said in English and Chinese, for pages that are in both or in either."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """One thing in both languages, with the same gaps; its fields are named as `telling.LANGUAGES` are."""

    en: str
    zh: str

    def filled(self, **gaps: object) -> Said:
        """Return it with its gaps filled; what fills them is no template itself."""
        return Said(self.en.format(**gaps), self.zh.format(**gaps))
