"""Which manifests a restore loads: the chain of a data backup, and the newest keyring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vault.backup.model import Manifest, Origin
from vault.errors import BackupDamaged, BackupFromNewer, BackupReplayed, KeyringTooOld, UnknownBackup
from vault.recovery.shelf import Shelf
from vault.store import revision
from vault.store.streams import STREAMS, Stream


@dataclass(frozen=True, slots=True)
class Choice:
    """What is loaded, in this order: the keyring's manifests, then the data's, the full one first in each.

    Attributes:
        origin: the installation and the last data manifest, which what is restored follows.
        passed_over: paths of newer manifests that do not verify, or whose chain does not.
    """

    keyring: list[Manifest]
    data: list[Manifest]
    origin: Origin
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """Which backup is meant: the newest, if nothing is said.

    Attributes:
        number: this data manifest.
        at: microseconds since 1970: the newest that was taken then or before.
        at_least: numbers of manifests that are known to have been made; with less, the target shows an old state.
        lenient: pass over damaged manifests for older ones, and name them.
    """

    number: int | None = None
    at: int | None = None
    at_least: Mapping[Stream, int] | None = None
    lenient: bool = False


def choose(shelf: Shelf, wish: Wish) -> Choice:
    """Return what to load.

    Raises:
        UnknownBackup: there is none, none of that number, or none as old as that.
        BackupDamaged, BackupUntrusted, BackupReplayed: a manifest is not what it should be, or older than is known.
        KeyringTooOld: the newest keyring was made before the data need it.
        BackupFromNewer: a later version made it.
    """
    there = {stream: shelf.numbers(stream) for stream in STREAMS}
    for stream in STREAMS:
        _require(shelf, stream, there[stream], (wish.at_least or {}).get(stream, 0))
    tips = there["data"][::-1] if wish.number is None else [wish.number]
    data, damaged = _first(shelf, "data", tips, wish, wish.at)
    keyring, more = _first(shelf, "keyring", there["keyring"][::-1], wish)
    if keyring[-1].number < max(manifest.keyring for manifest in data):
        path = shelf.path("keyring", keyring[-1].number)
        raise KeyringTooOld("the newest keyring was made before the backup that needs it", path)
    last, digest = shelf.known("data", data[-1].number)
    return Choice(keyring, data, Origin(shelf.installation, last.number, digest), (*damaged, *more))


def require_known_schema(manifest: Manifest) -> None:
    """Return if this version knows the tables of a manifest; raise BackupFromNewer."""
    if manifest.schema > revision.head():
        raise BackupFromNewer("a later version of strongroom made the backup: restore with that one")


def _require(shelf: Shelf, stream: Stream, there: Sequence[int], least: int) -> None:
    if there and there[-1] >= least:
        return
    if least:
        raise BackupReplayed(
            "a later manifest is known to have been made than any that is there", shelf.path(stream, least)
        )
    raise UnknownBackup(f"the target has no {stream} backup of this installation")


def _first(
    shelf: Shelf, stream: Stream, tips: Sequence[int], wish: Wish, at: int | None = None
) -> tuple[list[Manifest], list[str]]:
    """Return the newest chain that is whole, and the paths of what was passed over.

    With a time, one manifest after the other is read, however many: where a clock was wrong, there is no order to
    search by.
    """
    passed_over: list[str] = []
    fault: BackupDamaged | None = None
    for number in tips:
        try:
            if at is not None and shelf.known(stream, number)[0].taken_at > at:
                continue
            found = shelf.chain(stream, number)
        except BackupDamaged as error:
            if not wish.lenient:
                raise
            passed_over.append(shelf.path(stream, number))
            fault = fault or error
        else:
            for manifest in found:
                require_known_schema(manifest)
            return found, passed_over
    raise fault or UnknownBackup(f"no {stream} backup is as old as that")
