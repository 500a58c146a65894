"""What a process left behind that died, or lost the database, while it made backups: adopted, or given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from vault.backup import layout, manifests
from vault.backup.model import Manifest
from vault.errors import BackupDamaged, BackupFromNewer, TargetFailed, UnknownBackup
from vault.recovery import ownkeys
from vault.recovery.draft import counted
from vault.recovery.line import Interrupted, Line
from vault.recovery.targets.protocol import Target
from vault.store import catalogue, copies
from vault.store.catalogue import Backup
from vault.store.streams import STREAMS, Stream
from vault.store.writer import Transaction

LOOKS = 100  # manifests of a stream that are read at a target, to find one of ours that the catalogue does not have


def settle(line: Line, targets: Sequence[Target], fence: int) -> list[Backup]:
    """Settle the backups that were left running; return them.

    A manifest lies only where every chunk was read back before. So a backup whose manifest is at enough targets was
    made, and only its row does not say so; any other one failed, and its manifest is removed.
    """
    left = line.resources.database.write(lambda transaction: catalogue.claim(transaction, fence, line.making))
    asked = list(targets)
    for one in left:
        path = layout.manifest(line.installation, one.stream, one.number)
        found = _found(line, asked, path)
        note, names = _commonest(found)
        manifest = None if not note else _read(line, note, path)
        if manifest is not None and len(counted(names, _holders(line, manifest))) >= line.plan.quorum:
            _adopt(line, one, manifest, note.decode(), names)
        else:
            _give_up(line, one, [target for target in targets if target.name in found], path)
    return left


def newest(targets: Sequence[Target], line: Line) -> list[Target]:
    """Note the newest number of each stream that the targets have, so that none is given out twice.

    It is more than the catalogue has where the database was set back by other means than a restore. Returns the targets
    that answered: one that does not is waited for once, since the journal begins after this.
    """
    known = {stream: _known(line, stream) for stream in STREAMS}
    answered = []
    for target in targets:
        try:
            for stream, number in known.items():
                line.above[stream] = max(line.above.get(stream, 0), _newest(line, target, stream, number))
        except TargetFailed as failure:
            line.health.say(target.name, failure.problem)
        else:
            answered.append(target)
    return answered


def _known(line: Line, stream: Stream) -> int:
    with line.resources.database.read() as connection:
        made = catalogue.newest(connection, stream)
    return 0 if made is None else made.number


def _newest(line: Line, target: Target, stream: Stream, known: int) -> int:
    """Return the newest number of a manifest of ours that is there beyond `known`; 0 if there is none.

    Only what is signed counts: whoever has the server could use the numbers up by a name.
    """
    files = target.files(layout.manifests(line.installation, stream))
    numbers = (parsed[2] for file in files if (parsed := layout.parsed(file.path)) is not None)
    for number in sorted((one for one in numbers if one > known), reverse=True)[:LOOKS]:
        path = layout.manifest(line.installation, stream, number)
        if _read(line, target.get(path), path) is not None:
            return number
    return 0


def _found(line: Line, targets: list[Target], path: str) -> dict[str, bytes]:
    """Return the manifest as each target has it that has one; take those that do not answer out of `targets`."""
    found: dict[str, bytes] = {}
    for target in [*targets]:
        try:
            found[target.name] = target.get(path)
        except TargetFailed as failure:
            if failure.problem != "target_missing_file":
                line.health.say(target.name, failure.problem)
                targets.remove(target)
    return found


def _commonest(found: dict[str, bytes]) -> tuple[bytes, set[str]]:
    """Return what most targets have, and which."""
    if not found:
        return b"", set()
    ((note, _),) = Counter(found.values()).most_common(1)
    return note, {name for name, theirs in found.items() if theirs == note}


def _read(line: Line, note: bytes, path: str) -> Manifest | None:
    try:
        return manifests.read(note, path, ownkeys.verifiers(line.resources, line.installation))
    except (BackupDamaged, BackupFromNewer):
        return None


def _holders(line: Line, manifest: Manifest) -> frozenset[str] | None:
    """Return where a backup is of use: all that it needs is there."""
    found: frozenset[str] | None = None
    with line.resources.database.read() as connection:
        needed = [] if manifest.base is None else [(manifest.stream, manifest.base.number)]
        needed += [("keyring", manifest.keyring)] if manifest.keyring else []
        for stream, number in needed:
            try:
                chain = [one.number for one in catalogue.chain(connection, stream, number)]
            except UnknownBackup:
                return frozenset()
            found = counted(copies.holding(connection, stream, chain), found)
    return found


def _adopt(line: Line, one: Backup, manifest: Manifest, note: str, names: set[str]) -> None:
    rows = sum(sum(chunk.rows.values()) for chunk in manifest.chunks)
    size = sum(chunk.size for chunk in manifest.chunks)

    def work(transaction: Transaction) -> None:
        line.holding.require(transaction, one.fence)
        catalogue.made(
            transaction,
            one.stream,
            one.number,
            one.fence,
            note,
            manifests.digest(note),
            rows,
            size,
            sorted(names),
        )

    line.resources.database.write(work)


def _give_up(line: Line, one: Backup, targets: Sequence[Target], path: str) -> None:
    for target in targets:
        with suppress(TargetFailed):
            target.delete(path)

    def work(transaction: Transaction) -> None:
        line.holding.require(transaction, one.fence)
        catalogue.failed(transaction, one.stream, one.number, one.fence, Interrupted.code)

    line.resources.database.write(work)
