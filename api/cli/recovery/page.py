"""`strongroom recovery page`: what is public of the recovery key, as a sheet to print."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from api.cli import outfile
from api.cli.recovery.records import FILE, TRUST_HELP, record_of, trusted
from api.cli.screen import Screen


@click.command()
@click.argument("path", metavar="RECORD", type=FILE)
@click.option("--trust", type=FILE, help=f"{TRUST_HELP} Default those of the record.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; default stdout.")
@click.option("--force", is_flag=True, help="Replace the output file if it exists.")
@click.pass_obj
def page(screen: Screen, path: Path, trust: Path | None, output: Path | None, force: bool) -> None:
    """Print the recovery RECORD as a sheet (HTML): recipient, check value, digests of the shares, manifest keys.

    There is no secret on it. Print it anew when the service's manifest keys have changed.
    """
    from api.cli.recovery.sheet import record_sheet

    record = record_of(path)
    if trust is not None:
        record = replace(record, keys=trusted(trust))
    if output is not None:
        outfile.check(output, force, str(path))
    with outfile.created(output, force) as file:
        file.write(record_sheet(record))
    if output is not None:
        screen.note(f"{output} is written: a page for a browser to print")
