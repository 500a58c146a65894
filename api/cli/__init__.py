"""The `strongroom` command: one file a topic, loaded when it is used."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import cast

import click

from api import garbage
from api.cli.failure import Failure, report
from api.cli.screen import Screen

NO_READER = 141  # 128 + SIGPIPE
COMMANDS = {
    "serve": "api.cli.serve:serve",
    "worker": "api.cli.worker:worker",
    "hasher": "api.cli.hasher:hasher",
    "witness": "api.cli.witness:witness",
    "doctor": "api.cli.doctor:doctor",
    "db": "api.cli.database:db",
    "bootstrap": "api.cli.bootstrap:bootstrap",
    "tokenize": "api.cli.tokenize:tokenize",
    "reveal": "api.cli.reveal:reveal",
    "compare": "api.cli.compare:compare",
    "token": "api.cli.token:token",
    "subject": "api.cli.subject:subject",
    "passwords": "api.cli.passwords:passwords",
    "logins": "api.cli.logins:logins",
    "apikey": "api.cli.apikey:apikey",
    "policy": "api.cli.policy:policy",
    "approvals": "api.cli.approvals:approvals",
    "callers": "api.cli.callers:callers",
    "decoys": "api.cli.decoys:decoys",
    "audit": "api.cli.audit:audit",
    "alarms": "api.cli.alarms:alarms",
    "keys": "api.cli.keys:keys",
    "backup": "api.cli.backup:backup",
    "drill": "api.cli.drill:drill",
    "job": "api.cli.job:job",
    "recovery": "api.cli.recovery:recovery",
    "restore": "api.cli.restore:restore",
    "fields": "api.cli.fields:fields",
    "completion": "api.cli.completion:completion",
}


class Topics(click.Group):
    """Commands by name, each imported when it is asked for: completion and help stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a first day: serve, then use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        return cast("click.Command", getattr(importlib.import_module(module), name))

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; when the reader of its output has gone, as `head` does, end as a shell would say."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ctx.exit(NO_READER)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with; raise Failure that names the one probably meant."""
        near = difflib.get_close_matches(args[0], COMMANDS, 1)
        if near and args[0] not in COMMANDS:
            raise Failure(f"there is no command {args[0]}", f"is it {near[0]}?")
        return super().resolve_command(ctx, args)


@click.group(cls=Topics, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="strongroom")
def cli() -> None:
    """Keep values in a vault, and tokens everywhere else.

    serve, worker, hasher, doctor, db, bootstrap and restore work on this machine's own service and take its settings
    from STRONGROOM_… variables, as drill does on a host of its own; witness and recovery need none. All others go over
    HTTP to the service at STRONGROOM_URL with the API key in STRONGROOM_API_KEY, or in the file that
    STRONGROOM_API_KEY_FILE names, or with the token in the file that STRONGROOM_TOKEN_FILE names, which is read anew
    when it changes; none of them is ever an argument, which other users of the machine could see.

    Exit codes: 0 done; 1 some rows, values or checks were refused; 2 the command or a file cannot be used;
    3 the service, or a server of backups, cannot be reached; 4 refused; 5 the audit or a backup is damaged; others are
    told by the commands that have them.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit with its code."""
    screen = Screen()
    try:
        code = cli.main(args=arguments, prog_name="strongroom", obj=screen, standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - the last stop: told without a traceback, which could show a value
        code = report(screen, error)
    sys.exit(code if isinstance(code, int) else 0)


def run() -> None:
    """Run the command in a process of its own."""
    garbage.seldom()
    try:
        main()
    finally:
        garbage.spare()
