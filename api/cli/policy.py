"""`strongroom policy`: who may see what: shown, checked, explained, tried, and taken with a second person."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.duration import Duration
from api.cli.failure import REFUSED_ROWS, USAGE, Failure
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, PolicyAnswer, PolicyVersion, View

VIEWS = ("match", "fingerprint", "last4", "masked", "full")
TIMES = click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d"])
FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)
_AT_LINE = re.compile(r"line ([0-9]+): (.*)", re.DOTALL)

file_argument = click.argument("file", metavar="FILE", type=FILE)


@click.group(short_help="Say who may see what, and ask why.")
def policy() -> None:
    """Show the policy of who may see what, check another one, ask what it says, and take it with a second person."""


@policy.command()
@online
@click.option("--version", type=click.IntRange(0), help="An earlier version; 0 is the built-in one.")
def show(screen: Screen, client: Client, /, version: int | None) -> None:
    """Print the policy in force."""
    found = client.policy(version)
    if screen.json:
        screen.data(found)
        return
    screen.note(_named(found))
    for line in found.document.splitlines():
        screen.say(line)


@policy.command()
@online
def versions(screen: Screen, client: Client, /) -> None:
    """List the versions that were taken, the newest first."""
    found = list(client.policy_versions())
    if screen.json:
        screen.data({"versions": found})
        return
    titles = ("version", "taken", "author", "proposal", "digest")
    screen.table(titles, [(one.version, one.taken_at, one.author, one.proposal, one.digest) for one in found])


@policy.command()
@online
@file_argument
def check(screen: Screen, client: Client, /, file: str) -> None:
    """Check the policy in FILE, and say what would change with it; nothing is taken.

    Exits 1 if it could not be taken, with the line that is wrong.
    """
    with _placed(file, REFUSED_ROWS):
        found = client.check_policy(_read(file))
    if screen.json:
        screen.data(found)
        return
    for one in found.warnings:
        screen.note(f"{file}:{one.line}: warning: {one.words}" if one.line else f"warning: {one.words}")
    _say(screen, found.differences)


@policy.command()
@online
@file_argument
@click.option("--old", type=click.IntRange(0), metavar="VERSION", help="Default the one in force.")
def diff(screen: Screen, client: Client, /, file: str, old: int | None) -> None:
    """Say what callers gain and lose by the policy in FILE."""
    with _placed(file, USAGE):
        found = client.policy_difference(_read(file), old=old)
    screen.data({"differences": found}) if screen.json else _say(screen, found)


@policy.command()
@online
@click.argument("file", metavar="[FILE]", type=FILE, required=False)
def test(screen: Screen, client: Client, /, file: str | None) -> None:
    """Run the table of cases in FILE, or in the policy in force; exits 1 if one comes out otherwise."""
    with _placed(file or "", USAGE):
        found = client.test_policy(None if file is None else _read(file))
    if screen.json:
        screen.data(found)
    else:
        for one in found.cases:
            verdict = "ok" if one.ok else "wrong"
            by = f"by line {one.by}" if one.by else "by no rule"
            screen.say(
                f"{file or 'policy'}:{one.line}: {verdict}: expected {one.expected}, found {one.found} {by}"
            )
        screen.note(f"cases: {len(found.cases):,}, wrong: {sum(not one.ok for one in found.cases):,}")
    if not found.ok:
        sys.exit(REFUSED_ROWS)


@policy.command()
@online
@click.option("--caller", help="An API key's id, or another caller's name: oidc:… or cert:…")
@click.option("--role", "roles", multiple=True, help="Instead of a caller; repeatable.")
@click.option("--operation", default="reveal", show_default=True)
@click.option("--field", help="Field type, where the operation is on values.")
@click.option("--purpose", help="What for, where values are seen.")
@click.option("--view", type=click.Choice(VIEWS), help="Default masked.")
@click.option(
    "--at", type=TIMES, metavar="TIME", help="Such as 2026-11-25T09:00:00+08:00; a day in UTC; default now."
)
@click.option("--network", metavar="ADDRESS", help="Where it comes from; default unknown.")
@click.option("--tag", "tags", multiple=True, help="Of the row; repeatable.")
@click.option("--age", type=Duration(), help="Of the row, such as 90d; default none.")
@click.option("--own", is_flag=True, help="The row is of the person that the caller acts for.")
def explain(
    screen: Screen, client: Client, /, *, caller: str | None, roles: tuple[str, ...], operation: str, field: str | None,
    purpose: str | None, view: View | None, at: datetime | None, network: str | None, tags: tuple[str, ...],
    age: int | None, own: bool,
) -> None:  # fmt: skip
    """Say whether the policy in force allows something, by which line, and what every other rule says.

    \b
    strongroom policy explain --caller key_0123456789abcdef --field bank_card --purpose settle --view full
    """
    if (caller is None) is not bool(roles):
        raise Failure("say who asks: either --caller or --role")
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    found = client.explain_policy(
        operation, caller=caller, roles=roles or None, field=field, purpose=purpose, view=view, at=at, network=network,
        tags=tags, age_seconds=age or 0, own=own,
    )  # fmt: skip
    screen.data(found) if screen.json else _explain(screen, found)


@policy.command()
@online
@file_argument
def take(screen: Screen, client: Client, /, file: str) -> None:
    """Put the policy in FILE in force, together with another person.

    The first time it is proposed, and exits 1; once another person approved it, the same command takes it.
    """
    from strongroom_client import ApprovalRequired

    document, base = _read(file), client.policy().version
    with _placed(file, USAGE):
        try:
            taken = client.take_policy(document, base_version=base)
        except ApprovalRequired as error:
            if error.approved < error.needed:
                return _proposed(screen, error)
            taken = client.using(error.proposal).take_policy(document, base_version=base)
            screen.note(f"{error.approved} of {error.needed}: {error.proposal}")
    screen.data(taken) if screen.json else screen.say(f"policy version {taken.version} is in force")
    return None


def _proposed(screen: Screen, error: Exception) -> None:
    """Say what another person has to do, and exit with 1."""
    proposal, approved, needed = (getattr(error, name) for name in ("proposal", "approved", "needed"))
    if screen.json:
        screen.data({"proposal": proposal, "approved": approved, "needed": needed})
    else:
        screen.say(
            f"{approved} of {needed}: proposed; another person: strongroom approvals approve {proposal}"
        )
    sys.exit(REFUSED_ROWS)


def _read(file: str) -> str:
    text: str | None
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise Failure(f"{file} is not UTF-8")
    return text


@contextmanager
def _placed(file: str, code: int) -> Iterator[None]:
    """Say of a policy that cannot be taken where in the file that is."""
    from strongroom_client import Refused

    failed = None
    try:
        yield
    except Refused as error:
        found = _AT_LINE.fullmatch(str(error))
        if error.code != "policy_invalid":
            raise
        text = f"{file}:{found[1]}: {found[2]}" if found else f"{file}: {error}"
        line = int(found[1]) if found else 0
        failed = Failure(text, None, code, {"code": error.code, "line": line})
    if failed is not None:
        raise failed


def _named(one: PolicyVersion) -> str:
    if one.taken_at is None:
        return "version 0: the built-in policy"
    return f"version {one.version}, taken {one.taken_at:%Y-%m-%dT%H:%M:%SZ} by {one.author} ({one.proposal})"


def _say(screen: Screen, differences: list[str]) -> None:
    for line in differences or ["nobody gains or loses anything"]:
        screen.say(line)


def _explain(screen: Screen, found: PolicyAnswer) -> None:
    *remarks, last = found.remarks
    for one in remarks:
        place = f"line {one.line}" if one.line else "-"
        screen.note(f"{place}\t{one.verdict}\t{one.words}")
    screen.say(last.words)
    if last.line:
        screen.say(f"line {last.line}: {last.text.strip()}")
