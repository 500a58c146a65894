"""The options that say what values are looked at for: purpose, references, and whose tokens alone are meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from strongroom_client import Grounds

R = TypeVar("R")

PURPOSES = (
    "service", "settle", "verify-identity", "notify", "market", "risk", "statistics", "audit", "legal", "support",
    "subject-request",
)  # fmt: skip

purpose_option = click.option(
    "--purpose", required=True, shell_complete=lambda *given: [p for p in PURPOSES if p.startswith(given[2])],
    help=f"What for; goes into the audit: {', '.join(PURPOSES)}, or one that the policy adds.",
)  # fmt: skip
case_option = click.option("--case", help="Reference of a case; the purpose legal needs one.")
consent_option = click.option("--consent", help="Reference of a consent; the purpose market needs one.")
_OPTIONS = (
    purpose_option,
    case_option,
    consent_option,
    click.option("--subject", help="Your own id of a person: tokens of others are refused."),
)


def grounds(command: Callable[..., R]) -> Callable[..., R]:
    """Add the options; `command` gets the purpose, and the others as `grounds`."""
    from functools import wraps

    @wraps(command)
    def run(
        *given: object, case: str | None, consent: str | None, subject: str | None, **others: object
    ) -> R:
        said: Grounds = {"case": case, "consent": consent, "subject": subject}
        return command(*given, grounds=said, **others)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run
