"""`strongroom passwords`: stored, verified, moved in from other systems, looked after; never shown."""

from __future__ import annotations

import click

from api.cli import calibrate, passwordentry, passwordfile, passwordstate


@click.group(short_help="Store, verify, import and count passwords.")
def passwords() -> None:
    """Count, import, store, verify, reset, unlock and delete passwords; nothing shows one.

    A password is asked for on the terminal, or is the one line of standard input; never an argument. All commands go
    over HTTP but `calibrate`, which measures what hashes cost on this machine.
    """


for _command in (
    passwordstate.status, passwordfile.take, passwordentry.store, passwordentry.verify, passwordentry.reset,
    passwordstate.unlock, passwordstate.delete, calibrate.calibrate,
):  # fmt: skip
    passwords.add_command(_command)
