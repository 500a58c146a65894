"""Real servers, one of each for a module, and the places that they keep."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator

import pytest

from tests.databases import missing
from tests.s3_gateway import Gateway, NoGateway, gateway
from tests.sshd import NoSshd, Sshd, sshd
from tests.vault.recovery.targets.places import DirectoryPlace, Place, S3Place, SftpPlace

KINDS: dict[str, type[Place]] = {"directory": DirectoryPlace, "sftp": SftpPlace, "s3": S3Place}


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    try:
        with sshd(tmp_path_factory.mktemp("sshd")) as served:
            yield served
    except NoSshd as error:
        missing("sshd", str(error))


@pytest.fixture(scope="session")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    try:
        with gateway(tmp_path_factory.mktemp("s3")) as served:
            yield served
    except NoGateway as error:
        missing("versitygw", str(error))


def make(kind: str, request: pytest.FixtureRequest) -> Place:
    """Return a place of a kind, whose server is started if need be."""
    if kind == "sftp":
        return SftpPlace(request.getfixturevalue("ssh_server"))
    if kind == "s3":
        return S3Place(request.getfixturevalue("bucket_server"), f"backups-{secrets.token_hex(4)}")
    return DirectoryPlace()


def require_disk() -> None:
    """Skip where nobody lets us mount a small disk."""
    if os.geteuid() != 0 or shutil.which("chattr") is None:
        missing("a small disk", "run the tests as root, who may mount one, and install e2fsprogs for chattr")


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    made = make(request.param, request)
    yield made
    made.close()
