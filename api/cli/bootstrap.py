"""`strongroom bootstrap`: a business, its keysets and its first API keys."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from api.cli import outfile
from api.cli.connection import as_json
from api.cli.failure import Failure
from api.cli.screen import Screen

if TYPE_CHECKING:
    from api.config import Settings
    from vault.columns import ApiKeyRecord


@click.command(short_help="Make a business and its first API keys.")
@click.option("--tenant", required=True, metavar="NAME", help="Name of the business.")
@click.option("--again", is_flag=True, help="The business is there: make one more such key for each mode.")
@click.option(
    "--operator", is_flag=True, help="These keys may also move and turn root keys, and manage backups."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="JSON file for the keys, mode 0600.")
@as_json
@click.pass_obj
def bootstrap(screen: Screen, tenant: str, again: bool, operator: bool, output: Path | None) -> None:
    """Make a business with live and test data apart, and the first API key of each, shown this once.

    The keys may do everything with their own business: make others with less (`strongroom apikey create`), and
    revoke these. Root keys, which the keysets of every business hang on, are for keys made with --operator. If there
    is neither a root key file nor a tenant yet, nor a Vault, the file is made too; keep a copy of it apart from the
    database's backups. --again is for who lost every key: the other keys go on working until they are revoked. Under
    a policy, keys made again have those of its roles that propose or approve the next one; two are two people.
    """
    from api.cli import surroundings
    from api.wiring import open_vault

    if output is not None:
        outfile.check(output, force=False)
    elif not screen.json and not sys.stdout.isatty():
        raise Failure("the keys would end in a pipe or a log", "say -o FILE, or --json if that is meant")
    settings = surroundings.settings()
    made_root = _root_key(settings)
    vault = open_vault(settings)
    try:
        made = vault.bootstrap(tenant, again, operator)
    finally:
        vault.close()
    if made_root and not screen.json:
        screen.note(
            f"{settings.root_key_file} is the root key: keep a copy apart from the database's backups"
        )
    _hand_over(screen, {mode: _described(*key) for mode, key in made.items()}, output)


def _root_key(settings: Settings) -> bool:
    """Make the root key file if it is missing and nothing depends on another; return whether it was made."""
    from api.cli import surroundings
    from api.config import read_secret
    from api.roots import listed
    from api.wiring import open_database
    from keys.providers import local
    from keys.secret import Secret
    from vault.store import inspection, revision

    if settings.root_key_file.exists() or "local" not in listed(settings):
        return False
    database = open_database(settings)
    try:
        revision.require_head(database)
        roots = inspection.roots(database)
    finally:
        database.close()
    if roots:
        hint = "put the file back: a new key would open nothing that is stored"
        names = ", ".join(sorted(roots))
        raise Failure(f"{settings.root_key_file} is missing, and stored keys depend on {names}", hint)
    surroundings.make_folder(settings.root_key_file)
    file = settings.root_passphrase_file
    local.create(settings.root_key_file, Secret(read_secret(file)) if file is not None else None)
    return True


def _described(record: ApiKeyRecord, text: str) -> dict[str, object]:
    made = datetime.fromtimestamp(record.created_at, UTC)
    return {
        "id": record.id,
        "name": record.name,
        "operations": record.operations,
        "created_at": made,
        "key": text,
    }


def _hand_over(screen: Screen, keys: Mapping[str, Mapping[str, object]], output: Path | None) -> None:
    if output is not None:
        with outfile.created(output) as file:
            file.write(msgspec.json.format(msgspec.json.encode(keys)).decode() + "\n")
        screen.data({"output": str(output)}) if screen.json else screen.say(
            f"the first API keys are in {output}"
        )
    elif screen.json:
        screen.data(keys)
    else:
        screen.note("the first API keys; keep them now, they are not shown again")
        for mode, key in keys.items():
            screen.say(f"{mode}  {key['key']}")
