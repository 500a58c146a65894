"""A shop in which everything happens that changes rows: by real operations, in a random order that can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random

from tests.vault.audit.sealed import sealer
from tests.vault.conftest import Shop
from tests.vault.test_approvals import Desk
from tests.vault.test_freezing import freeze, unfreeze
from tests.vault.test_rotation import work
from vault.alarming import Alarms
from vault.columns import Column, Spec
from vault.credentials import Login, Origin
from vault.errors import VaultError
from vault.store import auditlog, policies, sinks, spending
from vault.store.policies import Taken
from vault.store.sinks import Cursor
from vault.store.spending import Spent
from vault.store.writer import Transaction

PASSWORDS = ("correct horse, battery, staple", "a wholly different sentence")
HOME = Origin(ip="192.0.2.7", device="phone-1")
PEOPLE = 6


class Busy:
    """Does one thing after the other; what the vault refuses is no matter."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.random, self.desk = shop, Random(seed), Desk(shop)
        self.tokens: list[str] = []
        self.done = 0
        self._approved: tuple[str, bytes] | None = None
        self._things: list[Callable[[], object]] = [
            self.store, self.store_for_people, self.store_for_people, self.store_same, self.store_one_way, self.delete,
            self.erase, self.enrol, self.log_in, self.unenrol, self.change_password, self.make_key, self.propose,
            self.acknowledge, self.freeze, self.take_policy, self.spend, self.seal, self.cosign, self.expire,
        ]  # fmt: skip

    def everything(self) -> None:
        """Do each thing, in this order, and turn a keyset."""
        for thing in self._things:
            self._do(thing)
        self.turn("password")

    def go_on(self, steps: int) -> None:
        """Do so many things."""
        for _ in range(steps):
            self._do(self.random.choice(self._things))

    def turn(self, purpose: str) -> None:
        """Turn a keyset."""
        self.shop.vault.rotate_keyset(self.shop.actor, purpose)
        work(self.shop)

    def _do(self, thing: Callable[[], object]) -> None:
        with suppress(VaultError):
            thing()
        self.done += 1

    def _stored(self, column: Column) -> None:
        (made,) = self.shop.vault.tokenize(self.shop.actor, [column])
        self.tokens += [token for token in made.tokens if token]

    def _emails(self, count: int) -> list[object]:
        return [f"a{self.random.randrange(500)}@example.com" for _ in range(count)]

    def _person(self) -> str:
        return f"customer-{self.random.randrange(PEOPLE)}"

    def store(self) -> None:
        notes = [b'{"a": 1}' if self.random.random() < 0.5 else None for _ in range(5)]
        self._stored(Column("email", self._emails(5), Spec(tags=("vip",), source="web"), None, notes))

    def store_for_people(self) -> None:
        self._stored(Column("email", self._emails(6), Spec(), [self._person() for _ in range(6)]))

    def store_same(self) -> None:
        self._stored(
            Column("email", self._emails(5), Spec(deterministic=True, ttl=self.random.choice([None, 60])))
        )
        self._stored(Column("bank_card", ["6200000000000005"], Spec("shaped", keep_first=6)))

    def store_one_way(self) -> None:
        self._stored(Column("email", self._emails(3), Spec("one_way")))

    def delete(self) -> None:
        self.random.shuffle(self.tokens)
        gone, self.tokens = self.tokens[:3], self.tokens[3:]
        self.shop.vault.delete(self.shop.actor, gone)

    def erase(self) -> None:
        self.shop.vault.erase(self.shop.actor, self._person())

    def enrol(self) -> None:
        self._stored(Column("login_name", ["li.lei"], Spec(deterministic=True)))
        with suppress(VaultError):
            self.shop.vault.store_password(self.shop.actor, Login(name="li.lei"), PASSWORDS[0])
        self.shop.vault.store_password(self.shop.actor, Login(subject=self._person()), PASSWORDS[0])

    def log_in(self) -> None:
        for login in (Login(name="li.lei"), Login(subject=self._person())):
            with suppress(VaultError):
                self.shop.vault.verify_password(self.shop.actor, login, self.random.choice(PASSWORDS), HOME)

    def unenrol(self) -> None:
        login = self.random.choice([Login(name="li.lei"), Login(subject=self._person())])
        self.shop.vault.delete_password(self.shop.actor, login)

    def change_password(self) -> None:
        self.shop.vault.reset_password(self.shop.actor, Login(name="li.lei"), self.random.choice(PASSWORDS))

    def make_key(self) -> None:
        record, _ = self.shop.vault.create_api_key(self.shop.actor, "till", ["reveal"])
        if self.random.random() < 0.5:
            self.shop.vault.revoke_api_key(self.shop.actor, record.id)

    def propose(self) -> None:
        """Use what was approved before, or let a proposal be approved."""
        if self._approved is not None:
            proposal, bound = self._approved
            self._approved = None
            self.desk.asked(self.desk.ann, proposal, bound)
            return
        bound = self.random.randbytes(32)
        proposal = self.desk.proposed(self.desk.ann, bound)
        self.desk.approved(self.desk.bob, proposal)
        self._approved = (proposal, bound)

    def freeze(self) -> None:
        if not freeze(self.shop, self.desk.bob, self.desk.eve.name):
            unfreeze(self.shop, self.desk.bob, self.desk.eve.name)

    def acknowledge(self) -> None:
        alarms = Alarms(self.shop.resources)
        for one in alarms.list(self.shop.actor).alarms:
            alarms.acknowledge(self.shop.actor, one.id)

    def take_policy(self) -> None:
        """Of the tenant that asks nothing, so that nothing is refused."""
        tenant = self.shop.tests.tenant

        def work(transaction: Transaction) -> None:
            found = policies.newest(transaction.connection, tenant)
            version = (found[0] if found else 0) + 1
            policies.add(
                transaction, tenant, Taken(version, "# …", bytes(32), "key_0", None, transaction.now)
            )

        self.shop.resources.database.write(work)

    def spend(self) -> None:
        who, window = bytes([self.random.randrange(3)]) * 16, ("minute", 0)

        def work(transaction: Transaction) -> None:
            there = spending.hold(transaction, self.shop.actor.tenant, who, [window])
            amount = there[window].amount + 1 if there else 1
            counts = {window: Spent(amount, 0, transaction.now + 3_600_000_000)}
            spending.put(transaction, self.shop.actor.tenant, who, counts, there)

        self.shop.resources.database.write(work)

    def seal(self) -> None:
        sealer(self.shop.resources).run_once()

    def cosign(self) -> None:
        """As a witness does, some time after a checkpoint was made."""
        tenant = self.shop.actor.tenant

        def work(transaction: Transaction) -> None:
            for log in auditlog.logs(transaction.connection, tenant):
                kept = auditlog.checkpoints(transaction.connection, tenant, log.log, 0, log.size, 100)
                for one in kept[-2:]:
                    sinks.cosign(transaction, (tenant, log.log), one.size, one.note + "x")
                sinks.move(transaction, "file", (tenant, log.log), Cursor(log.size, log.size))

        self.shop.resources.database.write(work)

    def expire(self) -> None:
        self.shop.later(61)
        self.shop.maintain()
