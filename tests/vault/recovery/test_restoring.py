"""A database restored from its backups: everything opens, and what was deleted since does not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from keys.keyset import Purpose
from keys.secret import Secret
from keys.wrapping import AeadRoot
from tests.vault.conftest import SCHEMA_AT_HAND, Shop
from tests.vault.recovery import filled
from tests.vault.recovery.made import Backups
from tests.vault.test_rotation import primary, turn
from vault.credentials import Login
from vault.errors import BackupLocked, DatabaseNotEmpty, InvalidRequest, UnknownBackup
from vault.recovery.restored import Means, Wanted

ACROSS = pytest.mark.parametrize(
    ("database_url", "empty_url"), [("sqlite", "postgresql"), ("postgresql", "sqlite")], indirect=True
)
PLAIN = pytest.mark.parametrize(("database_url", "empty_url"), [("sqlite", "sqlite")], indirect=True)
pytestmark = SCHEMA_AT_HAND


@pytest.fixture
def backups(shop: Shop, tmp_path: Path) -> Backups:
    return Backups(shop, tmp_path / "target")


def another_root() -> AeadRoot:
    """Return a root that wrapped nothing yet."""
    return AeadRoot("another", Secret.random())


def is_empty(url: str) -> bool:
    """Whether nothing was left of a restore in SQLite."""
    path = Path(url.removeprefix("sqlite:///"))
    return not path.exists() and list(path.parent.glob(f"{path.name}-restoring*")) == []


def refuse(backups: Backups, url: str, error: type[Exception], wanted: Wanted | None = None) -> Exception:
    """Return why the restore is refused; nothing was written."""
    with pytest.raises(error) as refused:
        backups.restore(url, wanted)
    assert is_empty(url)
    return refused.value


@ACROSS
def test_everything_works_on_the_other_database(shop: Shop, backups: Backups, empty_url: str) -> None:
    known = filled.fill(shop)
    before, entries = filled.found(shop), shop.count("index_entry")
    number = backups.make()
    told = backups.restore(empty_url)
    assert (told.number, told.whole, told.left_out, told.new_keys) == (number, True, {}, 2 * 4 + 2)
    assert told.counts["token"] == shop.count("token")
    with backups.opened(empty_url) as again:
        assert again.count("index_entry") == entries
        assert filled.found(again) == before
        revoked = again.vault.find_api_key(known.revoked)
        assert revoked is not None
        assert revoked.revoked_at is not None
        for purpose in ("seal", "index", "password", "audit"):
            assert turn(again, purpose).error is None
        filled.require_same(again, known)
        assert filled.found(again) == before


@PLAIN
def test_a_restore_of_a_restore_goes_on_at_the_same_target(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    tokens = shop.tokenize("phone", "13800138000", "13800138001", subjects=["a", None])
    backups.make()
    first = backups.restore(empty_url)
    with backups.opened(empty_url) as again:
        later = Backups(again, backups.folder, backups.recovery, backups.drill)
        later.make()
        tokens += again.tokenize("phone", "13800138077", subjects=["a"])
        later.make("incremental")
        url = f"{empty_url}-3"
        assert first.installation in str(refuse(later, url, InvalidRequest))
        told = later.restore(url, Wanted(first.made))
        assert (told.number, told.whole) == (2, True)
    with later.opened(url) as third:
        assert third.plain(*tokens) == ["+8613800138000", "+8613800138001", "+8613800138077"]


@PLAIN
def test_a_dry_run_verifies_all_and_leaves_nothing(backups: Backups, shop: Shop, empty_url: str) -> None:
    shop.tokenize("phone", "13800138000")
    backups.make()
    assert backups.restore(empty_url, dry_run=True).counts["token"] == 1
    assert is_empty(empty_url)


@ACROSS
def test_what_was_deleted_since_does_not_come_back_and_who_came_again_stays(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    gone, erased, back = (shop.tokenize("phone", "13800138000", subjects=[name]) for name in ("a", "b", "c"))
    fixed = shop.tokenize("email", "a@example.com", deterministic=True)
    for name in ("b", "c", "d", "e"):
        shop.vault.store_password(shop.actor, Login(subject=name), filled.GOOD)
    backups.make()
    shop.vault.delete(shop.actor, [*gone, *fixed])
    for name in ("b", "c"):
        shop.vault.erase(shop.actor, name)
    for name in ("d", "e"):
        shop.vault.delete_password(shop.actor, Login(subject=name))
    again_fixed = shop.tokenize("email", "a@example.com", deterministic=True)
    here = shop.tokenize("phone", "13800138001", subjects=["c"])
    shop.vault.store_password(shop.actor, Login(subject="e"), "a wholly different sentence")
    backups.make("incremental")
    last = shop.tokenize("phone", "13800138009", subjects=["f"])
    backups.make("journal")
    told = backups.restore(empty_url)
    assert (told.number, told.whole, told.unreadable) == (3, True, {})
    with backups.opened(empty_url) as now:
        assert now.plain(*gone, *erased, *back, *fixed) == [None] * 4
        assert now.plain(*here, *again_fixed, *last) == ["+8613800138001", "a@example.com", "+8613800138009"]
        assert now.tokenize("email", "a@example.com", deterministic=True) == again_fixed
        assert filled.right(now, Login(subject="e"), "a wholly different sentence")
        assert now.count("password") == shop.count("password") == 1
        assert now.count("token") == shop.count("token") + 1  # of the log-in here


@PLAIN
def test_an_older_backup_does_not_bring_back_what_the_newest_keyring_says_is_gone(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    (gone, erased, stays) = shop.tokenize("phone", *["13800138000"] * 3, subjects=["a", "b", "c"])
    for name in ("a", "b"):
        shop.vault.store_password(shop.actor, Login(subject=name), filled.GOOD)
    backups.make()
    shop.vault.delete(shop.actor, [gone])
    shop.vault.delete_password(shop.actor, Login(subject="a"))
    shop.vault.erase(shop.actor, "b")
    later = shop.tokenize("phone", "13800138001")
    backups.make()
    told = backups.restore(empty_url, Wanted(number=1))
    assert (told.number, told.keyring, told.whole) == (1, 2, True)
    assert told.left_out == {"tokens": 2, "passwords": 2}
    with backups.opened(empty_url) as again:
        assert again.plain(gone, erased, stays, *later) == [None, None, "+8613800138000", None]
        assert len(again.vault.find(again.actor, "phone", ["13800138000"]).matches[0] or ()) == 1


@PLAIN
def test_an_erased_person_is_gone_from_old_backups_without_any_ledger(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    """As if somebody had cut the erasure out of the newest keyring: the key is not there, so nothing opens."""
    _, stays = shop.tokenize("phone", *["13800138000"] * 2, subjects=["b", "c"])
    backups.make()
    shop.vault.erase(shop.actor, "b")
    with shop.resources.database.engine.begin() as connection:
        for table in ("erasure", "departure", "tombstone"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    backups.make()
    told = backups.restore(empty_url, Wanted(number=1))
    assert (told.unreadable, told.whole) == ({"tokens": 1}, False)
    with backups.opened(empty_url) as again:
        assert again.plain(stays) == ["+8613800138000"]
        assert again.vault.find(again.actor, "phone", ["13800138000"]).matches == [[stays]]
        assert again.count("token") == 2


@PLAIN
def test_what_older_data_need_opens_although_it_was_suspended_since(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    """Nothing needed it any more but those; or a value that is repeated later would get a second token."""
    (fixed,) = shop.tokenize("email", "a@example.com", deterministic=True)
    (personal,) = shop.tokenize("email", "b@example.com", subjects=["a"])
    shop.vault.store_password(shop.actor, Login(subject="a"), filled.GOOD)
    backups.make()
    for purpose in (Purpose.SEAL, Purpose.PASSWORD):
        old = f"{primary(shop, purpose):016x}"
        assert turn(shop, purpose).error is None
        shop.vault.disable_key(shop.actor, old)
    backups.make()
    assert backups.restore(empty_url, Wanted(number=1)).whole
    with backups.opened(empty_url) as again:
        assert again.plain(fixed, personal) == ["a@example.com", "b@example.com"]
        assert again.tokenize("email", "a@example.com", deterministic=True) == [fixed]
        assert filled.right(again, Login(subject="a"))


@PLAIN
def test_a_point_in_time(shop: Shop, backups: Backups, empty_url: str) -> None:
    first = shop.tokenize("phone", "13800138000")
    backups.make()
    shop.later(3_600)
    second = shop.tokenize("phone", "13800138001")
    between = shop.resources.database.now() + 60_000_000
    backups.make("incremental")
    shop.later(3_600)
    third = shop.tokenize("phone", "13800138002")
    backups.make("journal")
    told = backups.restore(empty_url, Wanted(at=between))
    assert told.number == 2
    with backups.opened(empty_url) as again:
        assert again.plain(*first, *second, *third) == ["+8613800138000", "+8613800138001", None]
    refuse(backups, empty_url + "-more", UnknownBackup, Wanted(at=1))


@PLAIN
def test_shares_open_everything_with_no_root_left(shop: Shop, backups: Backups, empty_url: str) -> None:
    known = filled.fill(shop)
    backups.make()
    new = another_root()
    told = backups.restore(empty_url, means=Means(recovery=backups.recovery), roots=[new])
    assert told.whole
    with backups.opened(empty_url, roots=[new]) as again:
        filled.require_same(again, known)
        assert turn(again, "seal").error is None


@PLAIN
def test_a_drill_opens_chunks_by_its_own_key_and_keysets_by_the_root(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    token = shop.tokenize("phone", "13800138000")
    backups.make()
    with pytest.raises(BackupLocked):
        backups.restore(empty_url, means=Means([backups.drill]), roots=[another_root()])
    with pytest.raises(BackupLocked):
        backups.restore(empty_url, roots=[another_root()])
    with pytest.raises(BackupLocked):
        backups.restore(empty_url, means=Means(recovery=backups.drill), roots=[another_root()])
    assert is_empty(empty_url)
    backups.restore(empty_url, means=Means([backups.drill]))
    with backups.opened(empty_url) as again:
        assert again.plain(*token) == ["+8613800138000"]


@PLAIN
def test_a_database_that_is_not_empty_is_left_alone(shop: Shop, backups: Backups, empty_url: str) -> None:
    backups.make()
    before = shop.count("tenant")
    with pytest.raises(DatabaseNotEmpty):
        backups.restore(str(shop.resources.database.engine.url))
    assert shop.count("tenant") == before
