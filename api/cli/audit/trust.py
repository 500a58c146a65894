"""Whose signatures are believed: the keys that a command is given, or those that the service tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from api.cli.failure import Failure

if TYPE_CHECKING:
    from vault.audit.notes import Verifier

R = TypeVar("R")


def trust_options(command: Callable[..., R]) -> Callable[..., R]:
    """Add --key and --trust."""
    key = click.option(
        "--key", "vkeys", multiple=True, metavar="VKEY", help="Verifier key of a log to trust. Repeatable."
    )
    file = click.option(
        "--trust", type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File with verifier keys, one a line; lines that begin with # are remarks.",
    )  # fmt: skip
    return key(file(command))


def trusted(vkeys: Sequence[str], file: Path | None) -> list[Verifier]:
    """Return the keys that were given; raise Failure if one is none."""
    from vault.audit.faults import KeyMalformed
    from vault.audit.notes import Verifier

    lines = [] if file is None else file.read_text("utf-8").splitlines()
    given = [*vkeys, *(line.strip() for line in lines)]
    try:
        return [Verifier(text) for text in given if text and not text.startswith("#")]
    except KeyMalformed as error:
        why = str(error)
    raise Failure(f"--key or --trust: {why}", "`strongroom audit status` tells a service's own keys")
