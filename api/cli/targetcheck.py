"""The check of `doctor` on backups: servers that take them, how many must, and whether custodians can open them."""

from __future__ import annotations

from collections.abc import Iterator

from api.cli import backupcheck, surroundings
from api.cli.backupcheck import Known
from api.cli.findings import Finding, fail, ok, warn
from api.config import Settings
from api.errors import SettingsError
from api.targets import TARGETS, open_targets

QUORUM = "STRONGROOM_BACKUP_QUORUM"
HINTS = {
    "target_untrusted": "find out why it shows another key or certificate than is known, before anything is sent there",
    "target_permission": "see which account, key or credentials it lets in, and what they may write",
    "target_removed": "make the folder or bucket, or mount its disk; it is not made by itself",
    "target_locked": "put keyrings=BUCKET into its URL: one without versions and without object lock",
    "target_full": "make room there, or keep fewer backups",
}


def targets(settings: Settings) -> Iterator[Finding]:
    """Write to every target and remove it again; warn of what makes backups weaker than they look."""
    found = open_targets(settings)
    if not found:
        hint = f"set {TARGETS}, such as sftp://backup@host/folder"
        yield warn("backups", "none are made: no other server would have the data", hint)
        return
    known = backupcheck.known(settings)
    for url, target in zip(settings.backup_targets.split(), found, strict=True):
        from vault.recovery.targets.protocol import TargetFailed

        try:
            target.probe()
        except TargetFailed as failure:
            hint = HINTS.get(failure.problem, "mend it, or backups miss their quorum")
            yield fail("target", f"{target.name}: {failure.problem}", hint)
        else:
            weak = target.weaknesses() + _same_disk(settings, url)
            yield ok("target", f"{target.name} takes files")
            for what in weak:
                yield warn("target", f"{target.name}: {what}", "see docs/operations.md")
            yield from backupcheck.left(target, known)
        finally:
            target.close()
    yield from _planned(settings, len(found), known)


def _same_disk(settings: Settings, url: str) -> list[str]:
    """Say if the target is a folder on the disk that the database lies on, which a dead disk takes along."""
    from vault.recovery.targets.places import DirectoryPlace, parse

    place, file = parse(url), surroundings.database_file(settings)
    if not isinstance(place, DirectoryPlace) or file is None or not file.exists():
        return []
    same = place.path.stat().st_dev == file.stat().st_dev
    return ["it lies on the same disk as the database, and goes when that goes"] if same else []


def _planned(settings: Settings, count: int, found: Known | None) -> Iterator[Finding]:
    """Tell how many targets must have a backup, and who opens it."""
    from api.recoveryplan import plan

    try:
        planned = plan(settings)
    except SettingsError as error:
        hint = "set it right: nothing starts before; `strongroom recovery init` makes a recovery key"
        yield fail("backups", str(error), hint)
        return
    text = f"a backup counts when {planned.quorum} of {count} have it"
    if planned.quorum == 1:
        hint = f"list two or more in {TARGETS}, and leave {QUORUM} out"
        yield warn("quorum", f"{text}: one server that is lost may take the last", hint)
    else:
        yield ok("quorum", text)
    known = planned.recipients
    yield ok("recovery", f"{len(known.recovery)} recovery and {len(known.drill)} drill keys open backups")
    if found is not None:
        yield from backupcheck.reach(planned, found)
        yield from backupcheck.drills(planned, found)
