"""Drills carried out one after the other: targets chosen, reports kept, shown and handed in."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from api.cli import entering
from api.cli.failure import Failure, explain
from api.cli.recovery.records import trusted
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client

    from api.config import Settings
    from api.drills.host import Host
    from api.drills.hostkeys import HostKeys
    from api.drills.shelf import Shelf
    from keys.secret import Secret
    from vault.audit.notes import Signer
    from vault.recovery.reports import Report
    from vault.recovery.targets.protocol import Target

NOT_HANDED_IN, FAILED, NO_TARGET, NO_KEY = 1, 4, 5, 6
LONGEST = 1_024  # bytes of a file with an API key
Options = Mapping[str, Any]


class Shown(Protocol):
    """Hears what is being done, and how many rows of how many, where that is known."""

    def __call__(self, name: str, done: int = 0, total: int = 0) -> None:
        """Show it."""
        ...


@dataclass(frozen=True, slots=True)
class Drilled:
    """A drill that was made: its report, and the report as it was signed."""

    report: Report
    note: str


def run(screen: Screen, options: Options) -> int:
    """Drill as asked, keep, show and hand in the reports; return the exit code."""
    from api.cli import surroundings
    from api.drills.hostkeys import HostKeys
    from api.drills.shelf import Shelf

    settings, keys, shelf = surroundings.settings(), HostKeys(options["keys"]), Shelf(options["reports"])
    signer, chosen = keys.signer(), _chosen(settings, options, shelf)
    with ExitStack() as ending:
        clients = [(ending.enter_context(_client(options, text)), text) for text in _api_keys(options)]
        with bar(screen) as shown:
            host = _host(screen, settings, keys, options, clients, shown)
            drilled = [_drill(host, target, shelf, signer) for target in chosen]
        _tell(screen, shelf, [one.report for one in drilled])
        handed_in = _hand_in(screen, clients[0][0] if clients else None, drilled)
    return _exit_code([one.report for one in drilled], handed_in)


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
    recovery = _recovery(screen, options["source"]) if options["without_vault"] else None
    return Host(settings, keys, trusted(options["trust"]), wishes, recovery, lives, shown, shown)


def _drill(host: Host, target: Target, shelf: Shelf, signer: Signer) -> Drilled:
    """Drill a target, and keep the report at once."""
    from vault.recovery import reports

    report = host.drill(target)
    note = reports.signed(report, signer)
    shelf.keep(report, note)
    target.close()
    return Drilled(report, note)


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


def _recovery(screen: Screen, source: str | None) -> Secret:
    from keys import shares

    return shares.combined(entering.quorum(screen, source))


def _tell(screen: Screen, shelf: Shelf, made: Sequence[Report]) -> None:
    from api.drills.page import page

    shelf.show(page(shelf.past()))
    if screen.json:
        screen.data({"drills": [_as_data(report) for report in made]})
        return
    for report in made:
        verdict = "passed" if report.passed else "failed"
        rpo = "-" if report.rpo is None else f"{report.rpo:.1f} s"
        screen.say(
            f"{report.id}: {report.target}, backup {report.number}: {verdict} (RTO {report.rto:.1f} s, RPO {rpo})"
        )
        screen.table(
            ("check", "state", "code", "checked", "bad", "seconds"),
            [
                (
                    one.name,
                    one.state,
                    one.code or None,
                    one.checked,
                    one.bad,
                    f"{one.milliseconds / 1_000:.1f}",
                )
                for one in report.checks
            ],
        )


def _as_data(report: Report) -> dict[str, object]:
    import msgspec

    built: dict[str, object] = msgspec.to_builtins(report)
    return {**built, "passed": report.passed, "rto": report.rto, "rpo": report.rpo}


def _hand_in(screen: Screen, client: Client | None, drilled: Sequence[Drilled]) -> bool:
    """Give the reports to the live service; return whether it took them, or nobody is to."""
    if client is None:
        screen.note("the reports were handed in to nobody: no API key is given")
        return True
    try:
        for one in drilled:
            client.report_drill(one.note)
    except Exception as error:  # noqa: BLE001 - told below; the drill's own verdict is worth more
        failed = explain(error)
        screen.note(f"the service did not take the report: {failed}")
        return False
    return True


def _exit_code(made: Sequence[Report], handed_in: bool) -> int:
    """Return the code of the worst: a backup that is bad, no key, no target, a report that nobody has."""
    from vault.recovery.drilling import is_locked, is_unreachable

    failed = [report for report in made if not report.passed]
    locked = [report for report in failed if is_locked(report)]
    away = [report for report in failed if is_unreachable(report)]
    if len(failed) > len(locked) + len(away):
        return FAILED
    return NO_KEY if locked else NO_TARGET if away else 0 if handed_in else NOT_HANDED_IN


@contextmanager
def bar(screen: Screen) -> Iterator[Shown]:
    """Show on a terminal what is being done: phases of a restore with their rows, then checks."""
    if screen.json or not sys.stderr.isatty():
        yield lambda name, done=0, total=0: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    looks = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*looks, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("drill", total=None)

        def show(name: str, done: int = 0, total: int = 0) -> None:
            progress.update(task, description=name, completed=done, total=total or None)

        yield show
