"""The options that say from when to when."""

from __future__ import annotations

from datetime import UTC, datetime

import click

FORMS = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]


def _zoned(_: click.Context, __: click.Parameter, at: datetime | None) -> datetime | None:
    """Take a time without a zone as one in UTC."""
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


since_option = click.option(
    "--since", type=click.DateTime(FORMS), callback=_zoned, metavar="TIME",
    help="Such as 2026-11-25 (in UTC) or 2026-11-25T09:00:00+08:00.",
)  # fmt: skip
until_option = click.option(
    "--until", type=click.DateTime(FORMS), callback=_zoned, metavar="TIME", help="In the same form."
)
at_option = click.option(
    "--at", type=click.DateTime(FORMS), callback=_zoned, metavar="TIME",
    help="The newest state that is not after it, such as 2026-11-25T09:00:00+08:00.",
)  # fmt: skip
