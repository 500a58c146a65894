"""`strongroom drill`: prove that backups restore, on a host that holds a drill key."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click

from api.cli import ending
from api.cli.backup import Share
from api.cli.connection import LOCAL, as_json
from api.cli.drill.init import init
from api.cli.duration import Duration
from api.cli.entering import shares_file_option
from api.cli.failure import Failure
from api.cli.screen import Screen

# What is there is looked for later: these are for the group too, and `init` makes some of it.
_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(invoke_without_command=True, short_help="Prove that backups restore.")
@click.option(
    "--keys", type=_FOLDER, envvar=["STRONGROOM_DRILL_KEYS", "CREDENTIALS_DIRECTORY"], metavar="FOLDER",
    help="What `drill init` made, and the credentials of a systemd unit.",
)  # fmt: skip
@click.option(
    "--trust", type=_FILE, envvar="STRONGROOM_DRILL_TRUST", metavar="FILE",
    help="Keys whose manifests are believed: a recovery record, or what `strongroom backup keys` prints.",
)  # fmt: skip
@click.option(
    "--reports", type=_FOLDER, envvar=["STRONGROOM_DRILL_REPORTS", "STATE_DIRECTORY"], metavar="FOLDER",
    help="Where signed reports and the page of drills are kept.",
)  # fmt: skip
@click.option("--target", metavar="NAME", help="Which target; default the one that had no drill for longest.")
@click.option("--all-targets", is_flag=True, help="All of them, one after the other.")
@click.option(
    "--sample", type=Share(), default=1.0, metavar="PERCENT", help="Open so many values; default all."
)
@click.option(
    "--max-age", type=Duration(), envvar="STRONGROOM_DRILL_MAX_AGE", default=7_200, metavar="DURATION",
    help="Fail if the newest state is older; default 2h.",
)  # fmt: skip
@click.option("--installation", metavar="ID", help="Whose backups; default that with the newest one.")
@click.option("--scratch-url", metavar="URL", envvar="STRONGROOM_DRILL_SCRATCH_URL",
              help="Restore into this PostgreSQL database, which must be empty and is emptied again.")  # fmt: skip
@click.option("--scratch-dir", type=_FOLDER, metavar="FOLDER",
              help="Restore into a file in this folder; default memory, if there is room.")  # fmt: skip
@click.option(
    "--api-key-file", "key_files", multiple=True, type=_FILE, envvar="STRONGROOM_API_KEY_FILE",
    help="API key of a business whose live data are compared; the first hands the report in. Repeatable.",
)  # fmt: skip
@click.option("--no-live", is_flag=True, help="Do not ask the live service; the report says so.")
@click.option("--without-vault", is_flag=True, help="Open keysets by custodians' shares, and no root key.")
@shares_file_option
@click.option("--url", envvar="STRONGROOM_URL", default=LOCAL, show_default=True, help="The live service.")
@click.option("--ca", envvar="STRONGROOM_CA", type=click.Path(), help="PEM file of authorities to trust.")
@as_json
@click.pass_context
def drill(ctx: click.Context, /, **options: object) -> None:
    """Restore the newest backup into a scratch database and look at all of it; live data are never touched.

    It takes the servers of STRONGROOM_BACKUP_TARGETS and the root key of the settings, of which it needs to open and
    to wrap keys alone; never the live database. Each look is a check that passes or fails; the signed report of all
    goes into the folder of reports and to the live service. Nothing of the scratch is left.

    Exits 0 if every check passed, 5 if one failed, 3 if the target could not be read, 7 if no key at hand opens the
    backup, 1 if the report could not be handed in.
    """
    screen = ctx.ensure_object(Screen)
    if ctx.invoked_subcommand is not None:
        return
    from api.cli.drill import running

    ending.by_exception()
    if options["keys"] is None or options["trust"] is None or options["reports"] is None:
        raise Failure("a drill needs --keys, --trust and --reports", "`strongroom drill init` makes the keys")
    for folder in (options["reports"], options["scratch_dir"]):
        if isinstance(folder, Path) and not folder.is_dir():
            raise Failure(f"there is no folder {folder}")
    if options["target"] and options["all_targets"]:
        raise Failure("--target and --all-targets mean different things")
    scratch = urlsplit(str(options["scratch_url"] or ""))
    if scratch.password is not None or "password" in parse_qs(scratch.query, keep_blank_values=True):
        raise Failure(
            "a password in --scratch-url is there for everybody to see", "PGPASSFILE names a file for it"
        )
    if options["source"] and not options["without_vault"]:
        raise Failure("--shares-file is for --without-vault")
    ctx.exit(running.run(screen, options))


drill.add_command(init)
