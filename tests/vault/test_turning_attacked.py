"""Keys that turn, attacked: damaged person keys, processes that are behind, plans that cross, roots that turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from random import Random
from threading import Event, Thread
from typing import Any

import pytest

from keys.keyring import Keyring
from keys.keyset import Purpose
from tests.turning import Turning
from tests.vault.conftest import Shop
from tests.vault.test_rotation import (
    PHONES,
    fresh_process,
    opens,
    primary,
    states,
    stepped,
    stocked,
    turn,
    work,
)
from vault import custody, finding, presence, tokenizing
from vault import resources as parts
from vault.columns import Column, Spec
from vault.errors import JobRunning, KeyInUse, LeaseLost, StaleKeyset, UnknownJob, UnreadableValue
from vault.rotate import kinds, renewing, sealing, turning
from vault.rotate.run import Run
from vault.store import jobs, subjects
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.writer import Writer

NAMED: list[str | None] = [f"customer-{at}" for at in range(40)]


def damage_a_person(shop: Shop) -> None:
    """Cut one wrapped person key short."""
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE subject SET wrapped = substr(wrapped, 1, 40) WHERE digest = (SELECT min(digest) FROM subject)"
        )


# Damage to one person's key


@pytest.mark.parametrize("purpose", ["seal", "index"])
def test_a_damaged_person_key_holds_no_rotation_up(shop: Shop, purpose: str) -> None:
    stocked(shop)
    damage_a_person(shop)
    job = turn(shop, purpose)
    assert (job.state, job.error) == ("failed", "unreadable_value")
    assert job.skipped in {"seal": {1}, "index": {5, 6}}[purpose]  # 40 values of 7 persons
    assert job.done + job.skipped == job.total
    assert states(shop, purpose) == ["deactivated", "active"]


def test_a_damaged_person_key_holds_no_emergency_up(shop: Shop) -> None:
    stocked(shop)
    leaked = primary(shop, Purpose.SEAL)
    damage_a_person(shop)
    job = shop.vault.compromise_key(shop.actor, f"{leaked:016x}")
    work(shop)
    done = shop.vault.job(shop.actor, job.id)
    assert (done.state, done.error, done.skipped, done.done) == ("failed", "unreadable_value", 1, 126)
    assert states(shop, "seal") == ["compromised", "active"]


def test_a_damaged_person_key_is_a_value_that_does_not_open(shop: Shop) -> None:
    tokens = shop.tokenize("phone", *PHONES, subjects=NAMED)
    damage_a_person(shop)
    with pytest.raises(UnreadableValue):
        shop.plain(*tokens)


# A process whose keys are behind


def test_a_process_whose_keys_are_behind_finds_what_moved(shop: Shop) -> None:
    """An answer that there is no such token must not rest on keys that are over."""
    held = stocked(shop)
    behind = fresh_process(shop)
    behind.plain(*held)
    turn(shop, "index")
    found = behind.vault.find(behind.actor, "phone", PHONES[:3]).matches
    assert [len(tokens or []) for tokens in found] == [3, 3, 3]


def test_a_turn_in_the_middle_of_a_search_hides_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    stocked(shop)
    searched, turns = finding.find, iter(["index"])

    def search(*args: Any) -> Any:
        for purpose in turns:
            turn(fresh_process(shop), purpose)
        return searched(*args)

    monkeypatch.setattr(finding, "find", search)
    found = shop.vault.find(shop.actor, "phone", PHONES[:3]).matches
    assert [len(tokens or []) for tokens in found] == [3, 3, 3]


# Persons who get new keys while they are read and written


def emergency(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring an emergency to where persons get new keys, one in each step."""
    monkeypatch.setattr(renewing, "BATCH", 1)
    shop.vault.compromise_key(shop.actor, f"{primary(shop, Purpose.SEAL):016x}")
    for _ in range(3):
        stepped(shop)


def test_a_column_of_many_persons_is_read_while_they_get_new_keys(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every time the rows were read, some persons have new keys before those are."""
    held = dict(zip(shop.tokenize("phone", *PHONES, subjects=NAMED), PHONES, strict=True))
    reader = fresh_process(shop)
    reader.plain(*held)
    emergency(shop, monkeypatch)
    known = subjects.known

    def later(*args: Any) -> Any:
        stepped(shop)
        return known(*args)

    monkeypatch.setattr(parts.subjects, "known", later)
    assert opens(reader, held)


def test_a_column_of_many_persons_is_written_while_they_get_new_keys(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.tokenize("phone", *PHONES, subjects=NAMED)
    writer = fresh_process(shop)
    emergency(shop, monkeypatch)
    sealed = tokenizing.seal

    def later(*args: Any) -> None:
        sealed(*args)
        stepped(shop)

    monkeypatch.setattr(tokenizing, "seal", later)
    tokens = writer.tokenize("phone", *PHONES, subjects=NAMED)
    monkeypatch.undo()
    work(shop)
    assert shop.plain(*tokens) == PHONES


def test_what_was_skipped_is_counted_in_the_commit_that_skipped_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told in a commit of its own, it is forgotten by a crash between the two, and the job ends as if all were done."""
    shop.tokenize("phone", *PHONES, subjects=NAMED)
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE token SET sealed = substr(sealed, 1, 30) WHERE token = (SELECT min(token) FROM token)"
        )
    job = shop.vault.compromise_key(shop.actor, f"{primary(shop, Purpose.SEAL):016x}")
    for _ in range(3):
        stepped(shop)

    def crash(*_args: Any, **_progress: Any) -> None:
        raise LeaseLost("crashed")

    with monkeypatch.context() as patched:
        patched.setattr(Run, "note", crash)
        stepped(shop)
    shop.later(31)
    work(shop)
    done = shop.vault.job(shop.actor, job.id)
    assert (done.state, done.error, done.skipped, done.done) == ("failed", "unreadable_value", 1, 39)


# Plans that cross


def test_a_leaked_version_that_was_destroyed_before_its_job_began(shop: Shop) -> None:
    held, leaked = stocked(shop), f"{primary(shop, Purpose.SEAL):016x}"
    turn(shop, "seal")
    shop.vault.destroy_key(shop.actor, leaked, 86_400)
    shop.later(86_401)
    job = shop.vault.compromise_key(shop.actor, leaked)
    assert shop.maintain()["destroyed_keys"] == 1
    work(shop)
    assert shop.vault.job(shop.actor, job.id).state == "done"
    assert states(shop, "seal") == ["destroyed", "deactivated", "active"]
    assert opens(shop, held)


def test_what_was_called_off_at_the_last_moment_is_not_destroyed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker had found that it was due, and the custodian was told that it was called off."""
    stocked(shop)
    old = f"{primary(shop, Purpose.SEAL):016x}"
    turn(shop, "seal")
    shop.vault.destroy_key(shop.actor, old, 86_400)
    shop.later(86_401)
    destroy = custody._destroy

    def late(*args: Any) -> int:
        shop.vault.cancel_destruction(shop.actor, old)
        return destroy(*args)

    monkeypatch.setattr(custody, "_destroy", late)
    assert shop.maintain()["destroyed_keys"] == 0
    assert states(shop, "seal") == ["deactivated", "active"]


def test_a_version_on_its_way_into_use_is_not_destroyed(shop: Shop) -> None:
    held = stocked(shop)
    shop.vault.rotate_keyset(shop.actor, "seal")
    stepped(shop)
    stepped(shop)
    assert states(shop, "seal") == ["active", "pre-active"]
    new = shop.vault.keyset(shop.actor, "seal").versions[-1].id
    with pytest.raises(KeyInUse, match="1 jobs"):
        shop.vault.destroy_key(shop.actor, new, 86_400)
    work(shop)
    assert states(shop, "seal") == ["deactivated", "active"]
    assert opens(shop, held)


def test_what_comes_into_use_is_not_planned_to_go(shop: Shop) -> None:
    """Else it would be destroyed without a wait, on the day after it turned."""
    _, keysets = Keysets(shop.resources.database).load(shop.actor.tenant)
    keyset = keysets[Purpose.SEAL]
    new = shop.resources.keyring.add(keyset, time.time())
    planned = keyset.with_version(replace(new, destroy_at=time.time() + 86_400))
    assert planned.activated(new.id, time.time()).primary.destroy_at is None


def test_a_version_that_was_wrapped_before_its_root_turned_is_not_stored_after(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root's older versions open nothing any more then: with it, none of the tenant's keys would open."""
    held, root = stocked(shop), Turning()
    roots = shop.resources.keyring.roots
    assert isinstance(roots, dict)
    roots[root.name] = root
    shop.vault.move_root(shop.actor, root.name)
    work(shop)
    other, added, turns = fresh_process(shop), Keyring.add, iter([root.name])
    shop.vault.rotate_keyset(shop.actor, "seal")

    def slow(*args: Any) -> Any:
        made = added(*args)
        for name in turns:
            other.vault.rotate_root(other.actor, name)
            work(other)
        return made

    monkeypatch.setattr(Keyring, "add", slow)
    stepped(shop)
    assert (root.latest(), root.oldest) == (2, 2)
    shop.later(5)
    work(shop)
    assert opens(fresh_process(shop), held)
    assert states(shop, "seal") == ["deactivated", "active"]


# One worker, many jobs


def test_a_job_that_waits_for_a_process_holds_no_other_up(shop: Shop) -> None:
    waiting = shop.vault.rotate_keyset(shop.actor, "seal")
    with shop.resources.database.engine.begin() as connection:
        now = shop.resources.database.now()
        connection.exec_driver_sql(f"INSERT INTO process VALUES ('slow', 'serve', {now}, {now})")
        connection.exec_driver_sql(f"INSERT INTO process_keys VALUES ('slow', {shop.actor.tenant}, 1)")
    other = shop.vault.rotate_keyset(shop.tests, "seal")
    told = patience(200)
    while shop.vault.job(shop.tests, other.id).state != "done":
        assert kinds.work(shop.resources, "test", told, lambda _: None) is not None
    assert shop.vault.job(shop.actor, waiting.id).phase == turning.spread.__name__
    shop.later(21)
    work(shop)
    assert shop.vault.job(shop.actor, waiting.id).state == "done"


def test_a_long_job_lets_others_take_their_turn(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 1)
    monkeypatch.setattr(kinds, "SLICE_SECONDS", 0.0)
    stocked(shop)
    long = shop.vault.rotate_keyset(shop.actor, "seal")
    leaked = shop.resources.keyring.keys(shop.tests.tenant).primary(Purpose.SEAL).id
    emergency = shop.vault.compromise_key(shop.tests, f"{leaked:016x}")
    while shop.vault.job(shop.tests, emergency.id).state != "done":
        assert kinds.work(shop.resources, "test", lambda: False, lambda _: None) is not None
    assert shop.vault.job(shop.actor, long.id).state != "done"
    work(shop, 500)
    assert shop.vault.job(shop.actor, long.id).state == "done"


def patience(calls: int) -> Callable[[], bool]:
    """Return a `told` that ends a test which would never end."""
    left = iter(range(calls))

    def told() -> bool:
        if next(left, None) is None:
            raise AssertionError("it never ends")
        return False

    return told


# Background work


def test_a_tenant_whose_root_is_away_holds_up_nobody_elses_expiry(shop: Shop) -> None:
    roots = shop.resources.keyring.roots
    assert isinstance(roots, dict)
    away = Turning()
    shop.tokenize("phone", *PHONES, ttl=1)
    shop.vault.tokenize(shop.tests, [Column("phone", PHONES, Spec(ttl=1))])
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE key_version SET root = '{away.name}' WHERE tenant = {shop.actor.tenant}"
        )
    away.away = True
    roots[away.name] = away
    worker = fresh_process(shop)
    worker.later(2)
    assert worker.maintain()["expired_tokens"] == 40
    assert worker.count("token") == 40


def test_no_root_is_asked_while_others_wait_to_write(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite a root that is slow would hold up every writer."""
    shop.tokenize("phone", *PHONES, ttl=1)
    worker = fresh_process(shop)
    worker.later(2)
    worker.vault.rotate_keyset(shop.actor, "seal")
    writing, asked = [0], list[bool]()
    attempt, load = Writer._attempt, Keyring._load

    def attempted(*args: Any) -> None:
        writing[0] += 1
        try:
            attempt(*args)
        finally:
            writing[0] -= 1

    def loaded(*args: Any) -> Any:
        asked.append(bool(writing[0]))
        return load(*args)

    monkeypatch.setattr(Writer, "_attempt", attempted)
    monkeypatch.setattr(Keyring, "_load", loaded)
    worker.maintain()
    while stepped(worker) is not None:
        worker.resources.keyring.forget()
    assert asked
    assert not any(asked)


def test_a_process_goes_on_to_say_that_it_lives_whatever_happens(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "LOOK", 0.01)
    looked, told = Event(), list[Exception]()

    def look(_self: object) -> None:
        if not told:
            raise RuntimeError("nobody expected this")
        looked.set()

    monkeypatch.setattr(presence.Presence, "look", look)
    living = presence.Presence(shop.resources, "serve", "here", told.append)
    living.start()
    assert looked.wait(10)
    living.stop()
    assert [str(error) for error in told] == ["nobody expected this"]


# Many writers at once


def test_a_keyset_turns_though_somebody_always_writes(shop: Shop) -> None:
    """Those who share a row's lock on PostgreSQL let others in, and who wants to change the row waits for ever."""
    database = shop.resources.database
    url = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    ended = Event()

    def writes(number: int) -> None:
        draw, mine = Random(number), Database(url, time.time, time.monotonic)
        while not ended.is_set():
            generation = Keysets(mine).load(shop.actor.tenant)[0]
            with suppress(StaleKeyset):
                mine.write(
                    lambda _: time.sleep(draw.uniform(0.005, 0.02)), guard=(shop.actor.tenant, generation)
                )
        mine.close()

    threads = [Thread(target=writes, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        began, store = time.monotonic(), Keysets(database)
        for _ in range(3):
            generation, keysets = store.load(shop.actor.tenant)
            store.save(shop.actor.tenant, keysets[Purpose.SEAL], generation)
        assert time.monotonic() - began < 5
    finally:
        ended.set()
        for thread in threads:
            thread.join()


# A root that goes away half-way


def test_a_root_that_goes_away_half_way_stops_no_writer(shop: Shop) -> None:
    """The generation rises without the root, and all keys are in memory: until the lease ends nobody needs it."""
    held, root = stocked(shop), Turning()
    roots = shop.resources.keyring.roots
    assert isinstance(roots, dict)
    roots[root.name] = root
    shop.vault.move_root(shop.actor, root.name)
    work(shop)
    writer = fresh_process(shop)
    shop.vault.rotate_keyset(shop.actor, "seal")
    for _ in range(2):
        stepped(shop)
    assert states(shop, "seal") == ["active", "pre-active"]
    writer.plain(*held)
    left = writer.resources.keyring.lease_left()
    root.away = True
    while states(shop, "seal") != ["deactivated", "active"]:
        stepped(shop)
        shop.later(3)
    held |= dict(zip(writer.tokenize("phone", *PHONES), PHONES, strict=True))
    assert len(writer.vault.find(writer.actor, "phone", PHONES[:1]).matches[0] or []) == 4
    assert (writer.resources.keyring.lease_left() or 0) < (left or 0)
    root.away = False
    work(shop)
    assert opens(fresh_process(shop), held)


# Jobs that can never end


def test_a_move_to_a_root_that_is_gone_for_good_is_called_off(shop: Shop) -> None:
    """It would be in the way of every other job on the roots, that of bringing all back among them, for ever."""
    held, root = stocked(shop), Turning()
    shop.resources.keyring.keys(shop.tests.tenant)  # in memory, whichever tenant is moved first
    roots = shop.resources.keyring.roots
    assert isinstance(roots, dict)
    roots[root.name] = root
    stuck = shop.vault.move_root(shop.actor, root.name)
    stepped(shop)  # one tenant is moved
    del roots[root.name]
    other = fresh_process(shop)
    work(other)
    assert (shop.vault.job(shop.actor, stuck.id).state, shop.vault.job(shop.actor, stuck.id).error) == (
        "waiting", "unknown_root",
    )  # fmt: skip
    with pytest.raises(JobRunning):
        shop.vault.move_root(shop.actor, "memory")
    with pytest.raises(UnknownJob):
        shop.vault.cancel_job(shop.tests, stuck.id)
    over = shop.vault.cancel_job(shop.actor, stuck.id)
    assert (over.state, over.error, over.finished_at is None) == ("failed", "cancelled", False)
    assert shop.vault.cancel_job(shop.actor, stuck.id) == over
    roots[root.name] = root
    back = shop.vault.move_root(shop.actor, "memory")
    work(shop)
    assert shop.vault.job(shop.actor, back.id).state == "done"
    assert opens(fresh_process(shop), held)


def test_who_has_a_job_that_was_called_off_changes_nothing_more(shop: Shop) -> None:
    held = stocked(shop)
    job = shop.vault.rotate_keyset(shop.actor, "seal")
    stepped(shop)
    taken = jobs.take(shop.resources.database, "worker", lambda _: False)
    assert taken is not None
    shop.vault.cancel_job(shop.actor, job.id)
    kinds.carry_out(shop.resources, taken, lambda: False, lambda _: None)
    assert states(shop, "seal") == ["active", "pre-active"]
    left = shop.vault.keyset(shop.actor, "seal").versions[-1].id
    shop.vault.destroy_key(shop.actor, left, 86_400)
    assert turn(shop, "seal").state == "done"
    assert opens(shop, held)


def test_what_has_ended_stays_as_it_is(shop: Shop) -> None:
    finished = turn(shop, "audit")
    assert shop.vault.cancel_job(shop.actor, finished.id) == finished
