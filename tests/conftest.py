"""What every test may ask for: published vectors, one case a test; real databases; a running service."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import KINDS, migrated_database, missing, new_database, postgres_server
from tests.service import NO_HASHER, Service, running
from tests.vault_server import VERSION, Transit, VaultServer, fresh_transit
from tests.vault_server.binary import NoVault

LONGEST = {
    f"tests/{file}.py": at
    for at, file in enumerate((
        "scenarios/test_backup_kill", "api/cli/test_restore", "api/cli/test_backup", "api/cli/drill/test_drill",
        "scenarios/test_turning", "scenarios/test_kill", "scenarios/test_vault_root", "scenarios/test_passwords",
        "scenarios/test_stop", "bench/test_bench", "scenarios/test_load", "scenarios/test_canaries",
    ))
}  # fmt: skip

SHARED = Path(os.environ.get("STRONGROOM_SHARED") or Path(__file__).parents[2] / "shared")


def read_vectors(name: str) -> Any:
    """Return a published vector file by its path under vectors/ (elsewhere: set STRONGROOM_SHARED)."""
    if not SHARED.is_dir():
        missing(
            "the published test vectors", "put them beside the checkout as shared/, or set STRONGROOM_SHARED"
        )
    text = (SHARED / "vectors" / name).read_text("utf-8")
    return _records(text) if name.endswith(".txt") else json.loads(text)


def _records(text: str) -> list[dict[str, str]]:
    """Return the cases of a file as NIST writes them: `COUNT = 0`, then a line `name = value` each."""
    cases: list[dict[str, str]] = []
    for name, _, value in (line.partition("=") for line in text.splitlines() if line[:1] not in ("", "#")):
        if name.strip() == "COUNT":
            cases.append({})
        cases[-1][name.strip()] = value.strip()
    return cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test marked `vectors(file, *keys)` each entry under those keys of the file as its `case`."""
    if marker := metafunc.definition.get_closest_marker("vectors"):
        name, *keys = marker.args
        if not SHARED.is_dir():
            metafunc.parametrize("case", [name], indirect=True, ids=["missing"])
            return
        content = read_vectors(name)
        cases = [(f"{name}:{key}{i}", case) for key in keys for i, case in enumerate(content[key])]
        cases = cases or [(f"{name}:{i}", case) for i, case in enumerate(content)]
        metafunc.parametrize("case", [case for _, case in cases], ids=[label for label, _ in cases])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files with the longest tests first, so that none is left to run alone when all others are done."""
    items.sort(key=lambda item: LONGEST.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Any:
    """Stand for the cases of a vector file that is not there."""
    return read_vectors(request.param)


@pytest.fixture(scope="session")
def vectors() -> Any:
    """Return the reader of vector files."""
    return read_vectors


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server's URL."""
    with postgres_server() as url:
        yield url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with this version's schema and no rows, on SQLite and on PostgreSQL in turn."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with migrated_database(request.param, tmp_path, server) as url:
        yield url


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without anything, on SQLite and on PostgreSQL in turn."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with new_database(request.param, tmp_path, server) as url:
        yield url


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A running service on SQLite, in processes of its own; it takes no passwords."""
    with running(tmp_path, f"sqlite:///{tmp_path}/vault.db", **NO_HASHER) as served:
        yield served


@pytest.fixture
def service_on(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """A running service, on SQLite and on PostgreSQL in turn; it takes no passwords."""
    with running(tmp_path, database_url, **NO_HASHER) as served:
        yield served


@pytest.fixture(scope="session")
def vault_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    """A real Vault, which no test stops, seals or freezes."""
    with started_vault(tmp_path_factory.mktemp("vault")) as server:
        yield server


@pytest.fixture
def own_vault(tmp_path: Path) -> Iterator[VaultServer]:
    """A real Vault of this test alone, to do with as it likes."""
    folder = tmp_path / "vault"
    folder.mkdir()
    with started_vault(folder) as server:
        yield server


@pytest.fixture
def transit(vault_server: VaultServer) -> Iterator[Transit]:
    """A new Transit mount, key, policy and AppRole on the shared Vault."""
    made = fresh_transit(vault_server)
    yield made
    made.close()


def started_vault(folder: Path) -> VaultServer:
    """Return a Vault to be entered; the test is skipped where there is none."""
    try:
        return VaultServer(folder)
    except NoVault as error:
        why = str(error)
    missing(f"Vault {VERSION}", why)
    raise AssertionError(why)
