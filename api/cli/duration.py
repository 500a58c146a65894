"""A duration as people write it: 30d, 24h, 90m or 3600s; a short one: 250ms or 2s."""

from __future__ import annotations

import re

import click

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
SHORTEST, LONGEST = 0.01, 2.0  # seconds of a short one
_FORM = re.compile(r"([0-9]{1,9})([dhms])")
_SHORT = re.compile(r"([0-9]{1,5})(ms|s)")


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


class ShortDuration(click.ParamType[float]):
    """Turns the text into seconds."""

    name = "duration"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds, 0.01 to 2; a number is seconds already."""
        if isinstance(value, float):
            return value
        found = _SHORT.fullmatch(value)
        seconds = 0.0 if found is None else int(found[1]) / (1_000 if found[2] == "ms" else 1)
        if not SHORTEST <= seconds <= LONGEST:
            self.fail(f"{value!r} is no duration from 10ms to 2s", param, ctx)
        return seconds
