"""Ways to harm a backup in a folder: each says what it changes, and what a reader must then name.

They hold for files that a restore reads: `places` of what `Archive.choose` found. Nothing here opens or signs anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random

from vault.backup import layout
from vault.recovery.choosing import Choice

Place = tuple[str, int | None]  # a file, and which of its manifest's chunks it is; None for a manifest
DAMAGED = frozenset({"backup_damaged", "backup_untrusted", "backup_replayed", "keyring_too_old"})


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to harm a backup.

    Attributes:
        name: for the test's report.
        files: what is changed: the new bytes, or None for a file that goes.
        named: files and chunks, one of which the error names.
        codes: of errors, one of which is raised.
    """

    name: str
    files: Mapping[str, bytes | None]
    named: frozenset[Place]
    codes: frozenset[str] = DAMAGED

    @contextmanager
    def on(self, folder: Path) -> Iterator[None]:
        """Harm the files in a folder; they are as they were afterwards."""
        before = {
            path: (folder / path).read_bytes() if (folder / path).exists() else None for path in self.files
        }
        self.apply(folder)
        try:
            yield
        finally:
            Mutation(self.name, before, self.named).apply(folder)

    def apply(self, folder: Path) -> None:
        """Harm the files in a folder for good."""
        for path, data in self.files.items():
            if data is None:
                (folder / path).unlink()
            else:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)


def places(choice: Choice) -> list[Place]:
    """Return the files that a restore reads: manifests first."""
    chosen = [*choice.keyring, *choice.data]
    found: list[Place] = [(layout.manifest(m.installation, m.stream, m.number), None) for m in chosen]
    for manifest in chosen:
        for number, chunk in enumerate(manifest.chunks):
            found.append((layout.chunk(manifest.installation, manifest.stream, chunk.digest), number))
    return found


def flips(folder: Path, files: Sequence[Place], step: int = 1, first: int = 0) -> Iterator[Mutation]:
    """Every `step`-th byte with one of its bits turned over, counted through all the files."""
    counted = first
    for place in files:
        whole = (folder / place[0]).read_bytes()
        for at in range(len(whole)):
            counted += 1
            if counted % step == 0:
                other = whole[at] ^ 1 << at % 8
                yield _of(f"bit of byte {at}", place, whole[:at] + bytes([other]) + whole[at + 1 :])


def cuts(folder: Path, files: Sequence[Place], step: int = 1) -> Iterator[Mutation]:
    """Each file cut to every `step`-th length; and grown by one byte."""
    for place in files:
        whole = (folder / place[0]).read_bytes()
        for length in {*range(0, len(whole), step), len(whole) - 1}:
            yield _of(f"cut to {length} of {len(whole)}", place, whole[:length])
        yield _of("one byte more", place, whole + b"\n")


def swaps(folder: Path, files: Sequence[Place]) -> Iterator[Mutation]:
    """Each two files in each other's place: within a manifest, between manifests, and between streams."""
    for one, other in combinations(files, 2):
        first, second = ((folder / place[0]).read_bytes() for place in (one, other))
        changed = {one[0]: second, other[0]: first}
        yield Mutation(f"{_short(one)} and {_short(other)} swapped", changed, frozenset({one, other}))


def drops(files: Sequence[Place], tips: Sequence[str]) -> Iterator[Mutation]:
    """Each file gone. Of `tips`, the newest manifests of both streams, only somebody who knows of them can tell."""
    for place in files:
        if place[0] not in tips:
            yield Mutation(f"{_short(place)} gone", {place[0]: None}, frozenset({place}))


def replays(folder: Path, files: Sequence[Place]) -> Iterator[Mutation]:
    """Older manifests in the place of later ones, in their own stream and in the other."""
    manifests = [place for place in files if place[1] is None]
    for older, newer in combinations(manifests, 2):
        data = (folder / older[0]).read_bytes()
        yield Mutation(f"{_short(older)} as {_short(newer)}", {newer[0]: data}, frozenset({newer}))


def additions(folder: Path, files: Sequence[Place]) -> Iterator[Mutation]:
    """A manifest more, newer than all: rubbish, an older one, and a chunk."""
    for place in files:
        installation, stream, _ = place[0].split("/", 2)
        newest = layout.manifest(installation, "data" if stream == "data" else "keyring", 9_999_999_999)
        data = (folder / place[0]).read_bytes()
        yield Mutation(f"{_short(place)} as the newest", {newest: data}, frozenset({(newest, None)}))


def transplants(
    folder: Path, files: Sequence[Place], other: Path, theirs: Sequence[Place]
) -> Iterator[Mutation]:
    """Files of another installation in the place of this one's of the same kind."""
    for place in files:
        for foreign in theirs:
            if (place[1] is None) == (foreign[1] is None):
                data = (other / foreign[0]).read_bytes()
                yield _of(f"another installation's {_short(foreign)}", place, data)


def bad_backups(folder: Path, files: Sequence[Place], seed: int, count: int = 20) -> list[Mutation]:
    """Return so many of all of these, drawn by a seed, of every kind that can be made from one backup alone."""
    draw = Random(seed)
    manifests = [path for path, chunk in files if chunk is None]
    tips = [max(path for path in manifests if stream in path) for stream in ("/keyring/", "/data/")]
    kinds = [
        list(flips(folder, files, step=7)), list(cuts(folder, files, step=29)), list(swaps(folder, files)),
        list(drops(files, tips)), list(replays(folder, files)), list(additions(folder, files)),
    ]  # fmt: skip
    return [draw.choice(kinds[number % len(kinds)]) for number in range(count)]


def _of(what: str, place: Place, data: bytes) -> Mutation:
    return Mutation(f"{_short(place)}: {what}", {place[0]: data}, frozenset({place}))


def _short(place: Place) -> str:
    _, stream, _, name = place[0].split("/")
    return f"{stream} {name[:10]}"
