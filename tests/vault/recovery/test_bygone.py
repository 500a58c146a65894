"""What former installations left at the targets: removed once ours is held, and nobody else's ever."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from tests.vault.conftest import ON_SQLITE, Shop
from tests.vault.recovery.copied import DAY, Folder, Line
from tests.vault.recovery.folders import Folder as Place
from tests.vault.recovery.made import Backups
from vault.audit.notes import Signer
from vault.backup import layout, manifests
from vault.backup.model import FORMAT, Chunk, Manifest, Origin
from vault.backup.plan import Plan
from vault.errors import FormerInUse, LastCopy
from vault.recovery import bygone
from vault.recovery.bygone import Bygone
from vault.recovery.restored import Wanted
from vault.store.streams import Stream

FIRST, SECOND, OTHER = "1" * 16, "2" * 16, "f" * 16
AUDIT = layout.archived(SECOND, "log-1.ndjson")


def pruned(line: Line, apply: bool = True) -> Bygone:
    return bygone.prune(line.resources, line.targets, apply, lambda done, total: None)


def leave(
    line: Line, name: str, follows: Origin | None = None, stream: Stream = "data", number: int = 1
) -> Origin:
    """Leave a backup of another installation at all targets."""
    data = line.random.randbytes(50)
    chunk = Chunk(sha256(data).hexdigest(), len(data), {})
    manifest = Manifest(
        format=FORMAT, installation=name, stream=stream, number=number, kind="full", follows=follows,
        taken_at=line.database.now(), since=-1, until=number, schema="0005", software="0",
        keyring=1 if stream == "data" else 0, recipients={}, chunks=[chunk],
    )  # fmt: skip
    note = manifests.signed(manifest, [Signer(manifests.key_name(name), bytes(32))])
    for target in line.targets:
        target.lay(layout.chunk(name, stream, chunk.digest), data)
        target.lay(layout.manifest(name, stream, number), note.encode())
    return Origin(name, number, manifests.digest(note))


def follow(line: Line) -> None:
    """Let the line be of a restore of SECOND, which was one of FIRST; OTHER is at the same targets."""
    with line.database.read() as connection:
        began = int(connection.exec_driver_sql("SELECT made_at FROM installation").scalar_one())
    assert began == line.database.now()
    origin: Origin | None = None
    line.later(-DAY)
    for name in (OTHER, FIRST, SECOND):
        leave(line, name, None, "keyring")
        leave(line, name, None, "data", 1)
        origin = leave(line, name, None if name == FIRST else origin if name == SECOND else None, "data", 2)
    line.later(2 * DAY)
    for target in line.targets:
        target.lay(AUDIT, b"old records")
    follows = msgspec.json.encode(origin).decode()
    line.database.write(
        lambda transaction: transaction.connection.exec_driver_sql(
            f"UPDATE installation SET follows = '{follows}'"
        )
    )


def whose(target: Folder) -> dict[str, int]:
    """Return how many files each installation has at a target."""
    names = [path.partition("/")[0] for path in target.paths()]
    return {name: names.count(name) for name in names}


def own(line: Line) -> None:
    line.make("full", "keyring")
    line.make("full")


@pytest.mark.parametrize(("database_url", "empty_url"), [("sqlite", "sqlite")], indirect=True)
def test_restores_of_restores_leave_one_installation(shop: Shop, empty_url: str, tmp_path: Path) -> None:
    token = shop.tokenize("phone", "13800138000", subjects=["a"])
    backups = Backups(shop, tmp_path / "target")
    backups.make()
    first = backups.restore(empty_url)
    with backups.opened(empty_url) as again:
        later = Backups(again, backups.folder, backups.recovery, backups.drill)
        later.make()
        later.make("incremental")
        second = later.restore(f"{empty_url}-3", Wanted(first.made))
    with later.opened(f"{empty_url}-3") as third:
        newest = Backups(third, backups.folder, backups.recovery, backups.drill)
        target = Place(backups.folder)
        resources = replace(third.resources, backups=Plan((target.name,), 1))
        with pytest.raises(LastCopy):
            bygone.prune(resources, [target], True, lambda done, total: None)
        newest.make()
        told = bygone.prune(resources, [target], True, lambda done, total: None)
        assert told.installations == [first.made, first.installation]
        assert newest.archive().installations() == [second.made]
        assert newest.restore(f"{empty_url}-4").whole
        assert third.plain(*token) == ["+8613800138000"]


@ON_SQLITE
def test_all_of_the_past_goes_everywhere_and_nothing_else(line: Line) -> None:
    follow(line)
    own(line)
    mine = len([path for path in line.targets[0].paths() if path.startswith(line.installation)])
    dry = pruned(line, apply=False)
    assert all(target.deleted == [] for target in line.targets)
    real = pruned(line)
    assert real.installations == [SECOND, FIRST]
    assert dry.counts() == real.counts()
    assert real.counts() == {
        "installations": 2, "manifests": 18, "chunks": 18, "strays": 0, "size": dry.counts()["size"], "locked": 0,
        "unreachable": 0,
    }  # fmt: skip
    for target in line.targets:
        assert whose(target) == {line.installation: mine, OTHER: 6, SECOND: 1}
        assert target.paths()[-1].startswith(OTHER)
    assert pruned(line).counts()["manifests"] == 0


@ON_SQLITE
def test_nothing_goes_before_ours_is_held_by_the_quorum(line: Line) -> None:
    follow(line)
    for step in (
        lambda: None,
        lambda: line.make("full", "keyring"),
        lambda: line.make("full", on=line.targets[:1]),
    ):
        step()
        for apply in (False, True):
            with pytest.raises(LastCopy):
                pruned(line, apply)
    assert all(target.deleted == [] for target in line.targets)


@ON_SQLITE
@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_one_that_goes_on_by_itself_is_left_alone(line: Line, name: str) -> None:
    """As where a copy of a running service was restored to try something out."""
    follow(line)
    own(line)
    leave(line, name, None, "data", 3)
    with pytest.raises(FormerInUse, match=name):
        pruned(line)
    for target in line.targets:
        target.lay(layout.manifest(name, "data", 3), b"what a later version writes")
    with pytest.raises(FormerInUse, match=name):
        pruned(line)
    assert all(target.deleted == [] for target in line.targets)


@ON_SQLITE
def test_a_target_cannot_name_another_service_as_our_past(line: Line) -> None:
    follow(line)
    own(line)
    for target in line.targets:
        lie = msgspec.json.decode(
            (target.root / layout.manifest(SECOND, "data", 2)).read_bytes().partition(b"\n\n")[0]
        )
        lie["follows"]["installation"] = OTHER
        target.lay(layout.manifest(SECOND, "data", 2), msgspec.json.encode(lie, order="sorted") + b"\n\n")
    assert pruned(line).installations == [SECOND]
    assert all(whose(target)[OTHER] == 6 for target in line.targets)


@ON_SQLITE
def test_keyrings_go_first_and_a_target_that_was_away_is_swept_when_it_is_back(line: Line) -> None:
    follow(line)
    own(line)
    c = line.targets[2]
    c.away = "target_unreachable"
    found = pruned(line)
    assert [one.problem for one in found.targets] == [None, None, "target_unreachable"]
    streams = [path.split("/")[1] for path in line.targets[0].deleted]
    assert streams == ["keyring"] * 4 + ["data"] * 4
    assert whose(line.targets[0])[SECOND] == 5  # they say what c has to let go
    c.away = None
    assert pruned(line).installations == [SECOND, FIRST]
    assert all(whose(target).keys() == {line.installation, OTHER, SECOND} for target in line.targets)


@ON_SQLITE
def test_what_the_server_keeps_stays_with_what_it_needs(line: Line) -> None:
    follow(line)
    own(line)
    a = line.targets[0]
    a.keeps = lambda path: path == layout.manifest(SECOND, "data", 1)
    assert [one.locked for one in pruned(line).targets] == [1, 0, 0]
    assert whose(a)[SECOND] == 1 + 1 + 2
    a.keeps = lambda path: False
    assert pruned(line).counts()["locked"] == 0
    assert whose(a)[SECOND] == 1


@ON_SQLITE
@pytest.mark.parametrize("survived", [0, 5, 17, 35])
def test_what_ends_it_halfway_is_gone_on_with(line: Line, survived: int) -> None:
    follow(line)
    own(line)

    def die(done: int, _total: int) -> None:
        if done > survived:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bygone.prune(line.resources, line.targets, True, die)
    pruned(line)
    assert all(whose(target).keys() == {line.installation, OTHER, SECOND} for target in line.targets)
    assert all(whose(target)[SECOND] == 1 for target in line.targets)


@ON_SQLITE
def test_where_nothing_is_followed_nothing_goes(line: Line) -> None:
    own(line)
    leave(line, OTHER)
    assert pruned(line).counts()["installations"] == 0
    assert all(target.deleted == [] for target in line.targets)
