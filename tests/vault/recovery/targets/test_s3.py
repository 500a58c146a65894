"""S3 as a target: buckets that keep what is deleted, which are right for backups and wrong for keyrings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.databases import missing
from tests.s3_gateway import REGION, Gateway, NoGateway, gateway, gateway_command
from vault.recovery.targets.bounded import Bounded
from vault.recovery.targets.opening import Surroundings, open_target
from vault.recovery.targets.protocol import TargetFailed

CHUNK, KEYS = "00000000deadbeef/data/chunks/ab", "00000000deadbeef/keyring/chunks/ab"


@pytest.fixture(scope="module", params=["locks", "locks and keeps versions"])
def keeper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Give a server whose bucket `locked` keeps what is deleted: it says so, or it hides it."""
    folder = tmp_path_factory.mktemp("s3")
    for name in ("buckets", "versions"):
        (folder / name).mkdir()
    options = ("--versioning-dir", folder / "versions") if "versions" in request.param else ()
    try:
        with gateway(folder / "buckets", *options) as served:
            served.make_locked("locked")
            (served.folder / "plain").mkdir()
            yield served
    except NoGateway as error:
        missing("versitygw", str(error))


def opened(server: Gateway, bucket: str, options: str = "") -> Bounded:
    around = Surroundings(time.monotonic, s3_keys=(server.access, server.secret))
    return open_target(f"s3://{bucket}/a/b?region={REGION}&endpoint={server.endpoint}{options}", around)


def holding(server: Gateway, data: bytes) -> list[Path]:
    """Return the files of the server's, versions among them, that hold these bytes."""
    files = (one for one in server.folder.parent.rglob("*") if one.is_file())
    return [one for one in files if one.read_bytes() == data]


def problem(call: object, *words: object) -> str:
    with pytest.raises(TargetFailed) as failure:
        call(*words)  # type: ignore[operator]
    return failure.value.problem


def test_no_keyring_is_put_where_what_is_deleted_stays(keeper: Gateway) -> None:
    target = opened(keeper, "locked")
    for _ in range(2):
        assert problem(target.put, KEYS, b"wrapped") == "target_locked"
        assert problem(target.probe) == "target_locked"
    assert list(target.files("00000000deadbeef/keyring/")) == []
    assert not holding(keeper, b"wrapped")


def test_keyrings_go_to_a_bucket_of_their_own_and_are_really_deleted(keeper: Gateway) -> None:
    target = opened(keeper, "locked", "&keyrings=plain")
    target.probe()
    target.put(KEYS, b"wrapped")
    target.put(CHUNK, b"sealed")
    assert (keeper.folder / "plain" / "a" / "b" / KEYS).read_bytes() == b"wrapped"
    assert (keeper.folder / "locked" / "a" / "b" / CHUNK).read_bytes() == b"sealed"
    assert [file.path for file in target.files("00000000deadbeef/")] == [CHUNK, KEYS]
    assert [file.path for file in target.files("00000000deadbeef/keyring/")] == [KEYS]
    assert (target.get(KEYS), target.get(CHUNK)) == (b"wrapped", b"sealed")
    target.delete(KEYS)
    assert not (keeper.folder / "plain" / "a" / "b" / KEYS).exists()
    assert "keeps what is deleted" in target.weaknesses()[0]


def test_a_locked_backup_stays(keeper: Gateway) -> None:
    """Whether the server refuses, or hides the object behind a mark, its bytes are still there."""
    target, path = opened(keeper, "locked", "&keyrings=plain"), CHUNK + "cd"
    target.put(path, b"sealed for long")
    kept = len(holding(keeper, b"sealed for long"))
    assert kept == 1
    try:
        target.delete(path)
    except TargetFailed as failure:
        refused = failure.problem
        assert target.get(path) == b"sealed for long"
    else:
        refused = "hidden"
        assert problem(target.get, path) == "target_missing_file"
        target.put(path, b"sealed for long")  # what a mark hides may come again
        assert target.get(path) == b"sealed for long"
    assert refused in {"target_locked", "hidden"}
    assert len(holding(keeper, b"sealed for long")) >= kept


def test_a_store_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    certificate = trustme.CA().issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    certificate.private_key_pem.write_to_path(tmp_path / "key")
    try:
        command = gateway_command()
    except NoGateway as error:
        missing("versitygw", str(error))
    settings = {"VGW_CERT": str(tmp_path / "cert"), "VGW_KEY": str(tmp_path / "key")}
    (tmp_path / "buckets").mkdir()
    server = Gateway(command, tmp_path / "buckets", settings=settings)
    server.start()
    around = Surroundings(time.monotonic, s3_keys=(server.access, server.secret))
    endpoint = server.endpoint.replace("http:", "https:")
    target = open_target(f"s3://backups?region={REGION}&endpoint={endpoint}", around)
    assert problem(target.probe) == "target_untrusted"
    server.stop()
