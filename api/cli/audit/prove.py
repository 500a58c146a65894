"""`strongroom audit prove`: the proof that a record is in a log, for somebody who trusts neither service nor us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli import outfile
from api.cli.audit.trust import trust_options, trusted
from api.cli.connection import Connect, reachable
from api.cli.failure import DAMAGED, REFUSED_ROWS, Failure
from api.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.cli.audit.proof import ProofFile
    from vault.audit.notes import Verifier

_SHOWN = ("id", "at", "actor", "operation", "field", "purpose", "view", "result", "count")


@click.command()
@reachable
@click.argument("record", metavar="[RECORD]", required=False)
@click.option("--log", type=click.IntRange(1), help="Which log a position is of; default the newest.")
@click.option(
    "--size", type=click.IntRange(1), help="Of the tree, such as an older checkpoint's; default all."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write; default stdout.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option(
    "--check", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Check a proof that was written before; no service is asked.",
)  # fmt: skip
@trust_options
def prove(
    screen: Screen, connect: Connect, /, *, record: str | None, log: int | None, size: int | None, out: Path | None,
    force: bool, check: Path | None, vkeys: tuple[str, ...], trust: Path | None,
) -> None:  # fmt: skip
    """Write the proof that RECORD is in the log: its id, 32 hex digits, or its position.

    The file holds the record, the hashes beside its way to the root, and the signed checkpoint with that root: who has
    it and the log's key needs nothing of ours to check it (RFC 6962, C2SP tlog-checkpoint). --check does so here.

    Exits 1 if no key that is trusted signed the checkpoint, 5 if the proof does not hold.
    """
    keys = trusted(vkeys, trust)
    if (record is None) is (check is None):
        raise Failure("say either a RECORD to prove, or --check with a file")
    if check is not None:
        _check(screen, check, keys)
        return
    if out is not None:
        outfile.check(out, force)
    from api.cli.audit import proof

    with connect() as client:
        given = int(record) if record and len(record) < 20 and record.isdecimal() else str(record)
        found = proof.of_service(client.prove_record(given, log=log, size=size))
    if not found.checkpoint:
        raise Failure("no checkpoint of that size is kept any more", "leave --size out", REFUSED_ROWS)
    _require(found, keys)
    text = proof.encoded(found).decode()
    with outfile.created(out, force) as file:
        file.write(text)
    screen.note(f"record {found.position} is one of the {found.size:,} of {found.log}")


def _check(screen: Screen, path: Path, keys: Sequence[Verifier]) -> None:
    from api.cli.audit import proof

    with path.open("rb") as file:
        found = proof.read(file.read(proof.LONGEST), str(path))
    if not keys:
        screen.note(
            "no --key: the key in the file is taken, which shows a proof that is whole, not whose it is"
        )
    _require(found, keys)
    record = proof.record_of(found.leaf)
    if screen.json:
        screen.data({"log": found.log, "position": found.position, "size": found.size, "record": record})
        return
    screen.say(f"record {found.position} is one of the {found.size:,} of {found.log}")
    for name in _SHOWN:
        if record.get(name) not in {None, ""}:
            screen.say(f"{name}: {record[name]}")


def _require(found: ProofFile, keys: Sequence[Verifier]) -> None:
    """Return if the proof holds under the keys that were given, or else under its own; raise Failure."""
    from api.cli.audit import proof
    from vault.audit.faults import AuditFault, UnknownKey
    from vault.audit.notes import Verifier

    try:
        proof.checked(found, keys or [Verifier(found.vkey)])
        return
    except AuditFault as fault:
        why, code = str(fault), fault.code
    exit_code = REFUSED_ROWS if code == UnknownKey.code else DAMAGED
    raise Failure(f"the proof does not hold: {why}", None, exit_code, {"code": code})
