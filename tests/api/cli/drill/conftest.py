"""A service whose worker backs up to two folders, and a host that drills them, each by its own commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from strongroom_client import Client

from keys import identity
from keys.secret import Secret
from tests.api.cli.conftest import Command
from tests.service import Service, running

VALUES = {"phone": ["+8613800138000", "+8613800138001"], "bank_card": ["6212345678901265"]}


@dataclass(frozen=True)
class Site:
    """The service, its targets, and the command on the drill host."""

    service: Service
    targets: tuple[Path, Path]
    host: Command
    reports: Path
    recovery: Secret

    def drill(self, *more: str, **settings: str) -> tuple[int, list[dict[str, object]]]:
        """Drill, and return the exit code and the reports."""
        done = self.host("drill", "--json", *more, **settings)
        told = json.loads(done.stdout)
        assert "drills" in told, done
        return done.returncode, told["drills"]


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service with values, backed up, and a drill host."""
    folder = tmp_path_factory.mktemp("site")
    targets, recovery = (folder / "one", folder / "two"), Secret.random()
    for one in (*targets, folder / "host", folder / "reports"):
        one.mkdir()
    host = _host(folder, targets)
    lines = host("drill", "init", "--no-canary", "keys").stdout
    (folder / "recipients.txt").write_text(f"recovery {identity.recipient(recovery)}\n{lines}")
    with running(
        folder, f"sqlite:///{folder}/vault.db", STRONGROOM_WORKERS="1", STRONGROOM_PASSWORD_PROFILE="owasp-7",
        STRONGROOM_BACKUP_TARGETS=_urls(targets), STRONGROOM_BACKUP_QUORUM="2",
        STRONGROOM_BACKUP_RECIPIENTS=str(folder / "recipients.txt"), STRONGROOM_BACKUP_JOURNAL_SECONDS="0.5",
    ) as service:  # fmt: skip
        host.environment["STRONGROOM_URL"] = service.url
        host.write("api.key", service.keys["live"])
        _fill(service)
        assert host("drill", "init", "keys").stdout == lines  # again, with a login this time
        assert host("backup", "create").returncode == 0
        host.write("trust.txt", host("backup", "keys").stdout)
        yield Site(service, targets, host, folder / "reports", recovery)


def _host(folder: Path, targets: tuple[Path, Path]) -> Command:
    """The command on the drill host: it has the root, and not the database."""
    host = Command(folder / "host")
    host.environment.update(
        STRONGROOM_API_KEY_FILE=str(folder / "host/api.key"),
        STRONGROOM_ROOT_KEY_FILE=str(folder / "root.key"), STRONGROOM_DRILL_KEYS=str(folder / "host/keys"),
        STRONGROOM_DRILL_TRUST=str(folder / "host/trust.txt"), STRONGROOM_DRILL_REPORTS=str(folder / "reports"),
        STRONGROOM_BACKUP_TARGETS=_urls(targets), STRONGROOM_DATABASE_URL=f"sqlite:///{folder}/host/none.db",
        STRONGROOM_PASSWORD_PROFILE="owasp-7",
    )  # fmt: skip
    return host


def _fill(service: Service) -> None:
    with Client(service.url, service.keys["live"]) as client:
        for field, values in VALUES.items():
            made = client.tokenize_column(field, values, subjects=[f"s{n}" for n in range(len(values))])
            assert not made.errors


def _urls(targets: tuple[Path, Path]) -> str:
    return " ".join(f"file:{one}" for one in targets)
