"""Keysets that turn: everything comes under the new version, nothing is lost, and one value keeps one token."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from keys.errors import KeyStateError
from keys.keyring import Keyring
from keys.keyset import Purpose, State
from tests.vault.conftest import Shop
from vault.columns import Column, Spec
from vault.errors import JobRunning, KeyInUse, KeysetDoesNotTurn, UnknownJob, UnknownKeyset, UnknownKeyVersion
from vault.rotate import kinds
from vault.service import Vault
from vault.store import jobs, stale
from vault.store.jobs import Job
from vault.store.keysets import Keysets

PHONES = [f"+8613800138{at:03}" for at in range(40)]


def work(shop: Shop, rounds: int = 50) -> None:
    """Carry out what waits, as a worker does."""
    for _ in range(rounds):
        if kinds.work(shop.resources, "test", lambda: False, lambda _: None) is None:
            return
    raise AssertionError("the jobs do not end")


def turn(shop: Shop, purpose: str) -> Job:
    job = shop.vault.rotate_keyset(shop.actor, purpose)
    work(shop)
    return shop.vault.job(shop.actor, job.id)


def states(shop: Shop, purpose: str) -> list[str]:
    return [version.state for version in shop.vault.keyset(shop.actor, purpose).versions]


def primary(shop: Shop, purpose: Purpose) -> int:
    return shop.resources.keyring.keys(shop.actor.tenant).primary(purpose).id


def stocked(shop: Shop) -> dict[str, str]:
    """Store values of every kind; return them by token."""
    held = dict(zip(shop.tokenize("phone", *PHONES), PHONES, strict=True))
    named: list[str | None] = [f"customer-{at % 7}" for at in range(40)]
    held |= dict(zip(shop.tokenize("phone", *PHONES, subjects=named), PHONES, strict=True))
    held |= dict(zip(shop.tokenize("phone", *PHONES, deterministic=True), PHONES, strict=True))
    notes = [b'{"a": 1}' if at % 2 else None for at in range(40)]
    column = Column("email", [f"a{at}@example.com" for at in range(40)], Spec(), None, notes)
    (made,) = shop.vault.tokenize(shop.actor, [column])
    held |= {token or "": f"a{at}@example.com" for at, token in enumerate(made.tokens)}
    return held


def opens(shop: Shop, held: dict[str, str]) -> bool:
    return shop.plain(*held) == list(held.values())


def test_the_seal_keyset_turns(shop: Shop) -> None:
    held, old = stocked(shop), primary(shop, Purpose.SEAL)
    job = turn(shop, "seal")
    assert (job.state, job.error, job.skipped, job.done) == ("done", None, 0, job.total)
    assert job.total == 40 + 40 + 40 + 7
    new = primary(shop, Purpose.SEAL)
    assert new != old
    assert opens(shop, held)
    with shop.resources.database.read() as connection:
        assert stale.under_seal(connection, shop.actor.tenant, old) == {"tokens": 0, "persons": 0}
        assert stale.under_seal(connection, shop.actor.tenant, new) == {"tokens": 120, "persons": 7}
    assert states(shop, "seal") == ["deactivated", "active"]
    notes = shop.vault.reveal(shop.actor, list(held)[-2:], "service", metadata=True).metadata
    assert notes == [None, b'{"a": 1}']


def test_it_turns_again_and_again(shop: Shop) -> None:
    held = stocked(shop)
    for _ in range(3):
        for purpose in ("seal", "index", "audit"):
            assert turn(shop, purpose).state == "done"
    assert opens(shop, held)
    assert states(shop, "seal") == ["deactivated"] * 3 + ["active"]
    assert states(shop, "index") == ["suspended"] * 3 + ["active"]
    assert shop.tokenize("phone", *PHONES, deterministic=True) == list(held)[80:120]


def test_the_index_keyset_turns_and_tokens_stay_what_they_are(shop: Shop) -> None:
    held, old = stocked(shop), primary(shop, Purpose.INDEX)
    fixed = shop.tokenize("phone", *PHONES, deterministic=True)
    job = turn(shop, "index")
    assert (job.state, job.done, job.total) == ("done", 160, 160)
    assert shop.tokenize("phone", *PHONES, deterministic=True) == fixed
    found = shop.vault.find(shop.actor, "phone", PHONES[:3]).matches
    assert [len(tokens or []) for tokens in found] == [3, 3, 3]
    with shop.resources.database.read() as connection:
        assert not any(stale.under_index(connection, shop.actor.tenant, old).values())
        rows = connection.exec_driver_sql(
            "SELECT count(*) FROM token t JOIN index_entry e ON e.bucket = t.index_bucket AND e.tenant = t.tenant "
            "AND e.key = t.index_key AND e.digest = t.digest AND e.token = t.token"
        ).scalar_one()
    assert rows == shop.count("token") == shop.count("index_entry") == 160
    assert states(shop, "index") == ["suspended", "active"]
    assert opens(shop, held)


def test_one_way_tokens_stay_under_their_version_and_are_found(shop: Shop) -> None:
    old = primary(shop, Purpose.INDEX)
    one_way = shop.tokenize("phone", *PHONES, kind="one_way")
    assert turn(shop, "index").state == "done"
    assert shop.tokenize("phone", *PHONES, kind="one_way") == one_way
    assert shop.vault.find(shop.actor, "phone", PHONES[:2]).matches == [[token] for token in one_way[:2]]
    assert states(shop, "index") == ["deactivated", "active"]
    with pytest.raises(KeyInUse, match="40 one way tokens"):
        shop.vault.destroy_key(shop.actor, f"{old:016x}")
    shop.vault.delete(shop.actor, one_way)
    shop.vault.destroy_key(shop.actor, f"{old:016x}")


@pytest.mark.parametrize("kind", ["opaque", "shaped", "one_way"])
def test_writers_between_the_steps_meet_the_token_that_exists(shop: Shop, kind: str) -> None:
    """The worker is stopped after every single step, and callers come in between."""
    spec: dict[str, Any] = {"kind": kind, "deterministic": True, "lookalike": True}
    accounts = [str(10**17 + at) for at in range(30)]
    fixed = shop.tokenize("bank_account", *accounts, **spec)
    shop.vault.rotate_keyset(shop.actor, "index")
    for step in range(40):
        if stepped(shop) is None:
            break
        assert shop.tokenize("bank_account", *accounts, **spec) == fixed
        fresh = str(2 * 10**17 + step)
        assert shop.tokenize("bank_account", fresh, **spec) == shop.tokenize("bank_account", fresh, **spec)
    else:
        raise AssertionError("the job does not end")
    assert shop.tokenize("bank_account", *accounts, **spec) == fixed


def stepped(shop: Shop) -> Job | None:
    """Take one step of the next job, as a worker that is told to end after it."""
    calls = iter([False])
    return kinds.work(shop.resources, "test", lambda: next(calls, True), lambda _: None)


def test_a_worker_may_end_after_every_step(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from vault.rotate import indexing, sealing

    monkeypatch.setattr(sealing, "BATCH", 7)
    monkeypatch.setattr(indexing, "BATCH", 7)
    held = stocked(shop)
    for purpose in ("seal", "index"):
        job = shop.vault.rotate_keyset(shop.actor, purpose)
        steps = 0
        while stepped(shop) is not None:
            steps += 1
            assert opens(shop, held)
        done = shop.vault.job(shop.actor, job.id)
        assert (done.state, done.done) == ("done", done.total)
        assert steps > 20


def test_a_second_rotation_is_refused_while_one_runs(shop: Shop) -> None:
    shop.vault.rotate_keyset(shop.actor, "seal")
    with pytest.raises(JobRunning):
        shop.vault.rotate_keyset(shop.actor, "seal")
    with pytest.raises(JobRunning):
        shop.vault.compromise_key(shop.actor, f"{primary(shop, Purpose.SEAL):016x}")
    shop.vault.rotate_keyset(shop.actor, "index")
    shop.vault.rotate_keyset(shop.tests, "seal")
    work(shop)
    assert turn(shop, "seal").state == "done"


def test_a_worker_that_wakes_up_late_changes_nothing(shop: Shop) -> None:
    """It was paused with a batch in its hands; another took the job over meanwhile."""
    held = stocked(shop)
    shop.vault.rotate_keyset(shop.actor, "seal")
    for _ in range(4):
        stepped(shop)
    paused = jobs.take(shop.resources.database, "paused", lambda _: False)
    assert paused is not None
    shop.later(jobs.LEASE_SECONDS + 1)
    work(shop)
    before = dump(shop)
    kinds.carry_out(shop.resources, paused, lambda: False, lambda _: None)
    assert dump(shop) == before
    assert opens(shop, held)


def dump(shop: Shop) -> list[Any]:
    with shop.resources.database.read() as connection:
        return [
            sorted(map(repr, connection.exec_driver_sql(f"SELECT * FROM {table}").all()))
            for table in ("token", "subject", "index_entry", "key_version", "job", "audit_record")
        ]


def test_a_leaked_seal_version(shop: Shop) -> None:
    """keystone #1299: after an emergency rotation every older record was unreadable. Here all are read."""
    held, leaked = stocked(shop), primary(shop, Purpose.SEAL)
    before = person_keys(shop)
    job = shop.vault.compromise_key(shop.actor, f"{leaked:016x}")
    work(shop)
    done = shop.vault.job(shop.actor, job.id)
    assert (done.state, done.error, done.done) == ("done", None, 127)
    assert opens(shop, held)
    assert states(shop, "seal") == ["destroyed", "active"]
    assert not before & person_keys(shop)
    version = next(
        v for v in Keysets(shop.resources.database).load(shop.actor.tenant)[1][Purpose.SEAL].versions
    )
    assert (version.id, version.wrapped) == (leaked, b"")


def person_keys(shop: Shop) -> set[int]:
    with shop.resources.database.read() as connection:
        return set(connection.exec_driver_sql('SELECT "key" FROM subject').scalars())


def test_a_leaked_version_that_is_not_the_primary(shop: Shop) -> None:
    held, leaked = stocked(shop), primary(shop, Purpose.SEAL)
    turn(shop, "seal")
    shop.vault.compromise_key(shop.actor, f"{leaked:016x}")
    work(shop)
    assert states(shop, "seal") == ["destroyed", "deactivated", "active"]
    assert opens(shop, held)


def test_a_leaked_index_version_with_one_way_tokens_says_that_it_stays(shop: Shop) -> None:
    shop.tokenize("phone", *PHONES, kind="one_way")
    job = shop.vault.compromise_key(shop.actor, f"{primary(shop, Purpose.INDEX):016x}")
    work(shop)
    done = shop.vault.job(shop.actor, job.id)
    assert (done.state, done.error) == ("failed", "key_in_use")
    assert done.notes["needed_by"] == {"one_way_tokens": 40, "index_entries": 40}
    assert states(shop, "index") == ["compromised", "active"]


def test_a_value_that_does_not_open_is_told_and_holds_nothing_up(shop: Shop) -> None:
    stocked(shop)
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE token SET sealed = substr(sealed, 1, 30) WHERE token = "
            "(SELECT min(token) FROM token WHERE subject IS NULL AND deterministic)"
        )
    job = turn(shop, "seal")
    assert (job.state, job.error, job.skipped, job.done) == ("failed", "unreadable_value", 1, job.total - 1)
    job = turn(shop, "index")
    assert (job.state, job.error, job.skipped) == ("failed", "unreadable_value", 1)
    assert states(shop, "seal") == ["deactivated", "active"]


def test_a_version_is_destroyed_after_its_wait(shop: Shop) -> None:
    held, old = stocked(shop), f"{primary(shop, Purpose.SEAL):016x}"
    with pytest.raises(KeyInUse):
        shop.vault.destroy_key(shop.actor, old)
    turn(shop, "seal")
    with pytest.raises(Exception, match="86,400"):
        shop.vault.destroy_key(shop.actor, old, 86_399)
    info = shop.vault.destroy_key(shop.actor, old)
    assert info.destroy_at == pytest.approx(shop.resources.database.clock() + 2_592_000, abs=60)
    shop.vault.cancel_destruction(shop.actor, old)
    shop.later(2_592_001)
    assert shop.maintain()["destroyed_keys"] == 0
    shop.vault.destroy_key(shop.actor, old, 86_400)
    shop.later(86_000)
    assert shop.maintain()["destroyed_keys"] == 0
    shop.later(401)
    assert shop.maintain()["destroyed_keys"] == 1
    assert states(shop, "seal") == ["destroyed", "active"]
    assert opens(shop, held)


def test_a_version_that_is_needed_again_is_not_destroyed(shop: Shop) -> None:
    held, old = stocked(shop), primary(shop, Purpose.SEAL)
    turn(shop, "seal")
    shop.vault.destroy_key(shop.actor, f"{old:016x}", 86_400)
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE token SET seal_key = {old} WHERE token = (SELECT min(token) FROM token WHERE subject IS NULL)"
        )
    shop.later(86_401)
    assert shop.maintain()["destroyed_keys"] == 0
    assert states(shop, "seal") == ["deactivated", "active"]
    assert opens(shop, held)


def test_a_version_is_taken_out_of_use_and_back(shop: Shop) -> None:
    old = f"{primary(shop, Purpose.SEAL):016x}"
    stocked(shop)
    with pytest.raises(KeyInUse):
        shop.vault.disable_key(shop.actor, old)
    turn(shop, "seal")
    assert shop.vault.disable_key(shop.actor, old).state == "suspended"
    assert shop.vault.enable_key(shop.actor, old).state == "deactivated"
    with pytest.raises(KeyStateError):
        shop.vault.cancel_destruction(shop.actor, old)


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda shop: shop.vault.rotate_keyset(shop.actor, "route"), KeysetDoesNotTurn),
        (lambda shop: shop.vault.rotate_keyset(shop.actor, "canary"), UnknownKeyset),
        (lambda shop: shop.vault.keyset(shop.actor, "canary"), UnknownKeyset),
        (lambda shop: shop.vault.compromise_key(shop.actor, "canary"), UnknownKeyVersion),
        (lambda shop: shop.vault.destroy_key(shop.actor, "00"), UnknownKeyVersion),
        (
            lambda shop: shop.vault.disable_key(shop.tests, f"{primary(shop, Purpose.SEAL):016x}"),
            UnknownKeyVersion,
        ),
        (lambda shop: shop.vault.job(shop.actor, "job_canary"), UnknownJob),
        (
            lambda shop: shop.vault.job(shop.tests, shop.vault.rotate_keyset(shop.actor, "seal").id),
            UnknownJob,
        ),
    ],
)
def test_what_there_is_not_is_refused(
    shop: Shop, ask: Callable[[Shop], object], error: type[Exception]
) -> None:
    with pytest.raises(error) as refused:
        ask(shop)
    assert "canary" not in str(refused.value)


def test_the_test_data_of_a_business_keep_their_keys(shop: Shop) -> None:
    (made,) = shop.vault.tokenize(shop.tests, [Column("phone", PHONES)])
    before = shop.vault.keysets(shop.tests)
    turn(shop, "seal")
    assert shop.vault.keysets(shop.tests) == before
    assert shop.vault.reveal(shop.tests, made.tokens, "service", "plain").values == PHONES


def test_who_turned_which_key_is_in_the_audit(shop: Shop) -> None:
    from vault.audit.leaf import decode

    turn(shop, "index")
    with shop.resources.database.read() as connection:
        leaves = connection.exec_driver_sql("SELECT leaf FROM audit_record").scalars()
        operations = [record.operation for record in sorted(map(decode, leaves), key=lambda one: one.at)]
    assert operations[-4:] == ["start_rotate_keyset", "activate_key", "suspend_key", "rotate_keyset"]


def test_versions_tell_when_they_should_turn(shop: Shop) -> None:
    shop.resources.keyring.cryptoperiod = 1_000_000
    assert [v.condition for v in shop.vault.keyset(shop.actor, "seal").versions] == ["ok"]
    shop.later(900_001)
    assert [v.condition for v in shop.vault.keyset(shop.actor, "seal").versions] == ["due"]
    shop.later(100_000)
    assert [v.condition for v in shop.vault.keyset(shop.actor, "seal").versions] == ["over"]
    turn(shop, "seal")
    assert [v.condition for v in shop.vault.keyset(shop.actor, "seal").versions] == ["ok", "ok"]


def test_suspended_versions_do_not_open(shop: Shop) -> None:
    turn(shop, "index")
    assert State.SUSPENDED.value in states(shop, "index")
    keys = shop.resources.keyring.reload(shop.actor.tenant)
    assert len(keys.openers(Purpose.INDEX)) == 1


def test_persons_who_come_while_a_leaked_version_still_seals_get_new_keys_too(shop: Shop) -> None:
    leaked = primary(shop, Purpose.SEAL)
    shop.vault.compromise_key(shop.actor, f"{leaked:016x}")
    shop.later(5)
    held = dict(zip(shop.tokenize("phone", *PHONES, subjects=["late"] * 40), PHONES, strict=True))
    before = person_keys(shop)
    work(shop)
    assert states(shop, "seal") == ["destroyed", "active"]
    assert not before & person_keys(shop)
    assert opens(shop, held)


def test_a_process_whose_keys_are_behind_catches_up_by_itself(shop: Shop) -> None:
    """One that was not heard of for long is not waited for: it reads, and writes for a person, under a key it lacks."""
    held = stocked(shop)
    behind = fresh_process(shop)
    assert opens(behind, held)
    turn(shop, "seal")
    assert opens(behind, held)
    behind = fresh_process(shop)
    behind.plain(*held)
    turn(shop, "seal")
    named: list[str | None] = ["customer-1"] * 3
    assert len(behind.tokenize("phone", *PHONES[:3], subjects=named)) == 3


def fresh_process(shop: Shop) -> Shop:
    """Return the shop as another process has it, with keys of its own."""
    keyring = shop.resources.keyring
    other = Keyring(
        Keysets(shop.resources.database), keyring.roots, next(iter(keyring.roots)), time.monotonic
    )
    resources = replace(shop.resources, keyring=other)
    return replace(shop, vault=Vault(resources), resources=resources)
