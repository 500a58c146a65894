"""`strongroom audit`: what was done to whose data, and proof that the record of it is whole."""

from __future__ import annotations

import click

from api.cli.audit.exporting import checkpoint, export, reopen
from api.cli.audit.person import person
from api.cli.audit.prove import prove
from api.cli.audit.records import records
from api.cli.audit.status import status
from api.cli.audit.verify import verify


@click.group(short_help="Ask what was done, and verify that the record of it is whole.")
def audit() -> None:
    """Ask the audit what was done by whom to whose data, and verify here that nothing in it was changed since."""


for command in (status, verify, prove, records, person, export, checkpoint, reopen):
    audit.add_command(command)
