"""The options that say whose password a command is about."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

import click

from api.cli.failure import Failure
from api.cli.screen import Screen
from api.cli.stdin import line

if TYPE_CHECKING:
    from strongroom_client import Client, Whose

R = TypeVar("R")

_OPTIONS = (
    click.option("--login", metavar="TOKEN", help='An opaque token; "-" reads a line of standard input.'),
    click.option("--login-name", metavar="NAME", help='A login name, which other users of the machine see; or "-".'),
    click.option("--subject", metavar="ID", help='Your own id of the person; or "-".'),
)  # fmt: skip


def whose(command: Callable[..., R]) -> Callable[..., R]:
    """Add the options, of which exactly one must be said, and hand it to `command` as `whose`."""

    @wraps(command)
    def run(
        screen: Screen, client: Client, /, *, login: str | None, login_name: str | None, subject: str | None,
        **others: object,
    ) -> R:  # fmt: skip
        if sum(text is not None for text in (login, login_name, subject)) != 1:
            raise Failure("say whose: one of --login, --login-name and --subject")
        given: Whose = {
            "login": _read(login, "Login"),
            "login_name": _read(login_name, "Login name"),
            "subject": _read(subject, "Subject"),
        }
        return command(screen, client, whose=given, **others)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


def _read(given: str | None, prompt: str) -> str | None:
    return line(prompt) if given == "-" else given
