"""Backups under everything that happens to who sends them, to who takes them and to what lies there: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.databases import KINDS, migrated_database, missing, new_database
from tests.s3_gateway import NoGateway, gateway
from tests.scenarios.backing import Backing, backing, on_a_small_disk, require_nothing_unfinished
from tests.scenarios.campaign import FULL, rounds
from tests.sshd import NoSshd, sshd
from tests.vault.recovery.targets.conftest import require_disk
from tests.vault.recovery.targets.places import DirectoryPlace, Place, S3Place, ServedPlace, SftpPlace, stop
from tests.waiting import until

SEED = 7
DAY = 86_400.0  # seconds


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, Place]]:
    """A folder on a small disk, a real sshd and a real S3 service."""
    require_disk()
    try:
        for name in ("ssh", "s3"):
            (tmp_path / name).mkdir()
        with sshd(tmp_path / "ssh") as ssh, gateway(tmp_path / "s3") as bucket:
            made: dict[str, Place] = {
                "directory": on_a_small_disk(DirectoryPlace()), "sftp": SftpPlace(ssh), "s3": S3Place(bucket, "backups"),
            }  # fmt: skip
            try:
                yield made
            finally:
                for place in made.values():
                    place.close()
    except NoSshd as error:
        missing("sshd", str(error))
    except NoGateway as error:
        missing("versitygw", str(error))


@pytest.fixture(params=KINDS if FULL else ["sqlite"])
def house(request: pytest.FixtureRequest, tmp_path: Path, places: dict[str, Place]) -> Iterator[Backing]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with migrated_database(request.param, tmp_path, server) as url, backing(tmp_path, url, places) as made:
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

SHORT: tuple[Round, ...] = ((DAY, "directory", full), (None, "s3", silent), (-DAY, "sftp", killed))


def drawn(count: int) -> Iterator[Round]:
    draw = Random(SEED)
    for _ in range(count):
        name = draw.choice(sorted(HARMS))
        yield draw.choice([None, 0.0, DAY, -DAY]), name, draw.choice(HARMS[name])


def test_whatever_happens_nothing_is_lost(house: Backing, empty: Callable[[], str]) -> None:
    seen: set[str] = set()
    with house.written(SEED):
        for number, one in enumerate([*SHORT, *drawn(rounds(0, 100))]):
            happen(house, one, Random(number), seen)
        house.kill()
        house.start()
        goes_on(house)
    damage(house, Random(SEED))
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
        file = draw.choice(sorted(place.folder.glob("*/*/*/*")))
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
