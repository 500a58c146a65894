"""Which installations this one was restored from, one after the other, and whether one of them goes on by itself."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from vault.backup import layout, manifests
from vault.backup.model import Origin
from vault.errors import FormerInUse, TargetFailed
from vault.recovery.targets.protocol import Target
from vault.store.streams import STREAMS, Stream


def followed(targets: Sequence[Target], origin: Origin | None, own: str) -> list[str]:
    """Return the installations, the newest first; one whose manifest is at no target ends the row.

    Each link is held by the digest of the manifest that was restored, which the next one names. So no target can make
    another service's backups pass for ours.

    Args:
        origin: what the database says that it was restored from; `own`: this installation's name.
    """
    found: list[str] = []
    while origin is not None and origin.installation not in {own, *found}:
        found.append(origin.installation)
        origin = _before(targets, origin)
    return found


def require_idle(target: Target, installation: str, since: int) -> None:
    """Return if the newest manifests of an installation at a target were made before `since`.

    Where one database was restored while the service went on by the other, both follow the same past: then these are
    the other's backups. A manifest that cannot be read may be of a later version, and so of a service that runs.

    Args:
        since: microseconds since 1970 (UTC).
    Raises:
        FormerInUse: one is newer, or cannot be read.
        TargetFailed: as the target does.
    """
    for stream in STREAMS:
        numbers = [
            place[2]
            for file in target.files(layout.manifests(installation, stream))
            if (place := layout.parsed(file.path)) is not None
        ]
        if numbers and _taken_at(target, installation, stream, max(numbers)) > since:
            raise FormerInUse(
                f"the installation {installation} made backups since this database was restored from it"
            )


def _taken_at(target: Target, installation: str, stream: Stream, number: int) -> float:
    note = target.get(layout.manifest(installation, stream, number))
    try:
        return manifests.unverified(note.decode()).taken_at
    except ValueError:
        return float("inf")


def _before(targets: Sequence[Target], origin: Origin) -> Origin | None:
    """Return what an installation was restored from, as any target says it whose manifest is the one that was meant."""
    path = layout.manifest(origin.installation, "data", origin.number)
    for target in targets:
        try:
            note = target.get(path)
        except TargetFailed:
            continue
        if sha256(note).hexdigest() == origin.digest:
            return manifests.unverified(note.decode()).follows
    return None
