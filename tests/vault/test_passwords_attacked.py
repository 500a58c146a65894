"""Attacks on passwords that once worked: by what happens while one is hashed, and by what stands in the way."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from keys.errors import KeyExpired
from keys.keyring import Keyring
from keys.keyset import Purpose
from tests.databases import migrated_database
from tests.vault.conftest import Shop, limited, open_shop
from tests.vault.test_passwords import GOOD, HOME, OTHER, a_login, enrolled, results, right, with_settings
from tests.vault.test_rotation import turn
from tests.waiting import LONG, until
from vault import accounts, logins
from vault.accounts import MOST_VALUES
from vault.credentials import Import, Login, Origin
from vault.errors import (
    DeadlineExceeded,
    FieldNotGranted,
    HashingUnavailable,
    LoginLocked,
    PasswordTooShort,
    PersonalPassword,
    TooManyAttempts,
    UnknownLogin,
    WrongPassword,
)
from vault.passwords.limits import Limits
from vault.passwords.profiles import Profile
from vault.rotate import kinds
from vault.rotate.run import Run
from vault.service import Vault
from vault.store import jobs, passwords, subjects
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.tokens import Stored


@contextmanager
def another_process(shop: Shop) -> Iterator[Shop]:
    """Give the same shop as another process has it."""
    resources, url = shop.resources, shop.resources.database.engine.url
    database = Database(
        url.render_as_string(hide_password=False), resources.database.clock, resources.monotonic
    )
    roots = resources.keyring.roots
    keyring = Keyring(Keysets(database), roots, next(iter(roots)), resources.monotonic)
    resources = replace(resources, database=database, keyring=keyring)
    try:
        yield replace(shop, resources=resources, vault=Vault(resources))
    finally:
        database.close()


class Between:
    """A hasher that lets something happen before it verifies for the first time."""

    def __init__(self, hasher: Any, happens: Callable[[], object]) -> None:
        self._hasher, self._happens = hasher, [happens]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hasher, name)

    def verify(self, *columns: Any) -> list[bool]:
        while self._happens:
            self._happens.pop()()
        found: list[bool] = self._hasher.verify(*columns)
        return found


def interrupted(shop: Shop, happens: Callable[[], object], **settings: Any) -> Vault:
    """Return the shop's vault, in which something happens while the next password is being hashed."""
    hasher: Any = Between(shop.resources.hashing(), happens)
    passwords = replace(shop.resources.passwords, **settings)
    return Vault(replace(shop.resources, hasher=hasher, passwords=passwords))


def stored_anew(shop: Shop, login: Login) -> Callable[[], None]:
    """Return what deletes a login's password and gives it another."""

    def happens() -> None:
        shop.vault.delete_password(shop.actor, login)
        shop.vault.store_password(shop.actor, login, OTHER)

    return happens


def test_a_password_deleted_and_stored_anew_is_not_taken_for_the_one_before(shop: Shop) -> None:
    """Nor is the old one put in its place, hashed anew for today's profile."""
    login = enrolled(shop)
    stronger = Profile("stronger", 128, 2, 1)
    vault = interrupted(shop, stored_anew(shop, login), profile=stronger)
    assert not vault.verify_password(shop.actor, login, GOOD).verified
    assert (right(shop, login, OTHER), right(shop, login)) == (True, False)


def test_who_knows_a_deleted_password_does_not_change_the_one_stored_anew(shop: Shop) -> None:
    login = enrolled(shop)
    vault = interrupted(shop, stored_anew(shop, login))
    with pytest.raises(WrongPassword):
        vault.change_password(shop.actor, login, GOOD, "what somebody else wants")
    assert right(shop, login, OTHER)


def test_a_guess_that_comes_too_late_to_be_stored_forgives_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that is busy would otherwise let anybody guess for ever."""
    limits = Limits(free=3, longest=60, lock=5)
    login, passwords = enrolled(shop), replace(shop.resources.passwords, limits=limits)
    held = replace(shop, vault=Vault(replace(shop.resources, passwords=passwords)))
    writer, late = shop.resources.database._writer, replace(shop.actor, deadline=1e12)
    for _ in range(2):
        assert not right(held, login, OTHER, Origin())

    with monkeypatch.context() as clock:
        vault = interrupted(shop, lambda: clock.setattr(writer, "_monotonic", lambda: 2e12), limits=limits)
        with pytest.raises(DeadlineExceeded):
            vault.verify_password(late, login, OTHER)
    with pytest.raises(TooManyAttempts):
        right(held, login, OTHER, Origin())


def test_a_key_that_seals_nothing_more_locks_nobody_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that is behind stays so; what cannot be stored is no wrong password."""
    shop = with_settings(shop, limits=Limits(free=1, longest=600, lock=2))
    login = enrolled(shop)
    assert right(shop, login, GOOD, Origin())

    def refused(*asked: Any) -> None:
        raise KeyExpired("the seal key's cryptoperiod is over: rotate its keyset")

    stronger = with_settings(shop, profile=Profile("stronger", 128, 2, 1))
    with monkeypatch.context() as years_later:
        years_later.setattr(shop.resources.keyring, "spend", refused)
        for _ in range(3):
            assert right(stronger, login, GOOD, Origin())
            with pytest.raises(KeyExpired):
                shop.vault.change_password(shop.actor, login, GOOD, OTHER)
    assert stronger.vault.password_status(shop.actor).behind == 1
    assert right(stronger, login, GOOD, Origin())
    assert stronger.vault.password_status(shop.actor).behind == 0


def test_a_good_log_in_bars_no_source(shop: Shop) -> None:
    """An address that many share would otherwise let one of them in an hour, once guesses have come from it."""
    shop = with_settings(shop, limits=Limits(source_free=2, source_longest=600))
    login, shared = enrolled(shop), Origin(ip="192.0.2.1")
    for at in range(10):
        assert not right(shop, Login(name=f"nobody.{at}"), OTHER, shared)
        shop.later(600)
    for _ in range(3):
        assert right(shop, login, GOOD, shared)
    assert not right(shop, login, OTHER, shared)
    with pytest.raises(TooManyAttempts) as held:
        right(shop, login, GOOD, shared)
    assert held.value.retry_after == 512  # the wrong ones are not forgotten


def test_what_could_not_be_hashed_makes_nobody_wait_again(shop: Shop) -> None:
    shop = with_settings(shop, limits=Limits(free=1, longest=600, lock=20))
    login = enrolled(shop)
    for _ in range(6):
        assert not right(shop, login, OTHER, Origin())
        shop.later(600)
    nowhere = Vault(replace(shop.resources, hasher=None))
    for _ in range(2):
        with pytest.raises(HashingUnavailable):
            nowhere.verify_password(shop.actor, login, GOOD)
    assert right(shop, login, GOOD, Origin())


def test_a_clock_that_ran_ahead_keeps_nobody_out(shop: Shop) -> None:
    shop = with_settings(shop, limits=Limits(free=1, longest=600, source_free=1, source_longest=600))
    login, here = enrolled(shop), Origin(ip="192.0.2.1")
    shop.later(365 * 86_400)
    assert not right(shop, login, OTHER, here)
    shop.later(-365 * 86_400)
    assert right(shop, login, GOOD, here)
    assert not right(shop, login, OTHER, here)
    with pytest.raises(TooManyAttempts):
        right(shop, login, GOOD, here)


def test_a_person_who_logs_in_a_lot_may_not_have_what_is_known_of_them_either(shop: Shop) -> None:
    """Nor one with a lot on record: it would crowd out what a password must not hold."""
    shop.tokenize("phone", "+8613800138000", subjects=["customer-1"])
    login = enrolled(shop)
    for _ in range(MOST_VALUES):
        assert right(shop, login)
    with pytest.raises(PersonalPassword):
        shop.vault.reset_password(shop.actor, login, "call me 13800138000 now")


def test_a_process_that_is_behind_looks_at_all_values_of_the_person(shop: Shop) -> None:
    login = enrolled(shop)
    with another_process(shop) as other:
        assert right(other, login)
        turn(shop, "seal")
        shop.tokenize("phone", "+8613800138000", subjects=["customer-1"])
        with pytest.raises(PersonalPassword):
            other.vault.reset_password(shop.actor, login, "call me 13800138000 now")


def test_guesses_hide_no_new_device(shop: Shop) -> None:
    """Whoever guesses tries often before, and none of that is what the person did."""
    shop = with_settings(shop, limits=Limits(free=98, lock=100))
    login = enrolled(shop)
    assert right(shop, login)
    for _ in range(60):
        assert not right(shop, login, OTHER, Origin(device="another"))
    far = Origin(device="another", latitude=-33.9, longitude=151.2)
    found = shop.vault.verify_password(shop.actor, login, GOOD, far)
    assert (found.new_device, found.impossible_travel) == (True, True)


def test_a_damaged_record_keeps_nobody_out(shop: Shop) -> None:
    login = enrolled(shop)
    assert right(shop, login)
    with shop.resources.database.engine.begin() as connection:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        damaged = f"UPDATE token SET sealed = {mark} WHERE field = 'login_record'"
        connection.exec_driver_sql(damaged, (b"\x02" + bytes(60),))
    assert right(shop, login)
    found = shop.vault.verify_password(shop.actor, login, GOOD, Origin(device="another"))
    assert found.new_device


def test_a_person_whose_key_is_renewed_meanwhile_logs_in(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    login = enrolled(shop)
    assert right(shop, login)
    (old,) = shop.resources.keyring.keys(shop.actor.tenant).openers(Purpose.SEAL)
    shop.vault.compromise_key(shop.actor, f"{old.id:016x}")
    phase, read = _up_to(shop, "renew"), logins._newest

    def renewed(*asked: Any) -> list[Stored]:
        found = read(*asked)
        while phase:
            with ThreadPoolExecutor(1) as another:
                another.submit(phase.pop()).result()
        return found

    monkeypatch.setattr(logins, "_newest", renewed)
    assert right(shop, login)
    assert not phase


def _up_to(shop: Shop, phase: str) -> list[Callable[[], None]]:
    """Carry a job out up to a phase; return what does one step of it."""

    def there() -> bool:
        (job,) = shop.vault.jobs(shop.actor)
        return job.phase == phase

    job = jobs.take(shop.resources.database, "test", lambda _: False)
    assert job is not None
    kinds.carry_out(shop.resources, job, there, lambda _: None)
    run = Run(shop.resources, jobs.take(shop.resources.database, "test", lambda _: False), lambda _: None)
    return [lambda: kinds._step(run)]


def test_a_key_of_other_fields_learns_no_login_names(shop: Shop) -> None:
    enrolled(shop)
    for name in ("li.lei_1985", "nobody.here"):
        with pytest.raises(FieldNotGranted):
            right(replace(shop, actor=limited(shop.actor, "phone")), Login(name=name))


def test_a_reset_that_is_refused_enters_no_person(shop: Shop) -> None:
    with pytest.raises(UnknownLogin):
        shop.vault.reset_password(shop.actor, Login(subject="customer-9"), GOOD)
    assert shop.count("subject") == 0


def imported(shop: Shop, login: Login) -> object:
    """Import hashes of the login and of its person."""
    both, digest = [login, Login(subject="customer-1")], hashlib.sha1(b"x").hexdigest()
    return shop.vault.import_passwords(shop.actor, Import(both, [digest] * 2, layout="sha1(password)"))


ASKED: dict[str, Callable[[Shop, Login], object]] = {
    "verify": right, "reset": lambda shop, login: shop.vault.reset_password(shop.actor, login, OTHER),
    "import": imported,
}  # fmt: skip


@pytest.fixture
def postgresql_shop(postgres: str, tmp_path: Path) -> Iterator[Shop]:
    with migrated_database("postgresql", tmp_path, postgres) as url:
        opened = open_shop(url)
        yield opened
        opened.vault.close()


@pytest.mark.parametrize("operation", ASKED)
def test_an_erasure_and_a_password_wait_for_each_other_in_one_order(
    postgresql_shop: Shop, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the database would end one of them, a second later. SQLite has one transaction at a time."""
    shop, database = postgresql_shop, postgresql_shop.resources.database
    login = enrolled(shop)
    holding, erasing, failures = threading.Event(), threading.Event(), list[BaseException]()

    def blocked() -> bool:
        with database.read() as connection:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            return bool(connection.exec_driver_sql(waiting).scalar_one())

    def held(hold: Callable[..., Any]) -> Callable[..., Any]:
        def slow(*asked: Any) -> Any:
            found = hold(*asked)
            if not holding.is_set():
                holding.set()
                until(lambda: erasing.is_set() or blocked())
            return found

        return slow

    def noted(lock: Callable[..., Any]) -> Callable[..., Any]:
        def then(*asked: Any) -> Any:
            found = lock(*asked)
            erasing.set()
            return found

        return then

    worth_retrying = database.dialect.worth_retrying
    monkeypatch.setattr(passwords, "hold", held(passwords.hold))
    monkeypatch.setattr(accounts, "held", held(accounts.held))
    monkeypatch.setattr(subjects, "lock", noted(subjects.lock))
    monkeypatch.setattr(
        database.dialect, "worth_retrying", lambda error: (failures.append(error), worth_retrying(error))[1]
    )
    with ThreadPoolExecutor(2) as threads:
        asked = threads.submit(ASKED[operation], shop, login)
        assert holding.wait(LONG)
        threads.submit(shop.vault.erase, shop.actor, "customer-1").result()
        asked.exception()
    assert [error for error in failures if isinstance(error, DBAPIError)] == []
    assert shop.count("password") == 0


def test_trying_subjects_enters_no_persons(shop: Shop) -> None:
    for at in range(3):
        assert not right(shop, Login(subject=f"nobody-{at}"))
    assert (shop.count("subject"), shop.count("token")) == (0, 3)


def test_an_erased_person_does_not_come_back_by_being_tried(shop: Shop) -> None:
    enrolled(shop)
    shop.vault.store_password(shop.actor, Login(subject="customer-1"), GOOD)
    shop.vault.erase(shop.actor, "customer-1")
    assert not right(shop, Login(subject="customer-1"))
    assert shop.count("subject") == 0


@pytest.mark.parametrize("password", [True, False])
def test_a_log_in_under_way_brings_no_erased_person_back(shop: Shop, password: bool) -> None:
    login = enrolled(shop) if password else a_login(shop)
    vault = interrupted(shop, lambda: shop.vault.erase(shop.actor, "customer-1"))
    assert not vault.verify_password(shop.actor, login, GOOD, HOME).verified
    assert shop.count("subject") == 0


@pytest.mark.parametrize("password", [True, False])
def test_a_log_in_under_way_leaves_nothing_of_a_deleted_login_of_nobody(shop: Shop, password: bool) -> None:
    login = enrolled(shop, subject=None) if password else a_login(shop, subject=None)
    vault = interrupted(shop, lambda: shop.vault.delete(shop.actor, [login.token]))
    assert not vault.verify_password(shop.actor, login, GOOD, HOME).verified
    assert shop.count("subject") == 0


@pytest.mark.parametrize(
    "costly",
    [
        "$argon2id$v=19$m=524288,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43,
        "$scrypt$ln=19,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + "A" * 43,
    ],
)
def test_a_hash_that_can_never_be_verified_here_is_not_taken(shop: Shop, costly: str) -> None:
    done = shop.vault.import_passwords(shop.actor, Import([a_login(shop)], [costly]))
    assert {at: error.code for at, error in done.errors.items()} == {0: "hash_too_costly"}
    assert shop.count("password") == 0


def test_who_learns_that_a_password_is_right_is_in_the_audit(shop: Shop) -> None:
    """A new password that may not be had tells it, too."""
    login = enrolled(shop)
    with pytest.raises(WrongPassword):
        shop.vault.change_password(shop.actor, login, OTHER, "short")
    with pytest.raises(PasswordTooShort):
        shop.vault.change_password(shop.actor, login, GOOD, "short")
    assert results(shop)[-2:] == [
        ("change_password", "wrong_password"), ("change_password", "password_too_short"),
    ]  # fmt: skip


def test_an_import_that_goes_on_wraps_nothing_twice(shop: Shop) -> None:
    digest, hashed = hashlib.sha1(b"x").hexdigest(), list[int]()
    old, new = a_login(shop), a_login(shop, "hanmeimei", "customer-2")
    shop.vault.import_passwords(shop.actor, Import([old], [digest], layout="sha1(password)", wrap=True))

    class Counting(Between):
        def hash(self, column: Sequence[bytes], *rest: Any, **named: Any) -> list[str]:
            hashed.append(len(column))
            found: list[str] = self._hasher.hash(column, *rest, **named)
            return found

    hasher: Any = Counting(shop.resources.hashing(), lambda: None)
    both = Import([old, new], [digest] * 2, layout="sha1(password)", wrap=True)
    done = Vault(replace(shop.resources, hasher=hasher)).import_passwords(shop.actor, both)
    assert (done.imported, done.errors[0].code, hashed) == (1, "password_exists", [1])


def test_a_first_password_lets_a_locked_login_through(shop: Shop) -> None:
    """Of a person erased and entered again nobody remembers what was wrong before."""
    shop = with_settings(shop, limits=Limits(free=1, longest=1, lock=2))
    login = Login(subject="customer-1")
    for remove in (shop.vault.delete_password, lambda actor, _: shop.vault.erase(actor, "customer-1")):
        shop.vault.store_password(shop.actor, login, GOOD)
        for _ in range(2):
            assert not right(shop, login, OTHER, Origin())
            shop.later(2)
        with pytest.raises(LoginLocked):
            right(shop, login, GOOD, Origin())
        remove(shop.actor, login)
    shop.vault.store_password(shop.actor, login, GOOD)
    assert right(shop, login, GOOD, Origin())
