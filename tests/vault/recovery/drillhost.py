"""A shop with something of everything in it, and a drill host that restores its backups beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from keys import identity
from keys.keyring import Keyring
from keys.secret import Secret
from tests.vault.audit.sealed import sealer
from tests.vault.conftest import Shop, open_shop
from tests.vault.recovery.beside import Beside
from tests.vault.recovery.maker import Maker
from vault.backup.plan import Plan, Recipients
from vault.columns import Column, Spec
from vault.credentials import Login
from vault.recovery import drilled, drilling
from vault.recovery.checks.canary import Canary
from vault.recovery.drilled import Taken
from vault.recovery.drilling import Asked
from vault.recovery.reports import Report
from vault.recovery.restored import Means
from vault.resources import Resources
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.loading import Loader

PASSWORD = "correct horse battery staple 9"
CARDS = ("6212345678901265", "378282246310005", "62123456789000003")
PHONES = tuple(f"+86138001380{n:02}" for n in range(12))


@dataclass(slots=True)
class Hosted:
    """A service, its backups, and what drills them."""

    shop: Shop
    maker: Maker
    canary: Canary
    resources: Resources
    troubles: list[Exception] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def clock(self) -> Callable[[], float]:
        """The service's clock, which is ahead of ours."""
        return self.shop.resources.database.clock

    def drill(self, url: str, **more: Any) -> Report:
        """Restore into the database at `url` and examine it; what is unexpected is among `troubles`."""
        asked = Asked(
            "folder", lambda: self.taken(url), lambda: self.opened(url), lambda found: sealer(found).run_once(),
            self.clock, time.monotonic, time.sleep, self.troubles.append, self.told.append, canary=self.canary,
            software="1",
        )  # fmt: skip
        return drilling.drill(replace(asked, **more))

    def taken(self, url: str) -> Taken:
        """Restore into the database at `url`."""
        loader = Loader(url, self.clock, time.monotonic)
        with closing(Database(url, self.clock, time.monotonic)) as database:
            means = Means((self.maker.drill,))
            return drilled.take(self.maker.archive, loader, self.keyring(database), means)

    def keyring(self, database: Database) -> Keyring:
        """A keyring of a database, under the service's root."""
        known = self.resources.keyring
        return Keyring(Keysets(database), known.roots, known.primary_root, time.monotonic)

    def opened(self, url: str) -> Resources:
        """The restored database as a drill examines it."""
        database = Database(url, self.clock, time.monotonic)
        return Resources(
            database, self.keyring(database), time.monotonic, passwords=self.resources.passwords,
            hasher=_Open(self.resources.hasher),
        )  # fmt: skip

    @property
    def live(self) -> Beside:
        """The service itself, as the drill host's API key sees it."""
        return Beside(self.shop, self.canary.owner)


class _Open:
    """A hasher that outlives who closes it: it is the shop's, and starting one takes its time."""

    def __init__(self, hasher: Any) -> None:
        self._hasher = hasher

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hasher, name)

    def close(self) -> None:
        """Leave it open."""


@contextmanager
def hosted(url: str, folder: Any) -> Iterator[Hosted]:
    """A shop on the database at `url`, filled, with what makes and drills its backups."""
    shop = open_shop(url)
    drill, recovery = Secret.random(), Secret.random()
    recipients = Recipients((identity.recipient(recovery),), (identity.recipient(drill),))
    resources = replace(shop.resources, backups=Plan(recipients=recipients))
    owner = fill(shop)
    canary = Canary("strongroom-drill", PASSWORD, owner)
    shop.later(3_600)
    try:
        yield Hosted(shop, Maker(resources, folder, drill, recovery), canary, resources)
    finally:
        shop.vault.close()


def fill(shop: Shop) -> bytes:
    """Store something of everything; return the digest of an API key of the live tenant."""
    people = [f"person-{n % 4}" for n in range(len(PHONES))]
    shop.tokenize("phone", *PHONES, subjects=[*people])
    shop.tokenize("bank_card", *CARDS, deterministic=True)
    shop.tokenize("bank_card", "4111111111111111", kind="shaped", options=())
    shop.tokenize("email", "z@example.com", kind="one_way")
    noted = Column("address", ["1 Example Road"], Spec(), None, [b'{"floor":3}'])
    shop.vault.tokenize(shop.actor, [noted])
    shop.vault.tokenize(shop.tests, [Column("phone", list(PHONES[:2]), Spec())])
    (gone,) = shop.tokenize("login_name", "nobody_1")
    shop.vault.delete(shop.actor, [gone])
    shop.tokenize("login_name", "erased_1", subjects=["person-erased"])
    shop.vault.erase(shop.actor, "person-erased")
    for subject in ("strongroom-drill", "person-0"):
        shop.vault.store_password(shop.actor, Login(subject=subject), PASSWORD)
    _, text = shop.vault.create_api_key(shop.actor, "drills", ["reveal", "audit", "backups"])
    sealer(shop.resources).run_once()
    return sha256(text.encode()).digest()
