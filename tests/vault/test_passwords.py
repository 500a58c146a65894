"""Passwords: stored, verified, changed, reset, imported, turned; guessing held back; log-ins on record."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from keys.keyset import Purpose
from tests.vault.conftest import CHEAP, Shop, limited
from tests.vault.test_rotation import states, work
from tests.waiting import until
from vault import verifiers
from vault.audit.leaf import decode
from vault.columns import Column, Spec
from vault.credentials import MAX_WRAPPED, Import, Login, Origin
from vault.errors import (
    DeadlineExceeded,
    FieldNotGranted,
    HashingUnavailable,
    InvalidPassword,
    InvalidRequest,
    KeyInUse,
    LoginLocked,
    MalformedToken,
    PasswordExists,
    PasswordUnchanged,
    PersonalPassword,
    TooManyAttempts,
    UnknownLogin,
    UnreadableValue,
    VaultError,
    WrongMode,
    WrongPassword,
)
from vault.passwords.limits import Limits
from vault.passwords.profiles import Profile
from vault.resources import Passwords
from vault.service import Vault
from vault.store import stale
from vault.store.keysets import Keysets

GOOD = "correct horse, battery, staple"
OTHER = "a wholly different sentence"
HOME = Origin(ip="192.0.2.7", device="phone-1", agent="app 1.0", latitude=31.23, longitude=121.47)


def a_login(shop: Shop, name: str = "li.lei_1985", subject: str | None = "customer-1") -> Login:
    """Tokenize a login name; return the login."""
    (token,) = shop.tokenize("login_name", name, subjects=[subject], deterministic=True)
    return Login(token=token)


def enrolled(shop: Shop, **named: Any) -> Login:
    """Return a login that has the good password."""
    login = a_login(shop, **named)
    shop.vault.store_password(shop.actor, login, GOOD)
    return login


def right(shop: Shop, login: Login, password: str = GOOD, origin: Origin = HOME) -> bool:
    return shop.vault.verify_password(shop.actor, login, password, origin).verified


def kinds(shop: Shop) -> dict[str, int]:
    return shop.vault.password_status(shop.actor).kinds


def with_settings(shop: Shop, **changed: Any) -> Shop:
    """Return the same shop under other settings of passwords."""
    resources = replace(shop.resources, passwords=replace(shop.resources.passwords, **changed))
    return replace(shop, resources=resources, vault=Vault(resources))


def results(shop: Shop) -> list[tuple[str, str]]:
    """Return operation and result of every audit record, the oldest first."""
    with shop.resources.database.read() as connection:
        leaves = connection.exec_driver_sql("SELECT leaf FROM audit_record ORDER BY id").scalars()
        found = [decode(bytes(leaf)) for leaf in leaves]
    return [(record.operation, record.result) for record in found]


@pytest.mark.parametrize("subject", ["customer-1", None])
def test_a_password_is_verified_by_token_name_or_subject(shop: Shop, subject: str | None) -> None:
    login = enrolled(shop, subject=subject)
    assert right(shop, login)
    assert not right(shop, login, OTHER)
    assert right(shop, Login(name="li.lei_1985"))
    assert not right(shop, Login(subject="customer-1"))  # the person's own password is another
    shop.vault.store_password(shop.actor, Login(subject="customer-1"), OTHER)
    assert right(shop, Login(subject="customer-1"), OTHER)
    assert not right(shop, login, OTHER)
    assert shop.count("password") == 2


def test_what_names_no_login_or_several_is_refused(shop: Shop) -> None:
    login = a_login(shop)
    for odd in (Login(), Login(token=login.token, subject="customer-1"), Login(name="a", subject="b")):
        with pytest.raises(InvalidRequest):
            right(shop, odd)
    with pytest.raises(MalformedToken):
        right(shop, Login(token="tok_live_1"))
    with pytest.raises(WrongMode):
        right(shop, Login(token="tok_test_" + "0" * 35))
    with pytest.raises(FieldNotGranted):
        shop.vault.verify_password(limited(shop.actor, "phone"), login, GOOD)


def test_an_unknown_login_is_refused_like_a_wrong_password(shop: Shop) -> None:
    login = enrolled(shop)
    unknown = Login(token="tok_live_" + "0" * 35)
    known, other = (shop.vault.verify_password(shop.actor, one, OTHER, HOME) for one in (login, unknown))
    assert known == other
    assert not right(shop, Login(name="nobody.here"))
    assert not right(shop, a_login(shop, "without.a.password", None))
    # Nor is one that has expired, or was deleted, told from one that never was.
    (brief,) = shop.tokenize("login_name", "brief.login", ttl=60)
    shop.vault.store_password(shop.actor, Login(token=brief), GOOD)
    assert right(shop, Login(token=brief))
    shop.later(61)
    assert not right(shop, Login(token=brief))
    shop.maintain()
    assert not right(shop, Login(token=brief))
    assert shop.count("password") == 1


def test_an_unknown_login_takes_as_many_statements(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    database, asked = shop.resources.database, list[str]()
    match = database.dialect.match
    monkeypatch.setattr(
        database.dialect, "match", lambda *given, **more: (asked.append(given[1]), match(*given, **more))[1]
    )
    event.listen(
        database.engine, "before_cursor_execute",
        lambda connection, cursor, statement, *_: asked.append(statement[:40]),
    )  # fmt: skip
    login, other = enrolled(shop), Login(token="tok_live_" + "0" * 35)
    counts = []
    for one in (login, other, login, other, a_login(shop, "without.a.password")):
        asked.clear()
        assert not right(shop, one, OTHER)
        counts.append(sorted(asked))
    assert counts[2] == counts[3], counts  # the first two insert what the later ones update
    assert len({len(count) for count in counts}) == 1, counts


def test_what_is_unknown_gets_no_password(shop: Shop) -> None:
    for login in (Login(token="tok_live_" + "0" * 35), Login(name="nobody.here")):
        with pytest.raises(UnknownLogin):
            shop.vault.store_password(shop.actor, login, GOOD)
    for operation in (shop.vault.reset_password, shop.vault.delete_password):
        with pytest.raises(UnknownLogin):
            operation(shop.actor, a_login(shop), *([GOOD] if operation == shop.vault.reset_password else []))
    assert shop.count("password") == 0


def test_a_password_is_stored_once(shop: Shop) -> None:
    login = enrolled(shop)
    with pytest.raises(PasswordExists):
        shop.vault.store_password(shop.actor, login, OTHER)
    assert right(shop, login)


def test_a_password_is_changed_by_who_knows_it(shop: Shop) -> None:
    login = enrolled(shop)
    with pytest.raises(WrongPassword):
        shop.vault.change_password(shop.actor, login, OTHER, "another good sentence")
    with pytest.raises(WrongPassword):
        shop.vault.change_password(shop.actor, Login(name="nobody.here"), GOOD, OTHER)
    with pytest.raises(PasswordUnchanged):
        shop.vault.change_password(shop.actor, login, GOOD, GOOD)
    with pytest.raises(InvalidPassword) as refused:
        shop.vault.change_password(shop.actor, login, GOOD, "short")
    assert refused.value.pointer == "/new_password"
    assert right(shop, login)
    shop.vault.change_password(shop.actor, login, GOOD, OTHER)
    assert right(shop, login, OTHER)
    assert not right(shop, login)


def test_a_password_is_reset_and_deleted_without_it(shop: Shop) -> None:
    login = enrolled(shop)
    shop.vault.reset_password(shop.actor, login, OTHER)
    assert right(shop, login, OTHER)
    shop.vault.delete_password(shop.actor, login)
    assert not right(shop, login, OTHER)
    assert shop.count("password") == 0
    assert shop.plain(login.token or "") == ["li.lei_1985"]  # the login stays


def test_it_may_not_hold_the_login_or_another_value_of_the_person(shop: Shop) -> None:
    login = a_login(shop)
    shop.tokenize("phone", "+8613800138000", subjects=["customer-1"])
    for password in ("my name is li.lei_1985!", "call me 13800138000 now"):
        for named in (login, Login(subject="customer-1")):
            with pytest.raises(PersonalPassword):
                shop.vault.store_password(shop.actor, named, password)
    assert shop.vault.store_password(shop.actor, login, "call me 13911112222 now").score > 0


def test_new_ones_are_normalized_once_and_imported_ones_never(shop: Shop) -> None:
    composed, apart = "caf\u00e9 au lait sucr\u00e9", "cafe\u0301 au lait sucre\u0301"
    login = a_login(shop)
    shop.vault.store_password(shop.actor, login, apart)
    assert right(shop, login, apart)
    assert right(shop, login, composed)
    other = a_login(shop, "hanmeimei", "customer-2")
    digest = hashlib.sha256(apart.encode()).hexdigest()
    shop.vault.import_passwords(shop.actor, Import([other], [digest], layout="sha256(password)"))
    assert not right(shop, other, composed)
    assert right(shop, other, apart)  # and is hashed anew, as it was given
    assert not right(shop, other, composed)
    assert right(shop, other, apart)


def test_no_call_reveals_a_password(shop: Shop) -> None:
    """Not by token, value, list, metadata or field: there is nothing that would open one to anybody."""
    login = enrolled(shop)
    assert right(shop, login)
    with shop.resources.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM password").fetchall()
        (sealed,) = connection.exec_driver_sql("SELECT sealed FROM password").scalars()
    assert GOOD.encode() not in b"".join(str(part).encode() for row in rows for part in row)
    assert b"$argon2" not in bytes(sealed)
    revealed = shop.vault.reveal(shop.actor, [login.token], "service", "plain", metadata=True)
    assert GOOD not in repr(revealed.values)
    for name in ("password", "login_password", "Pass-Word"):
        with pytest.raises(InvalidRequest):
            shop.vault.tokenize(shop.actor, [Column(name, [GOOD], Spec())])
    shown = shop.vault.list_tokens(shop.actor).tokens
    for token in shown:
        (value,) = shop.plain(token.token)
        assert GOOD not in (value or "")


def test_a_verifier_opens_at_its_own_login_alone(shop: Shop) -> None:
    mine, theirs = enrolled(shop), enrolled(shop, name="hanmeimei", subject="customer-2")
    with shop.resources.database.engine.begin() as connection:
        first, second = connection.exec_driver_sql(
            "SELECT bucket, account, sealed FROM password ORDER BY created_at"
        ).fetchall()
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        connection.exec_driver_sql(
            f"UPDATE password SET sealed = {mark} WHERE bucket = {mark} AND account = {mark}",
            (first[2], second[0], second[1]),
        )
    assert right(shop, mine)
    with pytest.raises(UnreadableValue):
        right(shop, theirs)
    with pytest.raises(UnreadableValue):
        right(shop, theirs, OTHER)


# Profiles, and hashes of other systems


def test_a_good_login_brings_a_password_to_todays_profile(shop: Shop) -> None:
    login = enrolled(shop)
    stronger = with_settings(shop, profile=Profile("stronger", 128, 2, 1))
    assert stronger.vault.password_status(shop.actor).behind == 1
    assert not right(stronger, login, OTHER)
    assert stronger.vault.password_status(shop.actor).behind == 1
    assert right(stronger, login)
    assert stronger.vault.password_status(shop.actor).behind == 0
    assert kinds(stronger) == {"argon2id m=128,t=2,p=1": 1}
    assert right(stronger, login)


LEGACY: dict[str, Callable[[str], tuple[str, str | None, str | None]]] = {
    "layout": lambda text: (
        hashlib.md5(hashlib.md5(text.encode()).hexdigest().encode() + b"a1b2c3").hexdigest(),
        "a1b2c3", "md5(md5(password)+salt)",
    ),
    "werkzeug": lambda text: (
        "pbkdf2:sha256:1000$salt$" + hashlib.pbkdf2_hmac("sha256", text.encode(), b"salt", 1000).hex(), None, None
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", LEGACY)
@pytest.mark.parametrize("wrap", [False, True])
def test_imported_hashes_are_verified_and_upgraded(shop: Shop, kind: str, wrap: bool) -> None:
    login = a_login(shop)
    text, salt, layout = LEGACY[kind]("legacy one 1")
    done = shop.vault.import_passwords(shop.actor, Import([login], [text], [salt], layout, wrap))
    assert (done.imported, done.errors) == (1, {})
    assert shop.vault.password_status(shop.actor).behind == 1
    (held,) = kinds(shop)
    assert held.startswith("argon2id+") is wrap
    assert not right(shop, login, "legacy one 2")
    assert right(shop, login, "legacy one 1")
    assert kinds(shop) == {"argon2id m=64,t=1,p=1": 1}
    assert right(shop, login, "legacy one 1")


@pytest.mark.parametrize("wrap", [False, True])
def test_a_password_of_which_bcrypt_saw_a_part_is_not_replaced_by_a_longer_one(
    shop: Shop, wrap: bool
) -> None:
    """bcrypt takes 72 bytes: whoever knows them logs in, as before, but does not lock out who knows all."""
    chosen = (
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored"
    )
    text = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"  # crypt_blowfish 1.3, wrapper.c
    login = a_login(shop)
    shop.vault.import_passwords(shop.actor, Import([login], [text], wrap=wrap))
    assert right(shop, login, chosen + " and more")
    assert right(shop, login, chosen[:72])
    assert right(shop, login, chosen)
    assert shop.vault.password_status(shop.actor).behind == 1


def test_a_wrapped_hash_leaves_nothing_of_the_old_one(shop: Shop) -> None:
    login, (text, salt, layout) = a_login(shop), LEGACY["layout"]("legacy one 1")
    shop.vault.import_passwords(shop.actor, Import([login], [text], [salt], layout, wrap=True))
    keys = shop.resources.keyring.keys(shop.actor.tenant)
    with shop.resources.database.read() as connection:
        (row,) = stale.passwords(connection, shop.actor.tenant, 0, b"", 10)
    (verifier,) = verifiers.open_column(keys, [row])
    assert text not in verifier.encoded + verifier.inner
    assert verifier.scheme.startswith("argon2id+")


def test_an_import_takes_what_it_can_and_tells_the_rest(shop: Shop) -> None:
    good, taken, twice = a_login(shop), enrolled(shop, name="hanmeimei"), a_login(shop, "lucy.king")
    digest = hashlib.sha1(b"x").hexdigest()
    logins = [good, taken, Login(token="tok_live_" + "0" * 35), twice, twice, Login(token="tok"), good]
    hashes = [digest, digest, digest, digest, digest, digest, "canary"]
    done = shop.vault.import_passwords(shop.actor, Import(logins, hashes, layout="sha1(password)"))
    assert done.imported == 2
    assert {at: error.code for at, error in done.errors.items()} == {
        1: "password_exists", 2: "unknown_login", 4: "password_exists", 5: "malformed_token", 6: "unreadable_hash",
    }  # fmt: skip
    assert "canary" not in repr(done.errors)
    assert right(shop, good, "x")
    assert right(shop, taken)


def test_an_import_that_is_no_column_is_refused_whole(shop: Shop) -> None:
    login = a_login(shop)
    for odd in (
        Import([login], ["a", "b"]), Import([login], ["a"], salts=[]), Import([login] * 10_001, ["a"] * 10_001),
        Import([login] * (MAX_WRAPPED + 1), ["a"] * (MAX_WRAPPED + 1), wrap=True),
    ):  # fmt: skip
        with pytest.raises(InvalidRequest):
            shop.vault.import_passwords(shop.actor, odd)


def test_a_hash_that_would_take_all_memory_is_refused_before_it_is_tried(shop: Shop) -> None:
    salt, tag = "c2FsdHNhbHRzYWx0c2FsdA", "A" * 43
    hashes = [f"$argon2id$v=19$m=4194304,t=1,p=1${salt}${tag}", "$2b$31$" + "a" * 53]
    logins = [a_login(shop), a_login(shop, "hanmeimei")]
    done = shop.vault.import_passwords(shop.actor, Import(logins, hashes))
    assert {error.code for error in done.errors.values()} <= {"hash_too_costly", "unreadable_hash"}
    assert (done.imported, done.errors[0].code) == (0, "hash_too_costly")


# The keyset


def test_the_password_keyset_turns_without_a_user(shop: Shop) -> None:
    logins = [enrolled(shop, name=f"user.{at}", subject=f"customer-{at % 3}") for at in range(30)]
    (old,) = shop.resources.keyring.keys(shop.actor.tenant).openers(Purpose.PASSWORD)
    with pytest.raises(KeyInUse):
        shop.vault.destroy_key(shop.actor, f"{old.id:016x}")
    job = shop.vault.rotate_keyset(shop.actor, "password")
    work(shop)
    done = shop.vault.job(shop.actor, job.id)
    assert (done.state, done.done, done.skipped) == ("done", 30, 0)
    assert states(shop, "password") == ["deactivated", "active"]
    shop.vault.destroy_key(shop.actor, f"{old.id:016x}")
    shop.later(31 * 86_400)
    shop.maintain()
    assert states(shop, "password") == ["destroyed", "active"]
    shop.resources.keyring.reload(shop.actor.tenant)
    assert all(right(shop, login) for login in logins)
    assert not right(shop, logins[0], OTHER)


def test_a_leaked_version_is_emptied_and_destroyed(shop: Shop) -> None:
    logins = [enrolled(shop, name=f"user.{at}") for at in range(5)]
    (old,) = shop.resources.keyring.keys(shop.actor.tenant).openers(Purpose.PASSWORD)
    shop.vault.compromise_key(shop.actor, f"{old.id:016x}")
    work(shop)
    assert states(shop, "password") == ["destroyed", "active"]
    assert all(right(shop, login) for login in logins)


def test_a_verifier_that_does_not_open_is_left_and_counted(shop: Shop) -> None:
    logins = [enrolled(shop, name=f"user.{at}") for at in range(3)]
    with shop.resources.database.engine.begin() as connection:
        (account,) = connection.exec_driver_sql("SELECT min(account) FROM password").scalars()
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        connection.exec_driver_sql(
            f"UPDATE password SET created_at = created_at, sealed = {mark} WHERE account = {mark}",
            (b"\x01" + bytes(60), bytes(account)),
        )
    job = shop.vault.rotate_keyset(shop.actor, "password")
    work(shop)
    done = shop.vault.job(shop.actor, job.id)
    assert (done.state, done.done, done.skipped, done.error) == ("failed", 2, 1, "unreadable_value")
    fine = [login for login in logins if _opens(shop, login)]
    assert len(fine) == 2


def _opens(shop: Shop, login: Login) -> bool:
    try:
        return right(shop, login)
    except UnreadableValue:
        return False


def test_a_business_from_before_gets_its_keyset_with_its_first_password(shop: Shop) -> None:
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM key_version WHERE purpose = 'password'")
        connection.exec_driver_sql("UPDATE tenant SET generation = generation + 1")
    shop.resources.keyring.reload(shop.actor.tenant)
    before = len(shop.vault.keysets(shop.actor))
    login = enrolled(shop)
    assert right(shop, login)
    assert len(shop.vault.keysets(shop.actor)) == before + 1


def test_a_purpose_of_a_newer_release_stops_nobody(shop: Shop) -> None:
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE key_version SET purpose = 'later' WHERE purpose = 'password'")
    _, held = Keysets(shop.resources.database).load(shop.actor.tenant)
    assert Purpose.SEAL in held
    assert Purpose.PASSWORD not in held


# Guessing


def test_each_failure_makes_the_login_wait_longer(shop: Shop) -> None:
    shop = with_settings(shop, limits=Limits(free=3, longest=8, lock=8))
    login, far = enrolled(shop), Origin()
    waits = []
    for _ in range(2):
        assert not right(shop, login, OTHER, far)
    for _ in range(5):
        assert not right(shop, login, OTHER, far)
        with pytest.raises(TooManyAttempts) as held:
            right(shop, login, GOOD, far)
        waits.append(held.value.retry_after)
        shop.later(held.value.retry_after)
    assert waits == [1, 2, 4, 8, 8]
    assert not right(shop, login, OTHER, far)  # the eighth
    for _ in range(2):
        with pytest.raises(LoginLocked):
            right(shop, login, GOOD, far)
        shop.later(10 * 86_400)
    assert shop.vault.password_status(shop.actor).locked == 1
    assert shop.vault.unlock_login(shop.actor, login)
    assert not shop.vault.unlock_login(shop.actor, login)
    assert right(shop, login, GOOD, far)
    assert ("unlock_login", "ok") in results(shop)
    assert ("verify_password", "login_locked") in results(shop)


def test_a_login_that_does_not_exist_is_held_back_alike(shop: Shop) -> None:
    shop = with_settings(shop, limits=Limits(free=2, longest=8, lock=4))
    outcomes = []
    for login in (enrolled(shop), Login(token="tok_live_" + "0" * 35), Login(name="nobody.here")):
        told = []
        for _ in range(8):
            try:
                told.append(str(shop.vault.verify_password(shop.actor, login, OTHER, Origin())))
            except (TooManyAttempts, LoginLocked) as error:
                told.append(f"{error.code} {error} {getattr(error, 'retry_after', '')}")
                shop.later(getattr(error, "retry_after", 0))
        outcomes.append(told)
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert any("login_locked" in line for line in outcomes[0])


def test_a_good_login_forgives_what_was_wrong_before(shop: Shop) -> None:
    shop = with_settings(shop, limits=Limits(free=3, longest=60, lock=5))
    login = enrolled(shop)
    for _ in range(4):
        assert not right(shop, login, OTHER, Origin())
        assert not right(shop, login, OTHER, Origin())
        assert right(shop, login, GOOD, Origin())


def test_a_reset_unlocks_the_login(shop: Shop) -> None:
    shop = with_settings(shop, limits=Limits(free=1, longest=1, lock=2))
    login = enrolled(shop)
    assert not right(shop, login, OTHER, Origin())
    shop.later(2)
    assert not right(shop, login, OTHER, Origin())
    with pytest.raises(LoginLocked):
        right(shop, login, GOOD, Origin())
    shop.vault.reset_password(shop.actor, login, "a sentence after the reset")
    assert right(shop, login, "a sentence after the reset", Origin())


def test_a_source_that_tries_many_logins_waits_for_all_of_them(shop: Shop) -> None:
    shop = with_settings(shop, limits=Limits(source_free=5, source_longest=60))
    victims = [a_login(shop, f"user.{at}") for at in range(6)]
    login = enrolled(shop)
    for victim in victims[:5]:
        assert not right(shop, victim, OTHER, Origin(ip="2001:db8::1"))
    with pytest.raises(TooManyAttempts):
        right(shop, login, GOOD, Origin(ip="2001:db8::2"))  # the same network of 64 bits
    assert right(shop, login, GOOD, Origin(ip="2001:db8:1::1"))
    shop.later(2 * 86_400)
    assert shop.maintain()["attempts"] >= 1


def test_guesses_side_by_side_do_not_get_past(shop: Shop) -> None:
    shop = with_settings(shop, limits=Limits(free=3, longest=600, lock=50))
    login, outcomes = enrolled(shop), []

    def guess() -> None:
        try:
            outcomes.append(str(right(shop, login, OTHER, Origin())))
        except TooManyAttempts as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["False"] * 3 + ["too_many_attempts"] * 9


def test_what_could_not_be_hashed_is_not_counted(shop: Shop) -> None:
    broken = with_settings(shop, limits=Limits(free=1, longest=600, lock=2))
    login = enrolled(shop)
    nowhere = Vault(replace(broken.resources, hasher=None))
    for _ in range(5):
        with pytest.raises(HashingUnavailable):
            nowhere.verify_password(shop.actor, login, GOOD, Origin(ip="192.0.2.1"))
    assert broken.vault.verify_password(shop.actor, login, GOOD).verified


def test_a_guess_whose_outcome_was_not_stored_stays_counted(shop: Shop) -> None:
    """Else whoever slows the service down has as many guesses as they like."""
    shop = with_settings(shop, limits=Limits(free=3, longest=600, lock=50))
    login, hasher = enrolled(shop), shop.resources.hashing()

    class Slow:
        """Takes until the request's time is over."""

        asked = 0
        until = 0.0

        def __getattr__(self, name: str) -> Any:
            return getattr(hasher, name)

        def verify(self, *columns: Any) -> list[bool]:
            self.asked += 1
            until(lambda: time.monotonic() > self.until)
            return hasher.verify(*columns)

    slow = Slow()
    vault = Vault(replace(shop.resources, hasher=slow))  # type: ignore[arg-type]
    while slow.asked < 3:
        slow.until = time.monotonic() + 0.5
        with pytest.raises(DeadlineExceeded):
            vault.verify_password(replace(shop.actor, deadline=slow.until), login, OTHER, Origin())
    with pytest.raises(TooManyAttempts):
        right(shop, login, GOOD, Origin())


# The person


def test_erasing_a_person_takes_passwords_and_records(shop: Shop) -> None:
    login = enrolled(shop)
    shop.vault.store_password(shop.actor, Login(subject="customer-1"), OTHER)
    other = enrolled(shop, name="hanmeimei", subject="customer-2")
    assert right(shop, login)
    assert right(shop, other)
    shop.vault.erase(shop.actor, "customer-1")
    assert not right(shop, login)
    assert not right(shop, Login(subject="customer-1"), OTHER)
    assert right(shop, other)
    assert shop.count("password") == 1


def test_a_password_alone_makes_a_person_that_can_be_erased(shop: Shop) -> None:
    shop.vault.store_password(shop.actor, Login(subject="customer-9"), GOOD)
    shop.vault.erase(shop.actor, "customer-9")
    assert shop.count("password") == 0


def test_deleting_a_login_of_nobody_takes_its_password_and_records(shop: Shop) -> None:
    login = enrolled(shop, subject=None)
    assert right(shop, login)
    assert (shop.count("password"), shop.count("subject"), shop.count("token")) == (1, 1, 2)
    shop.vault.delete(shop.actor, [login.token])
    assert (shop.count("password"), shop.count("subject"), shop.count("token")) == (0, 0, 0)


def test_deleting_a_login_of_somebody_leaves_the_records_of_the_person(shop: Shop) -> None:
    login = enrolled(shop)
    assert right(shop, login)
    shop.vault.delete(shop.actor, [login.token])
    assert shop.count("password") == 0
    page = shop.vault.log_ins(shop.actor, Login(subject="customer-1"), "subject_request")
    assert [record.result for record in page.records] == ["ok"]


def test_log_ins_are_recorded_and_found_by_person_and_time(shop: Shop) -> None:
    login, start = enrolled(shop), shop.resources.database.clock()
    assert right(shop, login)
    shop.later(3_600)
    assert not right(shop, login, OTHER, Origin(ip="198.51.100.9"))
    shop.later(3_600)
    assert right(shop, login, GOOD, replace(HOME, device="phone-2"))
    for named in (login, Login(subject="customer-1"), Login(name="li.lei_1985")):
        page = shop.vault.log_ins(shop.actor, named, "subject_request", "plain")
        assert [record.result for record in page.records] == ["ok", "refused", "ok"]
    newest, wrong, first = page.records
    assert (newest.ip, newest.device, newest.agent) == ("192.0.2.7", "phone-2", "app 1.0")
    assert (newest.new_device, first.new_device, wrong.ip) == (True, False, "198.51.100.9")
    late = shop.vault.log_ins(shop.actor, login, "audit", since=start + 7_000)
    assert len(late.records) == 1
    first_page = shop.vault.log_ins(shop.actor, login, "audit", limit=2)
    rest = shop.vault.log_ins(shop.actor, login, "audit", cursor=first_page.next_cursor, limit=2)
    assert [len(first_page.records), len(rest.records), rest.next_cursor] == [2, 1, None]
    assert first_page.records[0].ip != "192.0.2.7"  # masked is the default
    assert shop.vault.log_ins(shop.tests, Login(subject="customer-1"), "audit").records == []


def test_records_are_kept_for_their_time(shop: Shop) -> None:
    shop = with_settings(shop, recorded=86_400)
    login = enrolled(shop)
    assert right(shop, login)
    shop.later(86_399)
    assert len(shop.vault.log_ins(shop.actor, login, "audit").records) == 1
    shop.later(2)
    assert shop.vault.log_ins(shop.actor, login, "audit").records == []
    assert shop.maintain()["expired_tokens"] == 1


def test_records_turn_and_are_renewed_with_everything_else(shop: Shop) -> None:
    """A log-in on record is a value of its person: it follows every key that turns."""
    login = enrolled(shop)
    assert right(shop, login)
    assert not right(shop, Login(name="nobody.here"), OTHER)  # of nobody, under the seal keyset itself
    for operation in (shop.vault.rotate_keyset, shop.vault.compromise_key):
        (old,) = [
            key for key in shop.resources.keyring.keys(shop.actor.tenant).openers(Purpose.SEAL) if key.active
        ]
        operation(shop.actor, "seal" if operation == shop.vault.rotate_keyset else f"{old.id:016x}")
        work(shop)
        (record,) = shop.vault.log_ins(shop.actor, login, "audit", "plain").records
        assert record.ip == "192.0.2.7"
    assert right(shop, login)


@pytest.mark.parametrize(
    ("hours", "latitude", "longitude", "impossible"),
    [
        (1.0, 51.5, -0.13, True),
        (14.0, 51.5, -0.13, False),
        (0.0, 31.2, 121.5, False),
        (0.1, 39.9, 116.4, True),
    ],
)
def test_nobody_flies_that_fast(
    shop: Shop, hours: float, latitude: float, longitude: float, impossible: bool
) -> None:
    login = enrolled(shop)
    assert right(shop, login)
    shop.later(hours * 3_600)
    there = replace(HOME, latitude=latitude, longitude=longitude)
    assert shop.vault.verify_password(shop.actor, login, GOOD, there).impossible_travel is impossible


def test_a_wrong_password_from_afar_flags_nothing(shop: Shop) -> None:
    login = enrolled(shop)
    assert right(shop, login)
    there = Origin(device="strange", latitude=51.5, longitude=-0.13)
    result = shop.vault.verify_password(shop.actor, login, OTHER, there)
    assert (result.new_device, result.impossible_travel) == (False, False)


def test_nobody_else_puts_a_log_in_on_a_persons_record(shop: Shop) -> None:
    text = '{"ip":"203.0.113.77","result":"ok"}'
    with pytest.raises(InvalidRequest) as refused:
        shop.vault.tokenize(shop.actor, [Column("login_record", [text], Spec(), ["customer-1"])])
    assert refused.value.pointer == "/subjects"
    shop.tokenize("login_record", text)  # of nobody: a value like any other


def test_a_login_record_says_nothing_to_a_key_of_other_fields(shop: Shop) -> None:
    login = enrolled(shop)
    assert right(shop, login)
    with pytest.raises(FieldNotGranted):
        shop.vault.log_ins(limited(shop.actor, "login_name"), login, "audit")


def test_everything_is_in_the_audit(shop: Shop) -> None:
    login = enrolled(shop)
    right(shop, login)
    right(shop, login, OTHER)
    right(shop, Login(name="nobody.here"))
    shop.vault.change_password(shop.actor, login, GOOD, OTHER)
    shop.vault.reset_password(shop.actor, login, GOOD)
    shop.vault.log_ins(shop.actor, login, "audit")
    shop.vault.delete_password(shop.actor, login)
    assert results(shop)[-8:] == [
        ("store_password", "ok"), ("verify_password", "ok"), ("verify_password", "wrong_password"),
        ("verify_password", "wrong_password"), ("change_password", "ok"), ("reset_password", "ok"),
        ("list_log_ins", "ok"), ("delete_password", "ok"),
    ]  # fmt: skip


def test_a_password_replaced_while_it_is_hashed_is_looked_at_again(shop: Shop) -> None:
    """The answer is about the password that is there when it is given, not about one that was."""
    login = enrolled(shop)
    hasher, asked = shop.resources.hashing(), []

    class Slow:
        """Lets the password be reset while the first candidate is being hashed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(hasher, name)

        def verify(self, *columns: Any) -> list[bool]:
            if not asked:
                asked.append(True)
                shop.vault.reset_password(shop.actor, login, OTHER)
            return hasher.verify(*columns)

    slow = Vault(replace(shop.resources, hasher=Slow()))  # type: ignore[arg-type]
    assert not slow.verify_password(shop.actor, login, GOOD).verified
    asked.clear()
    shop.vault.reset_password(shop.actor, login, GOOD)
    assert slow.verify_password(shop.actor, login, OTHER).verified


def test_a_business_does_not_see_another_ones_passwords(shop: Shop) -> None:
    login = Login(subject="customer-1")
    shop.vault.store_password(shop.actor, login, GOOD)
    assert not shop.vault.verify_password(shop.tests, login, GOOD).verified
    shop.vault.store_password(shop.tests, login, OTHER)
    assert shop.vault.verify_password(shop.actor, login, GOOD).verified


@pytest.mark.parametrize("odd", ["", "a\0b" * 9, "\ud800" * 12, "x" * 1_025, "x" * 1_048_576, None, 7])
def test_what_is_no_password_is_refused_and_nothing_lost(shop: Shop, odd: object) -> None:
    login = enrolled(shop)
    for operation in (
        lambda: shop.vault.verify_password(shop.actor, login, odd),
        lambda: shop.vault.change_password(shop.actor, login, GOOD, odd),
        lambda: shop.vault.reset_password(shop.actor, login, odd),
        lambda: shop.vault.store_password(shop.actor, Login(subject="customer-5"), odd),
    ):
        with pytest.raises(VaultError) as refused:
            operation()
        assert isinstance(refused.value, InvalidPassword)
    assert right(shop, login)


def test_the_usual_profile_is_what_rfc_9106_recommends() -> None:
    assert Passwords().profile.parameters == "m=65536,t=3,p=4"
    assert CHEAP.memory < Passwords().profile.memory
