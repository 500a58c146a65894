"""Checks of a drill by themselves, on one restored database: what they say where only they can tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.databases import migrated_database
from tests.vault.conftest import SCHEMA_AT_HAND
from tests.vault.recovery.beside import Beside
from tests.vault.recovery.drillhost import PASSWORD, PHONES, Hosted, hosted
from vault.errors import UnreadableValue
from vault.recovery import drilling
from vault.recovery.checks import age, canary, live, lookups, values
from vault.recovery.checks.canary import Canary
from vault.recovery.checks.live import Live, LiveFailed
from vault.recovery.checks.scratch import Found, Scratch, Skipped
from vault.store import examining

pytestmark = SCHEMA_AT_HAND


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A filled shop, backed up."""
    folder = tmp_path_factory.mktemp("host")
    with migrated_database("sqlite", folder) as url, hosted(url, folder / "backups") as made:
        made.shop.tokenize("phone", "+8613800138999", ttl=7_200)
        made.maker.make()
        yield made


@contextmanager
def restored(host: Hosted, folder: Path) -> Iterator[Scratch]:
    url = f"sqlite:///{folder}/scratch.db"
    taken = host.taken(url)
    with closing(host.opened(url)) as resources:
        with resources.database.read() as connection:
            tenants = examining.tenants(connection)
        begun = int(host.clock() * 1e6)
        yield Scratch(resources, taken.keyring, taken.data, taken.restored, tenants, begun, time.sleep)


@pytest.fixture(scope="module")
def scratch(host: Hosted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """The shop restored, for looks that change nothing."""
    with restored(host, tmp_path_factory.mktemp("scratch")) as found:
        yield found


@pytest.fixture
def own(host: Hosted, tmp_path: Path) -> Iterator[Scratch]:
    """The shop restored, to be written to."""
    with restored(host, tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    ("hours", "oldest", "code"),
    [(0.0, 60.0, ""), (0.5, 3_600.0, ""), (2.0, 3_600.0, "backup_too_old"), (-1.0, 3_600.0, "clocks_differ")],
)
def test_the_age_is_held_against_what_is_allowed(
    scratch: Scratch, hours: float, oldest: float, code: str
) -> None:
    begun = scratch.data[-1].taken_at + int(hours * 3_600_000_000)
    assert age.check(replace(scratch, begun_at=begun), oldest) == Found(1, 1 if code else 0, code)


def test_a_canary_needs_its_own_password_and_business(own: Scratch, host: Hosted) -> None:
    assert canary.check(own, host.canary) == Found(2)
    other = replace(host.canary, password="another one entirely")
    assert canary.check(own, other).code == "right_password_refused"
    assert canary.check(own, replace(host.canary, owner=bytes(32))).code == "tenant_missing"
    nobody = Canary("nobody", PASSWORD, host.canary.owner)
    assert canary.check(own, nobody).code == "right_password_refused"
    with pytest.raises(Skipped) as skipped:
        canary.check(own, None)
    assert skipped.value.code == "no_canary"


def test_a_sample_is_a_sample_and_has_something_of_each(scratch: Scratch) -> None:
    every = values.check(scratch).checked
    some = values.check(replace(scratch, sample=200, random=Random(1))).checked
    least = values.check(replace(scratch, sample=0)).checked
    assert every > some > least >= len(scratch.tenants)


def test_tokens_are_drawn_from_everywhere(scratch: Scratch, host: Hosted) -> None:
    tenant = next(one for one in scratch.tenants if one.id == host.shop.actor.tenant)
    seen = set[bytes]()
    for seed in range(60):
        rows = lookups.drawn_rows(replace(scratch, random=Random(seed)), tenant, 4)
        assert 0 < len(rows) <= 4
        seen |= {row.token for row in rows}
    assert len(seen) > 4  # where tokens lie is drawn, too: how many more is chance
    assert len(lookups.drawn_rows(scratch, tenant, 1_000)) >= len(seen)


def test_what_went_since_is_explained(scratch: Scratch, host: Hosted) -> None:
    shop = host.shop
    (gone, *_) = shop.vault.find(shop.actor, "bank_card", ["6212345678901265"]).matches[0] or []
    shop.vault.delete(shop.actor, [gone])
    shop.vault.erase(shop.actor, "person-3")
    before = shop.shift[0]
    shop.later(7_300)  # one expires
    shop.maintain()
    later = replace(scratch, begun_at=int(host.clock() * 1e6))
    assert live.check(later, [host.live]).code == ""
    shop.shift[0] = before


class Silent(Beside):
    """A service whose audit says nothing of removals."""

    def removed(self, token: str, field: str | None, since: int) -> bool:
        return False


class Behind(Beside):
    """A service that has lost the end of its log."""

    def log(self) -> tuple[int, int]:
        number, _ = super().log()
        return number, 1


class Forked(Beside):
    """A service whose log is another one."""

    def root(self, size: int) -> bytes:
        return bytes(32)


class Older(Beside):
    """A service that went back behind a restore."""

    def log(self) -> tuple[int, int]:
        return 0, 0


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Silent, "live_lacks_token"),
        (Behind, "live_log_behind"),
        (Forked, "live_log_forked"),
        (Older, "live_log_behind"),
    ],
)
def test_a_live_service_that_differs_is_told(
    scratch: Scratch, host: Hosted, kind: type[Beside], code: str
) -> None:
    shop = host.shop
    for phone in PHONES[:1]:
        for token in shop.vault.find(shop.actor, "phone", [phone]).matches[0] or []:
            shop.vault.delete(shop.actor, [token])
    assert live.check(scratch, [kind(shop, host.canary.owner)]).code == code


class OfNobody(Beside):
    """Somebody's whom the backup does not have."""

    def tenant(self) -> int | None:
        return 1


def test_an_api_key_that_is_younger_than_the_backup_is_told_and_no_fault(
    scratch: Scratch, host: Hosted
) -> None:
    younger, known = Beside(host.shop, bytes(32)), Beside(host.shop, host.canary.owner)
    with pytest.raises(Skipped) as skipped:
        live.check(scratch, [younger])
    assert skipped.value.code == "api_key_younger"
    both = live.check(scratch, [younger, known])
    assert both == live.check(scratch, [known])
    assert both.checked > 0
    silent = live.check(scratch, [younger, Silent(host.shop, host.canary.owner)])
    assert silent.bad > 0


def test_a_business_that_the_backup_lacks_is_told(scratch: Scratch, host: Hosted) -> None:
    assert live.check(scratch, [OfNobody(host.shop, bytes(32))]) == Found(1, 1, "tenant_missing")


def asked(
    host: Hosted, restore: Callable[[], drilling.Taken], lives: Sequence[Live] | None = None
) -> drilling.Asked:
    return drilling.Asked(
        "folder", restore, lambda: host.opened("sqlite:////nowhere/x"), lambda _: None, host.clock, time.monotonic,
        time.sleep, host.troubles.append, lives=lives,
    )  # fmt: skip


def test_what_nobody_foresaw_fails_the_drill_and_is_told(host: Hosted) -> None:
    def broken() -> drilling.Taken:
        raise ZeroDivisionError("a value")

    host.troubles.clear()
    report = drilling.drill(asked(host, broken))
    assert [type(one) for one in host.troubles] == [ZeroDivisionError]
    assert (report.passed, report.failed[0].code) == (False, drilling.UNEXPECTED)
    assert {check.code for check in report.checks[1:]} == {drilling.NOT_RESTORED}
    assert "a value" not in str(report)


@pytest.mark.parametrize("error", [LiveFailed("live_unreachable"), UnreadableValue("x"), KeyError("x")])
def test_one_check_that_breaks_keeps_none_of_the_others(
    scratch: Scratch, host: Hosted, error: Exception
) -> None:
    class Broken(Beside):
        def log(self) -> tuple[int, int]:
            raise error

    host.troubles.clear()
    found = asked(host, lambda: pytest.fail("not restored"), [Broken(host.shop, host.canary.owner)])
    looks = drilling._looks(found)
    checks = [drilling._check(found, name, looks[name], scratch) for name in ("whole", "live")]
    assert [check.state for check in checks] == ["passed", "failed"]
    assert checks[1].code == getattr(error, "code", drilling.UNEXPECTED)
