"""Which backup at a target a restore means, and what else is known of the audit logs that it has."""

from __future__ import annotations

from collections.abc import Sequence

from vault.errors import InvalidRequest, UnknownBackup
from vault.recovery.archive import Archive
from vault.recovery.choosing import Choice
from vault.recovery.restored import Wanted
from vault.store.streams import Stream


def picked(archive: Archive, wanted: Wanted) -> Choice:
    """Return what is to be loaded; raises what `choosing.choose` does, and InvalidRequest if it is not clear whose."""
    installation = wanted.installation or _only(archive.installations())
    least: dict[Stream, int] | None = {"data": wanted.at_least} if wanted.at_least else None
    return archive.choose(installation, wanted.number, wanted.at, at_least=least, lenient=wanted.lenient)


def _only(installations: Sequence[str]) -> str:
    if not installations:
        raise UnknownBackup("the target has no backup")
    if len(installations) > 1:
        raise InvalidRequest(
            f"the target has backups of several installations, say which: {', '.join(installations)}"
        )
    return installations[0]
