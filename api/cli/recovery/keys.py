"""`strongroom recovery keys`: the service's manifest keys written into the recovery record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from api.cli import outfile
from api.cli.recovery.records import FILE, record_of, trusted
from api.cli.screen import Screen

KEYS = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.command()
@click.argument("path", metavar="RECORD", type=FILE)
@click.argument("source", metavar="KEYS", type=KEYS)
@click.option("--replace", "only", is_flag=True, help="Drop the keys that the record named before.")
@click.pass_obj
def keys(screen: Screen, path: Path, source: Path, only: bool) -> None:
    """Write the service's manifest KEYS into the recovery RECORD, after those that it names.

    KEYS is a file of what `strongroom backup keys` prints, or - for standard input. Each key that comes, or goes, is
    said: compare it with the service's, for a restore believes the backups that it signed. Print the sheet anew then.
    """
    from vault.recovery import record

    known, given = record_of(path), trusted(source)
    before = {key.vkey: key for key in known.keys}
    after = {} if only else dict(before)
    after |= {key.vkey: key for key in given}
    if list(after) == list(before):
        screen.note("nothing is new: the record names these keys already")
        return
    with outfile.created(path, force=True) as file:
        file.write(record.write(replace(known, keys=tuple(after.values()))))
    for vkey in after.keys() - before.keys():
        screen.say(f"new: {vkey}")
    for vkey in before.keys() - after.keys():
        screen.say(f"gone: {vkey}")
