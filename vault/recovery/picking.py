"""Which backup at a target a restore means, and what else is known of the audit logs that it has."""

from __future__ import annotations

from collections.abc import Sequence

from vault.backup import layout
from vault.errors import InvalidRequest, UnknownBackup
from vault.recovery.archive import Archive
from vault.recovery.choosing import Choice
from vault.recovery.restored import Wanted
from vault.store.streams import Stream

NAMED = 8  # installations that an error names


def picked(archive: Archive, wanted: Wanted) -> Choice:
    """Return what is to be loaded; raises what `choosing.choose` does, and InvalidRequest if it is not clear whose."""
    if wanted.installation is None:
        installation = _only(archive.installations())
    else:
        installation = _known(archive, wanted.installation)
    least: dict[Stream, int] | None = {"data": wanted.at_least} if wanted.at_least else None
    return archive.choose(installation, wanted.number, wanted.at, at_least=least, lenient=wanted.lenient)


def _known(archive: Archive, installation: str) -> str:
    if layout.checked(installation) not in (there := archive.installations()):
        raise UnknownBackup(f"the target has no backup of this installation, but of {_named(there)}")
    return installation


def _only(installations: Sequence[str]) -> str:
    if not installations:
        raise UnknownBackup("the target has no backup")
    if len(installations) > 1:
        raise InvalidRequest(
            f"the target has backups of several installations, say which: {_named(installations)}"
        )
    return installations[0]


def _named(installations: Sequence[str]) -> str:
    """Return names for an operator to choose from, who is not to be drowned in them by who has the server."""
    more = len(installations) - NAMED
    shown = ", ".join(installations[:NAMED]) or "none"
    return f"{shown} and {more:,} more" if more > 0 else shown
