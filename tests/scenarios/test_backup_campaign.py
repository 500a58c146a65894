"""Backups under all that happens to who sends them, to who takes them and to what lies there: nothing is lost."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from random import Random

import pytest

from tests.databases import KINDS, migrated_database, new_database
from tests.network import wire
from tests.scenarios.backing import Backing, backing, require_nothing_unfinished
from tests.scenarios.campaign import FULL, rounds
from tests.scenarios.servers import three_places
from tests.vault.conftest import open_shop
from tests.vault.recovery import mutations
from tests.vault.recovery.made import Backups
from tests.vault.recovery.targets.places import Place, stop
from tests.waiting import until
from vault.errors import BackupDamaged

SEED = 7
DAY = 86_400.0  # seconds


@pytest.fixture(params=KINDS if FULL else ["sqlite"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backing]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with (
        three_places(tmp_path) as places,
        migrated_database(request.param, tmp_path, server) as url,
        backing(tmp_path, url, places) as made,
    ):
        yield made


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path, house: Backing) -> Iterator[Callable[[], str]]:
    """Makes an empty database of the house's kind."""
    kind = house.service.database_url.partition(":")[0]
    server = request.getfixturevalue("postgres") if kind == "postgresql" else None
    with ExitStack() as stack:
        yield lambda: stack.enter_context(new_database(kind, tmp_path, server))


def killed(place: Place) -> None:
    """Its server dies."""
    stop(place.server)  # type: ignore[attr-defined]


def full(place: Place) -> None:
    """Its disk fills up."""
    place.full()


def silent(place: Place) -> None:
    """The line to it passes nothing on, and says nothing."""
    place.relay.way = "silent"  # type: ignore[attr-defined]


HARMS: dict[str, tuple[Callable[[Place], None], ...]] = {
    "directory": (full,), "sftp": (killed, silent), "s3": (killed, silent),
}  # fmt: skip
Round = tuple[float | None, str, Callable[[Place], None]]
"""The clock that another sender goes on by, None where the one that is there lives; a place, and what happens there."""

SHORT: tuple[Round, ...] = ((DAY, "directory", full), (None, "s3", silent), (0.0, "sftp", killed))
LAST: Round = (0.0, "directory", full)  # by the right clock again


def drawn(count: int) -> Iterator[Round]:
    draw = Random(SEED)
    for _ in range(count):
        name = draw.choice(sorted(HARMS))
        yield draw.choice([None, 0.0, DAY, -DAY]), name, draw.choice(HARMS[name])


def test_whatever_happens_nothing_is_lost(house: Backing, empty: Callable[[], str]) -> None:
    seen: set[str] = set()
    with house.written(SEED):
        for number, one in enumerate(SHORT if not FULL else [*SHORT, *drawn(100), LAST]):
            happen(house, one, Random(number), seen)
    damage(house, Random(SEED))
    require_all(house, empty)


def require_all(house: Backing, empty: Callable[[], str]) -> None:
    """Return if each place alone brings back all that was acknowledged."""
    house.stop()  # which ships what was written last
    require_nothing_unfinished(house)
    for name in house.places:
        url = empty()
        assert house.restored(name, url).whole
        house.require_held(url)


def happen(house: Backing, one: Round, draw: Random, seen: set[str]) -> None:
    """Harm a place while a full backup is under way, and maybe who sends it, and let them go on."""
    off, name, harm = one
    halfway(house, draw)
    harm(house.places[name])
    if off is not None:
        halfway(house, draw)
        house.kill()
        require_nothing_unfinished(house, seen)
        house.start(off)
    halfway(house, draw)
    with house.frozen():
        require_nothing_unfinished(house, seen)
    house.places[name].heal()
    goes_on(house)


def damage(house: Backing, draw: Random) -> None:
    """Turn a bit of one file at each place over, and let them be found and mended from the others."""
    until(house.is_well)
    before = {}
    for name, place in house.places.items():
        file = place.folder / draw.choice(house.newest_files(name))
        before[file] = file.read_bytes()
        at = draw.randrange(len(before[file]))
        changed = bytes([before[file][at] ^ 1 << draw.randrange(8)])
        file.write_bytes(before[file][:at] + changed + before[file][at + 1 :])
    job = house.custodian.vault.backups.verify(house.custodian.actor, 1.0)
    outcome = house.custodian.ended(job.id).notes["outcome"]
    assert outcome["mended"] == len(before), outcome
    assert {file: file.read_bytes() for file in before} == before


def halfway(house: Backing, draw: Random) -> None:
    """Wait until some of a full backup lies at the places."""
    house.back_up()
    before, more = house.files(), draw.randint(1, 6)
    until(lambda: house.files() > before + more)


def goes_on(house: Backing) -> None:
    """Wait until each place has got what is newer than now."""
    newest = max(map(house.newest, house.places))
    until(lambda: min(map(house.newest, house.places)) > newest)


def test_a_network_that_is_cut_while_backups_are_under_way(tmp_path: Path) -> None:
    with (
        wire() as line,
        three_places(tmp_path, line) as places,
        migrated_database("sqlite", tmp_path) as url,
        backing(tmp_path, url, places) as house,
    ):
        with house.written(SEED):
            for number in range(rounds(1, 10)):
                halfway(house, Random(number))
                line.cut()
                until(lambda: not house.is_reached())
                with house.frozen():
                    require_nothing_unfinished(house)
                line.mend()
                goes_on(house)
        until(house.is_well)
        require_all(house, lambda: f"sqlite:///{tmp_path}/{secrets.token_hex(4)}.db")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Backups]:
    """A small backup: a full one, and what changed since."""
    shop = open_shop(f"sqlite:///{tmp_path}/shop.db")
    shop.tokenize("phone", "13800138000", "13800138001", subjects=["a", None])
    made = Backups(shop, tmp_path / "target")
    made.make()
    shop.tokenize("phone", "13800138002")
    made.make("incremental")
    yield made
    shop.vault.close()


def test_no_restore_takes_a_harmed_backup(small: Backups, tmp_path: Path) -> None:
    """Each harm to a file of its own: in the campaign every byte, every length, every two files."""
    archive = small.archive()
    (installation,) = archive.installations()
    files = mutations.places(archive.choose(installation))
    harms = chain(
        mutations.flips(small.folder, files, rounds(2_999, 1)), mutations.cuts(small.folder, files, rounds(9_999, 1)),
        mutations.swaps(small.folder, files), mutations.replays(small.folder, files),
        mutations.additions(small.folder, files),
    )  # fmt: skip
    url = f"sqlite:///{tmp_path}/restored.db"
    for harm in islice(harms, 0, None, rounds(9, 1)):
        with harm.on(small.folder), pytest.raises(BackupDamaged) as refused:
            small.restore(url)
        assert refused.value.code in harm.codes, harm.name
        assert (refused.value.file, refused.value.chunk) in harm.named, harm.name
        assert list(tmp_path.glob("restored.db*")) in ([], [tmp_path / "restored.db-writer"]), harm.name
    assert small.restore(url).whole
