"""Sealing: every record comes into its tenant's tree once, whatever happens to whoever seals."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from tests.service import Service
from tests.turning import Turning
from tests.vault.audit.sealed import check, greedy, leaves, sealer, waiting
from tests.vault.conftest import Shop, open_shop
from tests.vault.test_rotation import turn
from vault.audit.leaf import FIRST_FORMAT, Record, decode, encode
from vault.errors import LeaseLost
from vault.sealer import _batches
from vault.store import audithealth, auditlog, auditruns
from vault.store.auditlog import Waiting
from vault.store.writer import Transaction


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Shop]:
    """A shop on SQLite."""
    opened = open_shop(f"sqlite:///{tmp_path}/vault.db")
    yield opened
    opened.vault.close()


def operations(held: list[bytes]) -> list[str]:
    return [decode(leaf).operation for leaf in held]


def state(shop: Shop) -> str:
    """Return how the sealer is, as it said."""
    with shop.resources.database.read() as connection:
        return {one.name: one.state for one in audithealth.states(connection)}[audithealth.SEALER]


def put(shop: Shop, leaf: bytes, record_id: bytes) -> None:
    """Put a leaf into the inbox."""

    def work(transaction: Transaction) -> None:
        transaction.append("audit_record", [(7, shop.actor.tenant, record_id, leaf)])

    shop.resources.database.write(work)


def test_the_inbox_becomes_leaves_in_the_order_of_its_ids(shop: Shop) -> None:
    shop.tokenize("phone", *[f"+861380013800{at}" for at in range(9)])
    for at in range(30):
        shop.vault.record_refusal(shop.actor, "reveal", f"refused_{at}")
    before = waiting(shop)
    assert (
        sealer(shop.resources).run_round() == len(before) + 3
    )  # two logs were opened; the other tenant's bootstrap
    held = check(shop)
    assert held[1:] == before
    assert operations(held)[0] == "log_opened"
    assert not waiting(shop)


def test_a_round_without_records_changes_nothing_but_the_health(plain: Shop) -> None:
    one = sealer(plain.resources)
    one.run_round()
    held, count = leaves(plain), plain.count("audit_checkpoint")
    assert one.run_round() == 0
    assert (leaves(plain), plain.count("audit_checkpoint")) == (held, count)
    assert state(plain) == "ok"


def test_a_tree_grows_over_many_tiles_and_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vault.sealer.BATCH_RECORDS", 97)
    one = sealer(shop.resources)
    for first in range(0, 600, 200):
        rows = [
            (7, shop.actor.tenant, at.to_bytes(8, "big") + os.urandom(8), encode(_record(at)))
            for at in range(first, first + 200)
        ]
        shop.resources.database.write(lambda transaction, rows=rows: transaction.append("audit_record", rows))
        one.run_round()
    one.run_round()
    assert len(check(shop)) >= 600
    with shop.resources.database.read() as connection:
        log = auditlog.current(connection, shop.actor.tenant)
        assert log is not None
        runs = auditruns.runs(connection, log)
        kept = auditlog.checkpoints(connection, log.tenant, 1, 0, log.size, 1_000)
    assert [runs[0].run, *[run.until for run in runs]] == [0, *[run.run for run in runs[1:]], log.size]
    assert len(kept) > 7


def test_writers_and_sealer_at_once_lose_and_double_nothing(shop: Shop) -> None:
    def write(who: int) -> None:
        for at in range(40):
            shop.vault.record_refusal(shop.actor, "reveal", f"refused_{who}_{at}")

    threads = [Thread(target=write, args=(who,)) for who in range(4)]
    one = sealer(shop.resources)
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        one.run_round()
    for thread in threads:
        thread.join()
    one.run_round()
    results = [decode(leaf).result for leaf in check(shop)]
    assert sorted(result for result in results if result.startswith("refused")) == sorted(
        f"refused_{who}_{at}" for who in range(4) for at in range(40)
    )


def test_two_sealers_that_take_the_lease_from_each_other_append_each_record_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.sealer.BATCH_RECORDS", 5)
    for at in range(100):
        shop.vault.record_refusal(shop.actor, "reveal", f"refused_{at}")

    def work(holder: str) -> None:
        one = greedy(shop.resources, holder)
        for _ in range(6):
            with suppress(LeaseLost):
                one.run_round()

    threads = [Thread(target=work, args=(holder,)) for holder in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    greedy(shop.resources, "last").run_round()
    results = [decode(leaf).result for leaf in check(shop)]
    assert [result for result in results if result.startswith("refused")] == [
        f"refused_{at}" for at in range(100)
    ]


def test_who_has_lost_the_lease_seals_nothing(plain: Shop) -> None:
    first = sealer(plain.resources, "first")
    first.run_round()
    assert sealer(plain.resources, "second").run_round() == 0  # the lease is the first one's
    plain.later(6)
    second = sealer(plain.resources, "second")
    assert second.run_round() > 0
    plain.vault.record_refusal(plain.actor, "reveal", "refused")
    assert first.run_round() == 0
    assert second.run_round() == 1


def test_a_log_says_when_sealing_goes_on_and_when_it_ends_in_order(plain: Shop) -> None:
    one = sealer(plain.resources, "one")
    one.run_round()
    assert one.end() == 2
    other = sealer(plain.resources, "other")
    other.run_round()
    assert operations(check(plain))[-2:] == ["log_stopped", "log_started"]
    assert sealer(plain.resources, "third").run_round() == 0
    other.end()
    assert operations(check(plain))[-1] == "log_stopped"


def test_records_of_the_first_format_and_bytes_that_are_none_are_sealed_as_they_are(plain: Shop) -> None:
    old, none = encode(_record(5), FIRST_FORMAT), b"\x02\xff\xff\xff\xffnot a record"
    put(plain, old, (5).to_bytes(8, "big") + bytes(8))
    put(plain, none, (6).to_bytes(8, "big") + bytes(8))
    sealer(plain.resources).run_round()
    assert check(plain)[1:3] == [old, none]


def test_a_turned_audit_keyset_signs_on_and_the_former_signatures_still_verify(shop: Shop) -> None:
    one = sealer(shop.resources)
    shop.tokenize("phone", "+8613800138000")
    one.run_round()
    old = shop.resources.keyring.keys(shop.actor.tenant).primary("audit").id  # type: ignore[arg-type]
    turn(shop, "audit")
    shop.tokenize("phone", "+8613800138001")
    one.run_round()  # by keys that are behind: nothing is sealed under a former primary
    one.run_round()
    held = check(shop)
    with shop.resources.database.read() as connection:
        signers = {key.key: key for _, key in auditlog.signers(connection, shop.actor.tenant)}
    ranges = {key: [at for at, leaf in enumerate(held) if decode(leaf).key == key] for key in signers}
    assert len(signers) == 2
    for key, mine in ranges.items():
        assert (signers[key].first, signers[key].last) == (mine[0], mine[-1])
    assert all(one.public for one in signers.values())
    needs = {key.id: key.needed_by for key in shop.vault.keyset(shop.actor, "audit").versions}
    assert needs[f"{old:016x}"] == {"audit_records": ranges[old][-1] + 1}


def test_while_the_root_is_away_nothing_is_sealed_and_it_goes_on_by_itself(plain: Shop) -> None:
    shop, root = plain, Turning("memory")
    keyring = shop.resources.keyring
    one = sealer(shop.resources)
    one.run_round()
    shop.vault.record_refusal(shop.actor, "reveal", "refused")
    keyring._tenants = {}
    held, root.away = dict(keyring.roots), True
    keyring.roots = {"memory": root}
    assert one.run_round() == 0
    assert state(shop) == "key_error"
    keyring.roots = held
    assert one.run_round() == 1
    assert state(shop) == "ok"
    assert operations(check(shop))[-1] == "reveal"


def test_a_database_that_is_behind_a_sink_does_not_fork_the_log(plain: Shop) -> None:
    one = sealer(plain.resources)
    one.run_round()
    held = leaves(plain)
    plain.vault.record_refusal(plain.actor, "reveal", "refused")
    row = ("'file'", plain.actor.tenant, 1, len(held) + 1, len(held) + 1, 0)

    def work(transaction: Transaction) -> None:
        values = ", ".join(map(str, row))
        transaction.connection.exec_driver_sql(f"INSERT INTO audit_sink VALUES ({values})")

    plain.resources.database.write(work)
    assert one.run_round() == 0
    assert state(plain) == "log_behind_sinks"
    assert leaves(plain) == held


def test_batches_are_of_one_tenant_and_no_larger_than_one_commit_may_be() -> None:
    found = [Waiting(at % 2, 0, at.to_bytes(16, "big"), 3 * 1_024 * 1_024) for at in range(9)]
    cut = list(_batches(found))
    assert sorted(one for batch in cut for one in batch) == sorted(found)
    assert all(len({one.tenant for one in batch}) == 1 and len(batch) <= 2 for batch in cut)
    for tenant in (0, 1):
        mine = [one for batch in cut for one in batch if one.tenant == tenant]
        assert mine == sorted(mine)
    small = [Waiting(1, 0, at.to_bytes(16, "big"), 10) for at in range(12_000)]
    assert [len(batch) for batch in _batches(small)] == [5_000, 5_000, 2_000]


def test_a_sealer_killed_around_any_commit_loses_and_doubles_nothing(
    tmp_path: Path, database_url: str
) -> None:
    service = Service(tmp_path, database_url)
    service.prepare()
    command = [sys.executable, "-m", "tests.vault.audit.killed", database_url, str(tmp_path / "root.key")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr[-2_000:]
    assert "killed" in ended.stdout


def _record(at: int) -> Record:
    return Record(
        at.to_bytes(8, "big") + bytes(8), at, 1, f"key_{at % 7}", "r", "reveal", "phone", "service", "masked", "ok",
        1, 0, 5, os.urandom(16 * (at % 4)),
    )  # fmt: skip
