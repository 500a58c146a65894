"""A small backup under every single change: each is refused, its file and chunk named, and no altered row is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from keys.secret import Secret
from tests.scenarios.campaign import rounds
from tests.vault.backup import written
from tests.vault.backup.written import Written
from tests.vault.recovery import mutations
from tests.vault.recovery.folder import Folder
from tests.vault.recovery.mutations import Mutation, Place
from vault.audit.notes import Verifier
from vault.backup.model import Manifest
from vault.errors import BackupDamaged, BackupLocked, BackupUntrusted
from vault.recovery import chunks
from vault.recovery.archive import Archive
from vault.recovery.choosing import Choice
from vault.store.streams import Block, Stream

KNOWN: Mapping[Stream, int] = {"keyring": 2, "data": 4}  # the newest of each that the small backup has
REPLAYED = frozenset({"backup_replayed"})
TIPS = [f"{written.INSTALLATION}/{stream}/manifests/{number:010}.txt" for stream, number in KNOWN.items()]


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return written.small(tmp_path_factory.mktemp("target"))


@pytest.fixture(scope="module")
def choice(backup: Written) -> Choice:
    return choose(backup)


@pytest.fixture(scope="module")
def files(choice: Choice) -> list[Place]:
    return mutations.places(choice)


def archive(backup: Written, *more: Verifier) -> Archive:
    return Archive(Folder(backup.folder), [*backup.verifiers, *more])


def choose(backup: Written, *more: Verifier) -> Choice:
    return archive(backup, *more).choose(backup.installation, at_least=KNOWN)


def read(backup: Written, manifests: Iterable[Manifest], given: list[str]) -> None:
    """Read what a restore reads, and tell of which chunks rows were given: those that were written."""
    for manifest in manifests:
        for number, blocks in enumerate(archive(backup).blocks(manifest, [backup.identity])):
            given.append(chunks.path(manifest, number))
            assert rows(blocks) == rows(backup.blocks[manifest.stream, manifest.number][number])


def rows(blocks: Iterable[Block]) -> list[tuple[object, ...]]:
    return [(block.table, list(block.columns), [tuple(row) for row in block.rows]) for block in blocks]


def affected(choice: Choice, changed: Iterable[str]) -> list[Manifest]:
    """Manifests one of whose chunks is changed: all others were read before, and are as they were."""
    changed = {*changed}
    return [
        manifest
        for manifest in [*choice.keyring, *choice.data]
        if any(chunks.path(manifest, number) in changed for number in range(len(manifest.chunks)))
    ]


def require_refused(backup: Written, choice: Choice, mutation: Mutation, *more: Verifier) -> None:
    given: list[str] = []
    with mutation.on(backup.folder):
        error = failure(backup, choice, mutation, given, *more)
    assert error is not None, f"{mutation.name}: it was read"
    assert (error.file, error.chunk) in mutation.named, f"{mutation.name}: {error.file} {error.chunk}"
    assert error.code in mutation.codes, mutation.name
    assert not mutation.files.keys() & {*given}, mutation.name


def failure(
    backup: Written, choice: Choice, mutation: Mutation, given: list[str], *more: Verifier
) -> BackupDamaged | None:
    try:
        if any("/manifests/" in path for path in mutation.files):
            choice = choose(backup, *more)
        read(backup, affected(choice, mutation.files), given)
    except BackupDamaged as error:
        return error
    return None


def test_an_unharmed_backup_is_read_whole(backup: Written, choice: Choice, files: list[Place]) -> None:
    given: list[str] = []
    read(backup, [*choice.keyring, *choice.data], given)
    assert given == [path for path, chunk in files if chunk is not None]
    assert len(files) == 5 + 9
    assert choice.passed_over == ()


def test_no_byte_may_be_another(backup: Written, choice: Choice, files: list[Place]) -> None:
    for mutation in mutations.flips(backup.folder, files, step=rounds(61, 1)):
        require_refused(backup, choice, mutation)


def test_no_file_may_be_cut_or_grow(backup: Written, choice: Choice, files: list[Place]) -> None:
    for mutation in mutations.cuts(backup.folder, files, step=rounds(199, 1)):
        require_refused(backup, choice, mutation)


def test_no_two_files_may_be_swapped(backup: Written, choice: Choice, files: list[Place]) -> None:
    for mutation in mutations.swaps(backup.folder, files):
        require_refused(backup, choice, mutation)


def test_no_file_may_be_gone(backup: Written, choice: Choice, files: list[Place]) -> None:
    found = list(mutations.drops(files, TIPS))
    assert len(found) == len(files) - len(TIPS)
    for mutation in found:
        require_refused(backup, choice, mutation)


def test_who_knows_of_the_newest_manifests_misses_them(backup: Written, choice: Choice) -> None:
    for path in TIPS:
        require_refused(backup, choice, Mutation("tip", {path: None}, frozenset({(path, None)}), REPLAYED))


def test_no_older_manifest_stands_in_for_a_newer_one(
    backup: Written, choice: Choice, files: list[Place]
) -> None:
    for mutation in mutations.replays(backup.folder, files):
        require_refused(backup, choice, mutation)


def test_nothing_that_was_added_passes_for_the_newest(
    backup: Written, choice: Choice, files: list[Place]
) -> None:
    for mutation in mutations.additions(backup.folder, files):
        require_refused(backup, choice, mutation)


def test_another_installations_files_are_refused_though_its_key_be_trusted(
    backup: Written, choice: Choice, files: list[Place], tmp_path: Path
) -> None:
    other = written.small(tmp_path, "00000000000000b2")
    theirs = mutations.places(archive(other).choose(other.installation))
    for trusted in ([], other.verifiers):
        for mutation in mutations.transplants(backup.folder, files, tmp_path, theirs):
            require_refused(backup, choice, mutation, *trusted)


def test_a_file_that_no_manifest_names_does_no_harm_and_is_told(backup: Written) -> None:
    stray = Mutation("stray", {f"{backup.installation}/data/chunks/{'0' * 64}": b"rubbish"}, frozenset())
    with stray.on(backup.folder):
        assert [file.path for file in archive(backup).strays(backup.installation)] == list(stray.files)
        assert choose(backup).data
    assert archive(backup).strays(backup.installation) == []


def test_a_wrong_identity_opens_nothing(backup: Written, choice: Choice) -> None:
    for identities in ([Secret.random()], []):
        found = archive(backup).blocks(choice.data[0], identities)
        with pytest.raises(BackupLocked):
            next(found)


def test_a_manifest_is_believed_from_trusted_keys_alone(backup: Written, tmp_path: Path) -> None:
    strangers = written.Written(tmp_path).verifiers  # of the same name, another key
    with pytest.raises(BackupUntrusted) as raised:
        Archive(Folder(backup.folder), strangers).choose(backup.installation)
    assert raised.value.file == TIPS[1]


def test_the_bad_backups_of_a_drill_are_all_bad(backup: Written, choice: Choice, files: list[Place]) -> None:
    for mutation in mutations.bad_backups(backup.folder, files, seed=7):
        require_refused(backup, choice, mutation)
