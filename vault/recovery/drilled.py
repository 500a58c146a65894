"""What a drill restores: the newest backup of whoever backed up last, and the manifests that it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from keys.errors import KeyProblem
from keys.keyring import Keyring
from vault.backup.model import Manifest
from vault.errors import VaultError
from vault.recovery import restoring
from vault.recovery.archive import Archive
from vault.recovery.restored import Means, Restored, Wanted
from vault.recovery.watching import Progress
from vault.store.loading import Loader
from vault.store.streams import Stream


class Taken(NamedTuple):
    """What was restored, and the manifests that it came from, full ones first; `note`: of the newest data manifest."""

    restored: Restored
    keyring: Sequence[Manifest]
    data: Sequence[Manifest]
    note: str


def take(
    archive: Archive,
    loader: Loader,
    keyring: Keyring,
    means: Means,
    installation: str | None = None,
    progress: Progress = lambda _phase, _done, _total: None,
) -> Taken:
    """Restore the newest backup into an empty database; raises what `restoring.restore` raises.

    Args:
        installation: whose; None for that with the newest one.
    """
    wanted = Wanted(installation=installation or newest(archive))
    done = restoring.restore(archive, loader, keyring, wanted, means, progress=progress)
    keyrings = chain(archive, done.installation, "keyring", done.keyring)
    data = chain(archive, done.installation, "data", done.number)
    return Taken(done, keyrings, data, archive.manifest(done.installation, "data", done.number)[1])


def newest(archive: Archive) -> str | None:
    """Return the installation whose newest data manifest is the newest at the target; None if none can be read."""
    found = dict[str, int]()
    for installation in archive.installations():
        try:
            last = archive.numbers(installation, "data")[-1]
            found[installation] = archive.manifest(installation, "data", last)[0].taken_at
        except (VaultError, IndexError):
            continue
    return max(found, key=lambda one: found[one], default=None)


def chain(archive: Archive, installation: str, stream: Stream, number: int) -> list[Manifest]:
    """Return a manifest and all that it builds on, the full one first."""
    found = [archive.manifest(installation, stream, number)[0]]
    while (base := found[0].base) is not None:
        found.insert(0, archive.manifest(installation, stream, base.number)[0])
    return found


def size(archive: Archive, installation: str | None = None) -> int:
    """Return the bytes of chunks that `take` would read; 0 where that cannot be told, of which `take` tells."""
    try:
        whose = installation or newest(archive)
        choice = None if whose is None else archive.choose(whose)
    except (VaultError, KeyProblem):
        return 0
    chosen = [] if choice is None else [*choice.keyring, *choice.data]
    return sum(chunk.size for manifest in chosen for chunk in manifest.chunks)
