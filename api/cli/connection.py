"""The options of every command that goes over HTTP, and the client they make."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client

P = ParamSpec("P")
R = TypeVar("R")

Connect = Callable[[], "Client"]
LOCAL = "http://127.0.0.1:8700"


def as_json(command: Callable[P, R]) -> Callable[P, R]:
    """Add --json, which the screen remembers, so that failures are JSON too."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.ensure_object(Screen).json |= value

    option = click.option(
        "--json", is_flag=True, is_eager=True, expose_value=False, callback=remember, help="Print JSON."
    )
    return option(command)


def online(command: Callable[Concatenate[Screen, Client, P], R]) -> Callable[P, R]:
    """Give `command` the screen and a client; add the options that say where the service is, and --json."""

    @reachable
    @wraps(command)
    def run(screen: Screen, connect: Connect, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with connect() as client:
            return command(screen, client, *args, **kwargs)

    return run


def reachable(command: Callable[Concatenate[Screen, Connect, P], R]) -> Callable[P, R]:
    """Give `command` the screen and what makes a client, for it may need none; add the same options as `online`."""

    @as_json
    @click.option(
        "--url", envvar="STRONGROOM_URL", default=LOCAL, show_default=True, help="Address of the service."
    )
    @click.option(
        "--ca",
        envvar="STRONGROOM_CA",
        type=click.Path(),
        help="PEM file of certificate authorities to trust.",
    )
    @click.option(
        "--timeout", type=click.FloatRange(0.1, 3600), default=60, help="Seconds to wait for a reply."
    )
    @click.pass_context
    @wraps(command)
    def run(
        ctx: click.Context, /, url: str, ca: str | None, timeout: float, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        def connect() -> Client:
            from strongroom_client import Client

            return Client(url, ca=ca, timeout=timeout)

        return command(ctx.ensure_object(Screen), connect, *args, **kwargs)

    return run  # type: ignore[return-value]
