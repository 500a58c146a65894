"""`strongroom restore`: an empty database filled from the backups at one target."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli import entering, restoretold
from api.cli.connection import as_json
from api.cli.failure import Failure
from api.cli.recovery.records import FILE, TRUST_HELP, trusted
from api.cli.screen import Screen
from api.cli.times import at_option

if TYPE_CHECKING:
    from api.config import Settings
    from keys.keyring import Keyring
    from vault.recovery.archive import Archive
    from vault.recovery.restored import Means, Restored, Wanted
    from vault.store.loading import Loader


@click.command(short_help="Fill an empty database from its backups.")
@as_json
@click.option(
    "--from", "target", metavar="URL", help="Target to restore from; default the first of the settings."
)
@click.option(
    "--trust", required=True, type=FILE, metavar="FILE", help=TRUST_HELP + " Or the recovery record."
)
@click.option("--installation", metavar="ID", help="Whose backups, where the target has those of several.")
@click.option(
    "--backup", "number", type=click.IntRange(1), metavar="N", help="A backup's number; default the newest."
)
@at_option
@click.option(
    "--at-least", type=click.IntRange(1), metavar="N", default=None,
    help="Refuse a target whose newest backup is older than number N: it shows an old state.",
)  # fmt: skip
@click.option(
    "--pass-over-damaged", is_flag=True, help="Where the newest backup is damaged, take the one before."
)
@click.option(
    "--identity", type=FILE, metavar="FILE", help="Open the backup by the age identity in this file."
)
@click.option(
    "--with-shares", is_flag=True, help="Open the backup and all keysets by custodians' shares: no root."
)
@entering.shares_file_option
@click.option(
    "--checkpoint", "checkpoints", multiple=True, type=FILE, metavar="FILE",
    help="A checkpoint of an audit log that was kept outside, newer than the backup. Repeatable.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Read and verify all of it, and leave no database.")
@click.pass_obj
def restore(
    screen: Screen, target: str | None, trust: Path, installation: str | None, number: int | None, at: datetime | None,
    at_least: int | None, pass_over_damaged: bool, identity: Path | None, with_shares: bool, source: str | None,
    checkpoints: tuple[Path, ...], dry_run: bool,
) -> None:  # fmt: skip
    """Restore the whole service into the empty database of the settings, from one target of its backups.

    All of a backup is verified before anything is written; what is refused leaves the database empty. The newest
    keyring is used, whichever backup is meant: tokens that were deleted since, and persons who were erased, do not come
    back. Keysets get new primaries, and each audit log ends and goes on as another.

    By default the root key of the settings opens the backup. With --with-shares or --shares-file the custodians' shares
    do, and everything comes under the root key of the settings, which is made if it is a key file and missing.

    Exits 0 if all is well, 6 if it was restored and some values do not open, or an audit log is damaged; and, with
    nothing restored, 5 if the backup is damaged, old or not trusted, 3 if the target cannot be reached, 7 if no key
    opens it, 4 if the database is not empty, 2 if the command or a file cannot be used, 1 for anything else.
    """
    from api.cli import surroundings
    from vault.recovery.restored import Wanted

    if number is not None and at is not None:
        raise Failure("--backup and --at each say which backup is meant: give one")
    settings = surroundings.settings()
    wanted = Wanted(
        installation, number, None if at is None else int(at.timestamp() * 1_000_000), at_least or 0,
        [file.read_text("utf-8", "replace") for file in checkpoints], pass_over_damaged,
    )  # fmt: skip
    shared = with_shares or source is not None
    with restoretold.told_apart(), _archive(settings, target, trust) as archive:
        if shared:
            _require_ready(settings, archive, wanted)
        means = _means(screen, identity, shared, source)
        with _keyring(settings, made=means.recovery is not None) as keyring:
            done = _restored(screen, settings, archive, keyring, wanted, means, dry_run)
    restoretold.tell(screen, done, dry_run)


def _require_ready(settings: Settings, archive: Archive, wanted: Wanted) -> None:
    """Return if nothing but the shares is lacking, so that no custodian types them for nothing."""
    from vault.recovery import picking

    with _loader(settings):
        picking.picked(archive, wanted)


def _restored(
    screen: Screen, settings: Settings, archive: Archive, keyring: Keyring, wanted: Wanted, means: Means, dry_run: bool
) -> Restored:  # fmt: skip
    from vault.recovery import restoring

    with restoretold.bar(screen) as progress:
        return restoring.restore(
            archive, _loader(settings), keyring, wanted, means, dry_run=dry_run, progress=progress
        )


def _loader(settings: Settings) -> Loader:
    """Return what writes into the database of the settings, whose folder is made if need be."""
    from api.cli import surroundings
    from vault.store.loading import Loader

    file = surroundings.database_file(settings)
    if file is not None:
        surroundings.make_folder(file)
    return Loader(settings.database(), time.time, time.monotonic)


def _is_empty(settings: Settings) -> bool:
    """Whether a restore could write into the database of the settings; False, too, where nobody can tell."""
    try:
        with _loader(settings):
            return True
    except Exception:  # noqa: BLE001 - what went wrong before is told
        return False


def _means(screen: Screen, identity: Path | None, shared: bool, source: str | None) -> Means:
    """Return what opens the backup beside the root keys of the settings."""
    from keys import identity as identities
    from keys import resident
    from keys.errors import KeyFileError
    from vault.recovery.restored import Means

    resident.keep_out_of_files()
    try:
        given = [] if identity is None else [identities.read(identity.read_bytes())]
    except KeyFileError as error:
        raise Failure(f"{identity}: {error}", "`strongroom drill init` made one on each drill host") from None
    return Means(given, entering.recovery_key(screen, source) if shared else None)


@contextmanager
def _archive(settings: Settings, target: str | None, trust: Path) -> Iterator[Archive]:
    """Give the target that is meant, with the keys that are trusted."""
    from api import targets
    from vault.recovery.archive import Archive

    verifiers = trusted(trust)
    with closing(targets.open_one(settings, target)) as opened:
        yield Archive(opened, verifiers)


@contextmanager
def _keyring(settings: Settings, *, made: bool) -> Iterator[Keyring]:
    """Give the root keys of the settings; a key file that is missing is made, and goes again where nothing needs it.

    However a restore ended, the database may be there, and under that key: it goes only if that is empty for certain.

    Args:
        made: whether one may be made, since the keysets do not come by the root.
    """
    from api.config import read_secret
    from api.roots import listed, open_roots
    from api.wiring import open_database
    from keys.keyring import Keyring
    from keys.providers import local
    from keys.secret import Secret
    from vault.store.keysets import Keysets

    path, passphrase, fresh = settings.root_key_file, settings.root_passphrase_file, False
    if made and "local" in listed(settings) and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        local.create(path, Secret(read_secret(passphrase)) if passphrase is not None else None)
        fresh = True
    try:
        roots, primary = open_roots(settings)
        yield Keyring(Keysets(open_database(settings)), roots, primary, time.monotonic)
        for root in roots.values():
            root.close()
    finally:
        if fresh and _is_empty(settings):
            path.unlink(missing_ok=True)
