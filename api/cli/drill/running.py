"""Drills carried out one after the other: targets chosen, reports kept, shown and handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli import entering
from api.cli.drill import exits, showing
from api.cli.drill.showing import Shown
from api.cli.failure import Failure, explain
from api.cli.recovery.records import trusted
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client

    from api.config import Settings
    from api.drills.host import Host
    from api.drills.hostkeys import HostKeys
    from api.drills.shelf import Shelf
    from vault.audit.notes import Signer
    from vault.recovery.reports import Report
    from vault.recovery.targets.protocol import Target

LONGEST = 1_024  # bytes of a file with an API key
Options = Mapping[str, Any]


def run(screen: Screen, options: Options) -> int:
    """Drill as asked, keep, show and hand in the reports; return the exit code."""
    from api.cli import surroundings
    from api.drills.hostkeys import HostKeys
    from api.drills.shelf import Shelf

    settings, keys, shelf = surroundings.settings(), HostKeys(options["keys"]), Shelf(options["reports"])
    signer, chosen = keys.signer(), _chosen(settings, options, shelf)
    with ExitStack() as ending:
        clients = [(ending.enter_context(_client(options, text)), text) for text in _api_keys(options)]
        with showing.bar(screen) as shown:
            host = _host(screen, settings, keys, options, clients, shown)
            made = [_drill(screen, host, target, shelf, signer, clients) for target in chosen]
        if not clients:
            screen.note("the reports were handed in to nobody: no API key is given")
        showing.tell(screen, shelf, [report for report, _ in made])
    return exits.code([report for report, _ in made], all(handed_in for _, handed_in in made))


def _host(
    screen: Screen, settings: Settings, keys: HostKeys, options: Options,
    clients: Sequence[tuple[Client, str]], shown: Shown,
) -> Host:  # fmt: skip
    """Return the drill host; what it lacks is told now, and not after an hour."""
    from api.drills.host import Host, Wishes
    from api.drills.live import Service
    from keys import resident

    resident.keep_out_of_files()
    keys.identity()
    sample, oldest = round(1_000 * options["sample"]), float(options["max_age"])
    wishes = Wishes(options["installation"], options["scratch_url"], options["scratch_dir"], sample, oldest)
    lives = None if options["no_live"] else [Service(client, text) for client, text in clients]
    if lives == []:
        raise Failure("no API key is given for the live service", "say --api-key-file FILE, or --no-live")
    recovery = entering.recovery_key(screen, options["source"]) if options["without_vault"] else None
    return Host(settings, keys, trusted(options["trust"]), wishes, recovery, lives, shown, shown)


def _drill(
    screen: Screen, host: Host, target: Target, shelf: Shelf, signer: Signer, clients: Sequence[tuple[Client, str]]
) -> tuple[Report, bool]:  # fmt: skip
    """Drill a target, keep the report and hand it in; return it, and whether the service has it, if there is one."""
    from vault.recovery import reports

    with closing(target):
        report = host.drill(target)
    note = reports.signed(report, signer)
    shelf.keep(report, note)
    return report, all(_hand_in(screen, client, note) for client, _ in clients[:1])


def _chosen(settings: Settings, options: Options, shelf: Shelf) -> list[Target]:
    """Return the targets to drill: all, the one that is named, or the one whose turn it is."""
    from api.drills.shelf import due
    from api.targets import open_targets

    there = open_targets(settings)
    names = [target.name for target in there]
    if not there:
        raise Failure("there is no target of backups", "STRONGROOM_BACKUP_TARGETS lists them")
    if options["all_targets"]:
        return list(there)
    wanted = options["target"] or due(names, shelf.past())
    if wanted not in names:
        raise Failure(f"there is no target {wanted}", f"there are {', '.join(names)}")
    return [there[names.index(wanted)]]


def _api_keys(options: Options) -> list[str]:
    texts = []
    for path in options["key_files"]:
        with Path(path).open("rb") as file:
            texts.append(file.read(LONGEST).decode("ascii", "replace").strip())
    return texts


def _client(options: Options, text: str) -> Client:
    from strongroom_client import Client

    return Client(options["url"], text, ca=options["ca"])


def _hand_in(screen: Screen, client: Client, note: str) -> bool:
    """Give a report to the live service; return whether it took it."""
    try:
        client.report_drill(note)
    except Exception as error:  # noqa: BLE001 - told here; the drill's own verdict is worth more
        screen.note(f"the service did not take the report: {explain(error)}")
        return False
    return True
