"""Eight ways in which others lost data while keys turned, each shown not to be ours (requirements, last table).

A crash is a new process on the same database: it knows nothing but what was committed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from keys.keyring import Keyring
from keys.keyset import OPENS, Purpose
from keys.providers import memory
from tests.vault.conftest import Shop
from tests.vault.test_rotation import PHONES, opens, primary, states, stepped, stocked, turn, work
from vault.audit.leaf import decode
from vault.context import derivation
from vault.keyed import DIGEST_BYTES, keyed
from vault.resources import Resources
from vault.rotate import indexing, sealing
from vault.service import Vault
from vault.store import jobs
from vault.store.keysets import Keysets


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many batches of few rows, so that there is much to be interrupted."""
    monkeypatch.setattr(sealing, "BATCH", 9)
    monkeypatch.setattr(indexing, "BATCH", 9)


def crashed(shop: Shop) -> Shop:
    """Return the shop as a new process has it; what the old one leased is over."""
    shop.later(jobs.LEASE_SECONDS + 1)
    keyring = shop.resources.keyring
    fresh = Keyring(
        Keysets(shop.resources.database), keyring.roots, next(iter(keyring.roots)), time.monotonic
    )
    resources = Resources(shop.resources.database, fresh, time.monotonic)
    return replace(shop, vault=Vault(resources), resources=resources)


def crashes(shop: Shop) -> Iterator[Shop]:
    """Yield the shop after a crash behind each step of the job under way, until it has ended."""
    for _ in range(200):
        shop = crashed(shop)
        yield shop
        if stepped(shop) is None:
            return
    raise AssertionError("the job does not end")


def test_k3s_13763_a_crash_between_the_key_and_its_use(shop: Shop) -> None:
    """There: the new key in a file, not in the database, and nothing opened any more."""
    held = stocked(shop)
    shop.vault.rotate_keyset(shop.actor, "seal")
    for _ in range(2):  # published, and not active yet
        stepped(shop)
    assert states(shop, "seal") == ["active", "pre-active"]
    shop = crashed(shop)
    assert opens(shop, held)
    shop.tokenize("phone", *PHONES)
    work(shop)
    assert states(shop, "seal") == ["deactivated", "active"]
    assert opens(crashed(shop), held)


def test_keystone_1299_an_emergency_reads_everything_after(shop: Shop) -> None:
    """There: the leaked key was revoked, and the records under it never sealed anew."""
    held = stocked(shop)
    shop.vault.compromise_key(shop.actor, f"{primary(shop, Purpose.SEAL):016x}")
    for now in crashes(shop):
        assert opens(now, held)
    assert states(shop, "seal") == ["destroyed", "active"]
    assert opens(crashed(shop), held)


def test_keep_662_rows_under_two_keys(shop: Shop) -> None:
    """There: a header named one key for rows under two. Here every row names its own."""
    held = stocked(shop)
    shop.vault.rotate_keyset(shop.actor, "seal")
    seen = set()
    for now in crashes(shop):
        with now.resources.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT sealed, seal_key, subject FROM token").all()
        assert all(int.from_bytes(bytes(row.sealed)[1:9], "big") == row.seal_key for row in rows)
        seen.add(len({row.seal_key for row in rows if row.subject is None}))
        assert opens(now, held)
    assert seen == {1, 2}


def test_openbot_8_no_row_is_under_a_key_that_is_in_memory_alone(shop: Shop) -> None:
    """There: the key was written after the rows. Here it is stored, and opens, before the first row names it."""
    stocked(shop)
    shop.vault.rotate_keyset(shop.actor, "seal")
    for now in crashes(shop):
        _, keysets = Keysets(now.resources.database).load(now.actor.tenant)
        stored = {version.id for version in keysets[Purpose.SEAL].versions if version.state in OPENS}
        with now.resources.database.read() as connection:
            named = set(
                connection.exec_driver_sql("SELECT seal_key FROM token WHERE subject IS NULL").scalars()
            )
            named |= set(connection.exec_driver_sql("SELECT wrap_key FROM subject").scalars())
        assert named <= stored
        assert {key.id for key in now.resources.keyring.keys(now.actor.tenant).openers(Purpose.SEAL)} >= named


def test_agi_cli_1492_a_crash_in_the_recovery_too(shop: Shop) -> None:
    """There: the recovery deleted the only old copy. Here two crashes in a row, at every step, delete nothing."""
    held = stocked(shop)
    for purpose in ("seal", "index"):
        shop.vault.rotate_keyset(shop.actor, purpose)
        for now in crashes(shop):
            again = crashed(now)
            assert opens(again, held)
            assert again.tokenize("phone", *PHONES, deterministic=True) == list(held)[80:120]
    assert "destroyed" not in states(shop, "seal") + states(shop, "index")


def test_hermes_vault_66_the_audit_still_verifies(shop: Shop) -> None:
    """There: the data key turned and the audit's did not follow. Here each record names the key of its digests."""
    tokens = stocked(shop)
    for purpose in ("seal", "audit"):
        shop.vault.rotate_keyset(shop.actor, purpose)
        for now in crashes(shop):
            now.plain(*list(tokens)[:3])
    shop = crashed(shop)
    keys = shop.resources.keyring.keys(shop.actor.tenant)
    with shop.resources.database.read() as connection:
        leaves = connection.exec_driver_sql("SELECT leaf FROM audit_record").scalars()
        records = [record for record in map(decode, leaves) if record.tenant == shop.actor.tenant]
    reveals = [record for record in records if record.operation == "reveal"]
    stored = [bytes.fromhex("01" + token[12:]) for token in list(tokens)[:3]]
    assert len({record.key for record in reveals}) == 2
    for record in reveals:
        key = keys.version(Purpose.AUDIT, record.key)
        digests = keyed(key, derivation("audit token", shop.actor.tenant), stored)
        assert record.tokens == b"".join(digests)
        assert len(record.tokens) == 3 * DIGEST_BYTES


def test_percona_552_another_root_another_key_and_a_crash(shop: Shop) -> None:
    """There: the redo log named the old key's provider. Here every version names its own root."""
    held, other = stocked(shop), memory.create()
    other.name = "other"
    roots = shop.resources.keyring.roots
    assert isinstance(roots, dict)
    roots["other"] = other
    shop.vault.move_root(shop.actor, "other")
    for now in crashes(shop):
        assert opens(now, held)
    shop.vault.rotate_keyset(shop.actor, "seal")
    for now in crashes(shop):
        assert opens(now, held)
    del roots["memory"]
    shop = crashed(shop)
    assert opens(shop, held)
    assert {version.root for version in shop.vault.keyset(shop.actor, "seal").versions} == {"other"}


def test_litestream_582_a_job_that_could_not_do_all_says_so(shop: Shop) -> None:
    """There: "normal" for weeks over what did not open. Here such rows are counted, and the job fails."""
    stocked(shop)
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE token SET sealed = substr(sealed, 1, 30) WHERE subject IS NULL AND deterministic"
        )
    job = turn(shop, "seal")
    assert (job.state, job.error, job.skipped) == ("failed", "unreadable_value", 40)
    with pytest.raises(Exception, match="40 tokens"):
        shop.vault.destroy_key(shop.actor, shop.vault.keyset(shop.actor, "seal").versions[0].id)
