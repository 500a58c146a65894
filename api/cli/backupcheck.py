"""The check of `doctor` on backups that were made: how far they reach, drills, what former installations left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from api.cli import surroundings
from api.cli.findings import Finding, ok, warn
from api.config import Settings
from vault.errors import VaultError

if TYPE_CHECKING:
    from vault.backup.plan import Plan
    from vault.recovery.targets.protocol import Target
    from vault.store.drills import Drill

DRILLED = "`strongroom drill` on the drill host, by its timer (docs/operations.md)"


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says of backups; times in microseconds since 1970 (UTC).

    Attributes:
        now: by the database's clock.
        shipped: until when all is at enough servers; None before the first backup.
        newest, passed: the newest drill, and the newest that passed.
        former: the installation that it was restored from.
    """

    now: int
    shipped: int | None
    newest: Drill | None
    passed: Drill | None
    former: str | None


def known(settings: Settings) -> Known | None:
    """Return what the database says; None where it says nothing, which another check tells."""
    from api.wiring import open_database
    from vault.recovery import line
    from vault.store import catalogue, copies, drills

    file = surroundings.database_file(settings)
    if file is not None and not file.exists():
        return None
    database = open_database(settings)
    try:
        with database.read() as connection:
            shipped, (_, follows) = (
                copies.shipped(connection),
                catalogue.known_installation(connection) or (0, None),
            )
            newest, passed = drills.drills(connection, 1), drills.drills(connection, 1, passed=True)
        origin = line.origin_of(follows)
        return Known(
            database.now(), shipped, newest[0] if newest else None, passed[0] if passed else None,
            None if origin is None else origin.installation,
        )  # fmt: skip
    except VaultError:
        return None
    finally:
        database.close()


def reach(planned: Plan, found: Known) -> Iterator[Finding]:
    """Tell until when everything is at the servers."""
    from vault.recovery.standing import late

    if found.shipped is None:
        hint = "the service makes the first by itself; if it runs, see its log and `strongroom backup status`"
        yield warn("newest", "no backup was made yet", hint)
    elif late(planned, found.shipped, found.now):
        text = f"what was stored after {_time(found.shipped)} may be in the database alone"
        yield warn("newest", text, "start the service; if it runs, see `strongroom backup status`")
    else:
        yield ok("newest", f"everything until {_time(found.shipped)} is at enough servers")


def drills(planned: Plan, found: Known) -> Iterator[Finding]:
    """Tell whether restores are tried, and how the newest went."""
    from vault.recovery.drills import missed

    if not planned.recipients.reporters:
        hint = "`strongroom drill init` on another machine prints the lines for STRONGROOM_BACKUP_RECIPIENTS"
        yield warn("drills", "no drill host is known whose reports count, so no restore was proved", hint)
        return
    if not planned.drilled:
        yield warn(
            "drills", "none are planned, so one that is missed alarms nobody", "set STRONGROOM_DRILL_HOURS=26"
        )
    if found.newest is not None and not found.newest.passed:
        hint = "`strongroom backup drills`; the drill host has the report"
        yield warn("drills", f"the newest, of {_time(found.newest.begun_at)}, failed", hint)
    elif found.passed is None:
        yield warn("drills", "none was made yet", DRILLED)
    elif missed(planned, found.passed.begun_at, found.now):
        yield warn("drills", f"none passed since {_time(found.passed.begun_at)}", DRILLED)
    else:
        yield ok("drills", f"the newest passed, on {_time(found.passed.begun_at)}")


def left(target: Target, found: Known | None) -> Iterator[Finding]:
    """Tell if the keyrings of the installation that this one was restored from are still at a server."""
    from vault.backup import layout
    from vault.errors import TargetFailed

    if found is None or found.former is None:
        return
    with suppress(TargetFailed):
        if next(iter(target.files(layout.manifests(found.former, "keyring"))), None) is not None:
            text = f"{target.name} has keyrings of {found.former} still, which no erasure reaches"
            yield warn(
                "former", text, "`strongroom backup prune --former`, when you need its backups no more"
            )


def _time(micros: int) -> str:
    return f"{datetime.fromtimestamp(micros / 1e6, UTC):%Y-%m-%dT%H:%M:%SZ}"
