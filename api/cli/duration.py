"""A duration as people write it: 30d, 24h, 90m or 3600s."""

from __future__ import annotations

import re

import click

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_FORM = re.compile(r"([0-9]{1,9})([dhms])")


class Duration(click.ParamType[int]):
    """Turns the text into seconds."""

    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return seconds; a number is seconds already."""
        if isinstance(value, int):
            return value
        found = _FORM.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is no duration such as 30d, 24h or 3600s", param, ctx)
        return int(found[1]) * SECONDS[found[2]]
