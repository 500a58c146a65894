"""A sealer in one process after the other, each killed before or after one of its commits; what is left is checked.

Usage: python -m tests.vault.audit.killed DATABASE_URL KEY_FILE
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event, text

import vault.sealer
from api.config import Settings
from api.wiring import open_resources
from tests.vault.audit import outside
from tests.vault.audit.sealed import greedy
from vault.audit.leaf import decode
from vault.columns import Actor
from vault.resources import Resources
from vault.service import Vault
from vault.store import auditlog

POINTS = range(2, 9)  # commits around which the sealer is killed
RECORDS = 20  # that are written before each life


def opened() -> Resources:
    """Return a process's own resources."""
    return open_resources(Settings(database_url=sys.argv[1], root_key_file=Path(sys.argv[2])))


def die_at(resources: Resources, number: int, before: bool) -> None:
    """End this process at its commit of that number."""
    left = [number]

    def commit(connection: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            if not before:
                connection.connection.driver_connection.commit()  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(resources.database.engine, "commit", commit)


def live(number: int, before: bool) -> bool:
    """Seal in a process of its own; return whether it was killed."""
    child = os.fork()
    if child == 0:
        resources = opened()
        one = greedy(resources, f"life-{number}-{before}")
        die_at(resources, number, before)
        one.run_once()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def write(tenant: int, first: int) -> None:
    """Write records in a process of its own: a fork of one with open connections would share them."""
    child = os.fork()
    if child == 0:
        resources = opened()
        served = Vault(resources)
        for at in range(first, first + RECORDS):
            served.record_refusal(Actor(tenant, "live", "key_0", "r"), "reveal", f"refused_{at}")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def check(resources: Resources, tenant: int, written: int) -> None:
    """Every record is in the tree once, in order, and the newest checkpoint is of all."""
    with resources.database.read() as connection:
        log = auditlog.current(connection, tenant)
        assert log is not None
        held = [row.leaf for row in auditlog.leaves(connection, tenant, 1, 0, 1_000_000)]
        newest = auditlog.checkpoint(connection, tenant, 1, log.size)
    results = [decode(leaf).result for leaf in held]
    assert [one for one in results if one.startswith("refused")] == [f"refused_{at}" for at in range(written)]
    assert newest is not None
    assert newest.note.split("\n")[2] == outside.base64.b64encode(outside.mth(held)).decode()


def tenant_of() -> int:
    """Return the live tenant, asked in a process of its own."""
    read, wrote = os.pipe()
    if os.fork() == 0:
        with opened().database.read() as connection:
            found = connection.execute(text("SELECT id FROM tenant WHERE mode = 'live'")).scalar_one()
        os.write(wrote, str(found).encode())
        os._exit(0)
    os.wait()
    return int(os.read(read, 100))


def main() -> None:
    """Kill, and check at the end."""
    vault.sealer.BATCH_RECORDS = 7
    vault.sealer.FAN = 3  # runs are merged often
    tenant, killed, written = tenant_of(), 0, 0
    for number in POINTS:
        write(tenant, written)
        written += RECORDS
        killed += live(number, before=bool(number % 2))
    resources = opened()
    greedy(resources, "last").run_once()
    check(resources, tenant, written)
    assert killed == len(POINTS)
    sys.stdout.write(f"killed {killed} times, {written} records")


if __name__ == "__main__":
    main()
