"""Pruning: what is not kept goes everywhere, whatever happens halfway; what is kept, and the last good copy, never."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from tests.scenarios.campaign import FULL
from tests.vault.conftest import ON_SQLITE
from tests.vault.recovery.copied import DAY, HOUR, Folder, Line
from tests.vault.recovery.test_replicating import caught
from vault.backup import layout
from vault.backup.plan import Keep
from vault.errors import LastCopy, UnknownBackup
from vault.recovery import findings
from vault.recovery import line as lines
from vault.recovery.escrow import Escrow
from vault.recovery.health import Health
from vault.recovery.holding import Holding
from vault.recovery.pruning import Pruned, prune, prune_keyrings
from vault.recovery.tending import Tending
from vault.recovery.verifying import verify
from vault.store import catalogue
from vault.store.writer import Transaction


def pruned(line: Line, apply: bool = True) -> Pruned:
    return prune(line.resources, line.targets, apply, lambda done, total: None)


def months(line: Line) -> None:
    """Three full backups a day apart, each with an incremental one and journals; and three keyrings."""

    def make(transaction: Transaction) -> None:
        for _ in range(3):
            line.made(transaction, "full", "keyring", None, 2)
            for kind in ("full", "journal", "incremental", "journal"):
                line.made(transaction, kind, "data", None, 2)  # type: ignore[arg-type]
            line.later(DAY)

    line.database.write(make)


def whole(line: Line, target: Folder) -> None:
    """Require that a target's files are just those of the manifests there, and these the catalogue's."""
    named = set[str]()
    for stream in ("keyring", "data"):
        for number in line.numbers(target, stream):  # type: ignore[arg-type]
            manifest = line.manifest(number, stream)  # type: ignore[arg-type]
            named.add(line.note(number, stream))  # type: ignore[arg-type]
            named |= {
                layout.chunk(line.installation, manifest.stream, chunk.digest) for chunk in manifest.chunks
            }
            assert manifest.base is None or manifest.base.number in line.numbers(target, manifest.stream)
    assert set(target.paths()) == named


def test_what_is_not_kept_goes(line: Line) -> None:
    months(line)
    found = pruned(line)
    assert found.applied
    assert found.numbers == {"keyring": [1], "data": [1, 2, 3, 4, 5, 6, 7, 8]}
    for target, swept in zip(line.targets, found.targets, strict=True):
        assert line.numbers(target) == [9, 10, 11, 12]
        assert line.numbers(target, "keyring") == [2, 3]
        whole(line, target)
        assert (swept.manifests, swept.chunks, swept.strays, swept.problem) == (9, 18, 0, None)
    with pytest.raises(UnknownBackup), line.database.read() as connection:
        catalogue.note(connection, "data", 1)
    again = pruned(line)
    assert again.numbers == {"keyring": [], "data": []}
    assert all(one.size == 0 for one in again.targets)


@ON_SQLITE
def test_a_dry_run_says_what_would_go_and_changes_nothing(line: Line) -> None:
    months(line)
    before = [(target.paths(), line.state(1)) for target in line.targets]
    dry = pruned(line, apply=False)
    assert [(target.paths(), line.state(1)) for target in line.targets] == before
    assert all(target.deleted == [] for target in line.targets)
    assert line.copy(1, line.targets[0]) is not None
    sizes = [sum((target.root / path).stat().st_size for path in target.paths()) for target in line.targets]
    real = pruned(line)
    assert asdict(real) == asdict(dry) | {"applied": True}
    for target, size, swept in zip(line.targets, sizes, real.targets, strict=True):
        assert sum((target.root / path).stat().st_size for path in target.paths()) == size - swept.size


@ON_SQLITE
def test_manifests_go_first_and_each_after_what_builds_on_it(line: Line) -> None:
    months(line)
    pruned(line)
    deleted = line.targets[0].deleted
    parsed = [layout.parsed(path) for path in deleted if "/data/" in path]
    numbers = [one[2] for one in parsed if one is not None]
    assert numbers == [8, 7, 6, 5, 4, 3, 2, 1]
    assert [one is None for one in parsed] == [False] * 8 + [True] * 16


@ON_SQLITE
@pytest.mark.parametrize("survived", [0, 9, 27, 40, 80] if FULL else [0, 27, 80])
def test_what_ends_it_halfway_loses_nothing_and_the_next_run_goes_on(line: Line, survived: int) -> None:
    months(line)
    left = [survived]

    def die(path: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    for target in line.targets:
        target.before = die
    with pytest.raises(KeyboardInterrupt):
        pruned(line)
    for target in line.targets:
        target.before = lambda path: None
        for number in line.numbers(target):
            files = {line.note(number)} if line.state(number) == "removed" else {
                line.note(number), *(line.chunk(number, place) for place in range(2))
            }  # fmt: skip
            assert files <= set(target.paths())
    pruned(line)
    for target in line.targets:
        assert line.numbers(target) == [9, 10, 11, 12]
        whole(line, target)
    assert caught(line).waiting == 0  # nothing comes back


@ON_SQLITE
def test_a_target_that_was_away_is_swept_when_it_is_back(line: Line) -> None:
    months(line)
    c = line.targets[2]
    c.away = "target_unreachable"
    assert [one.problem for one in pruned(line).targets] == [None, None, "target_unreachable"]
    line.later(400 * DAY)
    pruned(line)
    c.away = None
    assert 1 in line.numbers(c)
    pruned(line)
    whole(line, c)
    assert line.numbers(c) == [9, 10, 11, 12]


@ON_SQLITE
def test_nothing_goes_while_too_few_hold_the_newest(line: Line) -> None:
    months(line)
    before = [target.paths() for target in line.targets]
    line.make("full", on=line.targets[:1])
    for apply in (False, True):
        with pytest.raises(LastCopy):
            pruned(line, apply)
    assert [target.paths() for target in line.targets[1:]] == before[1:]
    assert line.state(1) == "made"
    assert caught(line).waiting == 0
    assert pruned(line).numbers["data"] != []


@ON_SQLITE
def test_the_last_good_copy_stays_whatever_is_newer(line: Line) -> None:
    """All that is newer is damaged everywhere: the old one that retention would let go is all there is."""
    months(line)
    for target in line.targets:
        for number in range(9, 13):
            target.damage(line.chunk(number, 0))
    found = verify(line.resources, line.targets, 1, None, lambda done, total: None)
    assert found.code == findings.DAMAGED
    with pytest.raises(LastCopy):
        pruned(line)
    assert line.numbers(line.targets[0])[:1] == [1]


@ON_SQLITE
def test_a_damaged_link_of_the_newest_chain_counts_as_well(line: Line) -> None:
    months(line)
    for target in line.targets[:2]:
        target.damage(line.chunk(9, 0))
        target.keeps = lambda path: True
    verify(line.resources, line.targets, 1, None, lambda done, total: None)
    with pytest.raises(LastCopy):
        pruned(line)


@ON_SQLITE
def test_what_the_server_keeps_stays_whole_and_is_told(line: Line) -> None:
    months(line)
    a = line.targets[0]
    files = {line.note(4), line.note(3), line.note(1), line.note(1, "keyring")}  # 4 builds on 3, and 3 on 1
    chunks = {line.chunk(number, place) for number in (4, 3, 1) for place in range(2)}
    a.keeps = lambda path: path == line.note(4) or "/keyring/" in path
    found = pruned(line)
    assert found.targets[0].locked == len(files)
    assert files | chunks <= set(a.paths())
    assert line.numbers(a) == [1, 3, 4, 9, 10, 11, 12]
    assert line.numbers(a, "keyring") == [1, 2, 3]
    assert verify(line.resources, line.targets, 1, None, lambda done, total: None).targets[0].findings == []
    a.keeps = lambda path: False
    pruned(line)
    whole(line, a)


@ON_SQLITE
def test_what_a_backup_left_that_failed_goes_a_day_later(line: Line) -> None:
    a, b = line.targets[:2]
    line.make("full")
    stray = line.fail("incremental", [a, b])
    line.make("full", "keyring")
    line.later(23 * HOUR)
    assert pruned(line).targets[0].strays == 0
    assert stray in a.paths()
    line.later(2 * HOUR)
    number = line.begin("incremental")  # another one is being made
    assert pruned(line).targets[0].strays == 0
    assert stray in a.paths()
    line.failed(number)
    line.later(25 * HOUR)
    assert pruned(line, apply=False).targets[0].strays == 1
    assert [one.strays for one in pruned(line).targets] == [1, 1, 0]
    for target in line.targets:
        whole(line, target)


@ON_SQLITE
def test_files_of_a_later_state_are_never_touched(line: Line) -> None:
    """The database was put back: the targets have a backup that it does not know of."""
    a = line.targets[0]
    months(line)
    line.make("full")
    later = line.note(13), *(line.chunk(13, place) for place in range(2))
    for statement in ("DELETE FROM backup WHERE number = 13", "DELETE FROM backup_copy WHERE number = 13"):
        line.database.write(lambda transaction, text=statement: transaction.connection.exec_driver_sql(text))
    line.later(2 * DAY)
    pruned(line)
    assert set(later) <= set(a.paths())
    assert 9 in line.numbers(a)
    assert 8 not in line.numbers(a)
    stray = layout.chunk(line.installation, "data", "0" * 64)
    a.put(stray, b"stray")
    (a.root / line.note(13)).write_bytes(b"not a manifest")  # so any chunk may be its own
    pruned(line)
    assert set(later) <= set(a.paths())
    assert stray in a.paths()


@ON_SQLITE
def test_old_keyrings_go_as_soon_as_a_newer_one_has_its_quorum(line: Line) -> None:
    a, _, c = line.targets
    line.keep(Keep(1, 0, 0, 0), keyrings=1)
    line.make("full", "keyring"), line.make("incremental", "keyring"), line.make("full")
    c.away = "target_full"
    line.make("full", "keyring", on=[a])
    with pytest.raises(LastCopy):
        prune_keyrings(line.resources, line.targets)
    line.make("full", "keyring")
    c.away = None
    assert prune_keyrings(line.resources, line.targets).numbers == {"keyring": [1, 2, 3]}
    assert [line.numbers(target, "keyring") for target in line.targets] == [[4], [4], []]
    assert all(line.numbers(target) == [1] for target in line.targets)
    assert caught(line).waiting == 0
    assert line.numbers(c, "keyring") == [4]
    for target in line.targets:
        whole(line, target)


@ON_SQLITE
def test_where_no_keyring_is_to_go_no_target_is_asked(line: Line) -> None:
    line.make("full", "keyring"), line.make("full", "keyring")
    for target in line.targets:
        target.away = "target_unreachable"
    assert prune_keyrings(line.resources, line.targets).targets == []
    line.make("full", "keyring", on=[])
    with pytest.raises(LastCopy):
        prune_keyrings(line.resources, line.targets)


@ON_SQLITE
def test_keyrings_that_a_target_still_has_go_when_it_is_back(line: Line) -> None:
    c = line.targets[2]
    line.keep(Keep(1, 0, 0, 0), keyrings=1)
    line.make("full", "keyring"), line.make("full", "keyring")
    assert prune_keyrings(line.resources, line.targets[:2]).numbers == {"keyring": [1]}
    assert line.numbers(c, "keyring") == [1, 2]
    assert prune_keyrings(line.resources, line.targets[:2]).targets == []
    assert prune_keyrings(line.resources, line.targets).targets[2].manifests == 1
    assert line.numbers(c, "keyring") == [2]


@ON_SQLITE
def test_tending_sweeps_old_keyrings_also_where_a_target_was_away(line: Line) -> None:
    c, shift = line.targets[2], [0.0]
    line.keep(Keep(1, 0, 0, 0), keyrings=1)
    resources = replace(line.resources, monotonic=lambda: shift[0])
    health = Health(resources, [target.name for target in line.targets], lambda: None)
    escrow = Escrow(resources.keyring, ())
    kept = lines.Line(
        resources, Holding(resources, "test"), health, escrow, lambda: False, line.installation, None
    )
    unexpected: list[Exception] = []
    tending = Tending(kept, line.targets, unexpected.append)

    def tend() -> list[list[int]]:
        shift[0] += 61
        tending.settle()
        while tending.round():
            pass
        return [line.numbers(target, "keyring") for target in line.targets]

    line.make("full", "keyring"), line.make("full")
    assert tend() == [[1], [1], [1]]
    c.away = "target_unreachable"
    line.make("full", "keyring")
    assert tend() == [[2], [2], [1]]
    c.away = None
    assert tend() == [[2], [2], [2]]
    assert unexpected == []


@ON_SQLITE
def test_what_a_backup_builds_on_that_is_being_made_stays(line: Line) -> None:
    line.keep(Keep(1, 0, 0, 0))
    line.make("full"), line.make("journal")
    journal = line.begin("journal")
    line.make("full")
    assert pruned(line).numbers["data"] == []
    line.failed(journal)
    assert pruned(line).numbers["data"] == [1, 2]


@ON_SQLITE
def test_rows_of_what_is_gone_everywhere_are_forgotten(line: Line) -> None:
    months(line)
    line.targets[2].away = "target_unreachable"
    line.later(2 * DAY)
    pruned(line)
    assert line.state(2) == "removed"  # the third target may still have it
    line.targets[2].away = None
    pruned(line)
    with pytest.raises(UnknownBackup):
        line.state(2)
    assert line.copy(2, line.targets[0]) is None
    assert line.state(1) == "removed"
    line.targets[0].put(line.note(2), b"that came back, nobody knows from where")
    pruned(line)
    assert line.note(2) in line.targets[0].paths()
    assert line.make("full") == 13


@ON_SQLITE
def test_before_the_first_backup_there_is_nothing(line: Line) -> None:
    assert pruned(line).numbers == {"keyring": [], "data": []}


@ON_SQLITE
def test_progress_counts_files(line: Line) -> None:
    months(line)
    heard: list[tuple[int, int]] = []
    prune(line.resources, line.targets, True, lambda done, total: heard.append((done, total)))
    assert heard == [(done, 81) for done in range(1, 82)]
