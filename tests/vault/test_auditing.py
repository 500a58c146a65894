"""What auditors ask, against a plain model over the records; proofs are checked by code that shares nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from keys.keyset import Purpose
from tests.vault.audit import outside
from tests.vault.audit.sealed import check, leaves, sealer, waiting
from tests.vault.conftest import Shop, open_shop
from tests.vault.test_rotation import turn
from vault import tokens
from vault.audit import archive, journal, notes
from vault.audit.answers import Query
from vault.audit.leaf import Record, decode, of_person
from vault.columns import Actor, Grounds
from vault.errors import (
    AuditDamaged,
    InvalidCheckpoint,
    InvalidRequest,
    LogNotBehind,
    NotSealed,
    UnknownLog,
    UnknownRecord,
)
from vault.index import subject_digests
from vault.resources import Records
from vault.retaining import Retention
from vault.store.tables import audit_signer
from vault.store.writer import Transaction

CALLERS, PEOPLE = ("key_a", "oidc:b", "cert:ü"), ("p-1", "p-2", "p-3")
OPERATIONS, FIELDS = ("reveal", "tokenize", "delete"), ("phone", "email")


class Model:
    """Records that were written, and what each one names, as plain Python has it."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.draw = shop, random.Random(seed)
        self.tokens = [self.draw.randbytes(16) for _ in range(12)]
        self.named: dict[bytes, tuple[set[bytes], set[str], Record]] = {}

    def text(self, token: bytes) -> str:
        """Return a token as callers have it."""
        return tokens.texts("live", [7], [tokens.OPAQUE + token])[0]

    def write(self, count: int) -> None:
        """Put records into the inbox, at rising times."""
        rows = [self._row() for _ in range(count)]
        self.shop.resources.database.write(lambda transaction: transaction.append("audit_record", rows))

    def _row(self) -> journal.Row:
        draw, shop = self.draw, self.shop
        keys = shop.resources.keyring.keys(shop.actor.tenant)
        mine = draw.choices(self.tokens, k=draw.randrange(4))
        who = [draw.choice([None, *PEOPLE]) for _ in mine]
        route = keys.primary(Purpose.ROUTE)
        digests = dict(zip(PEOPLE, subject_digests(route, shop.actor.tenant, PEOPLE), strict=True))
        shop.later(draw.random() * 600)
        row = journal.row(
            keys, replace(shop.actor, name=draw.choice(CALLERS), origin="10.0.0.1"), shop.resources.database.now(),
            draw.choice(OPERATIONS), purpose="service", view="masked", count=len(mine),
            result=draw.choice(["ok", "ok", "policy_denied"]), tokens=[tokens.OPAQUE + one for one in mine],
            persons=[None if one is None else digests[one] for one in who],
            fields=[draw.choice(FIELDS) for _ in mine], grounds=Grounds(case="c-1"),
        )  # fmt: skip
        self.named[row[2]] = (set(mine), {one for one in who if one is not None}, decode(row[3]))
        return row

    def fitting(self, fits: Callable[[set[bytes], set[str], Record], bool]) -> list[str]:
        """Return the ids of the records that fit, the newest first."""
        found = [record_id for record_id, known in self.named.items() if fits(*known)]
        return [record_id.hex() for record_id in sorted(found, reverse=True)]

    def asked(self, query: Query, limit: int = 7) -> list[str]:
        """Return the ids of what is answered, page by page."""
        found, cursor = [], None
        while True:
            page = self.shop.vault.audit.records(self.shop.actor, query, cursor, limit)
            found += [one.record.id.hex() for one in page.records]
            if (cursor := page.next_cursor) is None:
                return found


def filled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Model:
    """Return some hundred records in a log, sealed in batches of all sizes, the keyset turned in between."""
    monkeypatch.setattr("vault.sealer.FAN", 3)
    monkeypatch.setattr("vault.audit.trail.FAN", 3)
    made, one = Model(shop, 5), sealer(shop.resources)
    for at in range(20):
        made.write(made.draw.choice([1, 3, 12]))
        one.run_round()
        if at == 10:
            turn(shop, "audit")
            one.run_round()
    one.run_round()
    return made


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Shop]:
    """A shop on SQLite."""
    opened = open_shop(f"sqlite:///{tmp_path}/vault.db")
    yield opened
    opened.vault.close()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """A filled log that nothing is changed in, on SQLite."""
    opened = open_shop(f"sqlite:///{tmp_path_factory.mktemp('filled')}/vault.db")
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield filled(opened, monkeypatch)
    opened.vault.close()


def test_questions_are_answered_as_a_plain_model_answers_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = filled(shop, monkeypatch)
    draw, known = random.Random(1), model.named.values()
    for caller in (*CALLERS, "nobody"):
        expected = model.fitting(lambda _, __, one, caller=caller: one.actor == caller)
        assert model.asked(Query(caller=caller)) == expected
    for person in PEOPLE:
        expected = model.fitting(lambda _, people, __, person=person: person in people)
        assert model.asked(Query(person=person)) == expected != []
    for token in [*model.tokens[:4], bytes(16)]:
        expected = model.fitting(lambda mine, _, __, token=token: token in mine)
        assert model.asked(Query(token=model.text(token))) == expected
    times = sorted(one.at / 1e6 for _, _, one in known)
    for _ in range(4):
        low, high = sorted(draw.sample(times, 2))
        query = Query(
            caller=draw.choice([None, *CALLERS]), person=draw.choice([None, *PEOPLE]), since=low, until=high,
            operation=draw.choice(OPERATIONS), result=draw.choice([None, "ok", "policy_denied"]),
        )  # fmt: skip
        expected = model.fitting(
            lambda _, people, one, query=query, low=low, high=high: (
                query.caller in {None, one.actor} and (query.person is None or query.person in people)
                and low <= one.at / 1e6 <= high and one.operation == query.operation
                and query.result in {None, one.result}
            )
        )  # fmt: skip
        assert model.asked(query, 3) == expected


def test_a_persons_events_say_what_happened_to_their_items(model: Model) -> None:
    audit, actor = model.shop.vault.audit, model.shop.actor
    keys = model.shop.resources.keyring.keys(actor.tenant)
    (digest,) = subject_digests(keys.primary(Purpose.ROUTE), actor.tenant, ["p-2"])
    told = audit.person(actor, "p-2", limit=1_000)
    assert [one.record_id for one in told.events] == model.fitting(lambda _, people, __: "p-2" in people)
    for event in told.events:
        record = model.named[bytes.fromhex(event.record_id)][2]
        items = of_person(record, digest)
        fields = [record.field.split()[record.which[at] if record.which else 0] for at in items]
        assert (event.items, set(event.fields)) == (len(items), set(fields))
        assert (event.caller, event.operation, event.reference, event.origin) == (
            record.actor, record.operation, "case:c-1", "10.0.0.1",
        )  # fmt: skip
    assert audit.person(actor, "nobody").events == ()


def test_a_record_is_proved_to_be_in_the_tree_and_each_tree_in_the_next(model: Model) -> None:
    audit, actor = model.shop.vault.audit, model.shop.actor
    held, status = check(model.shop), audit.status(actor)
    vkeys = [key.vkey for key in status.keys]
    assert len(vkeys) == 2
    for record_id in random.Random(2).sample(list(model.named), 12):
        proof = audit.prove(actor, record_id.hex())
        said = next(filter(None, [outside.checkpoint(proof.note, key) for key in vkeys]))
        assert said[:2] == (proof.origin, proof.size) == (status.origin, status.size)
        assert decode(proof.leaf).id == record_id
        assert outside.includes(proof.leaf, proof.position, proof.size, list(proof.proof), said[2])
        smaller = audit.prove(actor, proof.position, proof.position + 1)
        root = outside.mth(held[: smaller.size])
        assert outside.includes(smaller.leaf, smaller.position, smaller.size, list(smaller.proof), root)
    for first in random.Random(3).sample(range(1, len(held)), 12):
        told = audit.consistency(actor, None, first, len(held))
        roots = outside.mth(held[:first]), outside.mth(held)
        assert outside.extends(first, len(held), list(told.proof), *roots)


def test_leaves_come_with_their_hashes_and_the_log_with_its_checkpoints(model: Model) -> None:
    audit, actor, held = model.shop.vault.audit, model.shop.actor, leaves(model.shop)
    part = audit.leaves(actor, 1, 3, 20)
    assert (list(part.leaves), part.first) == (held[3:23], 3)
    assert list(part.hashes) == [outside._sha(b"\0" + leaf) for leaf in part.leaves]
    assert audit.leaves(actor, 1, len(held), 20).leaves == ()
    assert b"".join(part.hashes) in audit.tiles(actor, 1, 0, 0)
    found = audit.checkpoints(actor, 1, 0, 1_000)
    assert audit.checkpoints(actor, 1, int(found[3].split("\n")[1]), 2) == found[4:6]
    assert audit.checkpoint(actor) == found[-1]
    with pytest.raises(UnknownRecord):
        audit.checkpoint(actor, size=1_000_000)


def test_an_export_is_verified_and_holds_the_records(model: Model) -> None:
    audit, actor, held = model.shop.vault.audit, model.shop.actor, leaves(model.shop)
    keys = [notes.Verifier(key.vkey) for key in audit.status(actor).keys]
    for form in ("ndjson", "csv"):
        reader = archive.Reader(audit.export(actor, form, first=2, end=60), keys)
        assert [entry for batch in reader for entry in batch] == list(enumerate(held[2:60], 2))
        assert reader.summary is not None
        assert reader.summary.records == 58
    times = sorted(one.at for _, _, one in model.named.values())
    first, end = audit.between(actor, times[20] / 1e6, times[30] / 1e6)
    inside = [at for at, leaf in enumerate(held) if times[20] <= decode(leaf).at <= times[30]]
    assert first <= inside[0] < inside[-1] < end < len(held)


def test_a_record_that_waits_is_not_proved_and_answers_say_that_it_waits(plain: Shop) -> None:
    audit, actor = plain.vault.audit, plain.actor
    before = audit.status(actor)
    assert (before.log, before.size, before.pending) == (0, 0, 1)
    record_id = decode(waiting(plain)[0]).id.hex()
    with pytest.raises(NotSealed):
        audit.prove(actor, record_id)
    with pytest.raises(UnknownRecord):
        audit.prove(actor, "00" * 16)
    with pytest.raises(UnknownLog):
        audit.checkpoint(actor)
    assert audit.records(actor, Query()).records == ()
    sealer(plain.resources).run_round()
    assert audit.prove(actor, record_id).position == 1
    assert audit.status(actor).pending == 1  # that of the proof


def test_a_tile_that_is_gone_is_told_as_damage(plain: Shop) -> None:
    audit, actor = plain.vault.audit, plain.actor
    sealer(plain.resources).run_round()
    assert audit.prove(actor, 0).size == 2
    with plain.resources.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit_tile")
    with pytest.raises(AuditDamaged):
        audit.prove(actor, 0)
    with pytest.raises(AuditDamaged):
        audit.consistency(actor, None, 1, 2)


def test_each_answer_is_on_record_and_names_what_was_read(plain: Shop) -> None:
    audit, actor = plain.vault.audit, plain.actor
    token = plain.tokenize("phone", "+8613800138000", subjects=["p-1"])[0]
    one = sealer(plain.resources)
    one.run_round()
    audit.status(actor)
    audit.records(actor, Query(token=token))
    audit.person(actor, "p-1")
    audit.leaves(actor, 1, 0, 5)
    list(audit.export(actor))
    one.run_round()
    read = [record for record in map(decode, check(plain)) if record.operation == "audit_read"]
    assert [record.target for record in read] == [
        "status 1",
        "records",
        "person",
        "leaves 1 0",
        "export 1 0 3",
    ]
    assert [len(record.tokens) for record in read] == [0, 16, 0, 0, 0]
    assert [len(record.persons) for record in read] == [0, 0, 16, 0, 0]
    seen = audit.person(actor, "p-1").events
    assert "audit_read" in {event.operation for event in seen}  # who looked at a person's trail is in it


def test_an_erasure_changes_nothing_of_a_log_and_the_person_is_still_found(plain: Shop) -> None:
    one, audit = sealer(plain.resources), plain.vault.audit
    plain.tokenize("phone", "+8613800138000", subjects=["p-1"])
    one.run_round()
    held, seen = check(plain), [event.record_id for event in audit.person(plain.actor, "p-1").events]
    plain.vault.erase(plain.actor, "p-1")
    one.run_round()
    assert check(plain)[: len(held)] == held
    later = [event.record_id for event in audit.person(plain.actor, "p-1").events]
    assert later[-len(seen) :] == seen
    assert decode(held[-1]).persons in {decode(leaf).persons for leaf in check(plain)[len(held) :]}


def test_nobody_sees_another_tenants_log(plain: Shop) -> None:
    token = plain.tokenize("phone", "+8613800138000")[0]
    sealer(plain.resources).run_round()
    mine, theirs = plain.vault.audit.status(plain.actor), plain.vault.audit.status(plain.tests)
    assert mine.origin != theirs.origin
    other = Actor(plain.tests.tenant, "live", "key_1", "r")
    assert plain.vault.audit.records(other, Query(token=token)).records == ()
    record_id = decode(leaves(plain)[-1]).id.hex()
    with pytest.raises(UnknownRecord):
        plain.vault.audit.prove(plain.tests, record_id)
    with pytest.raises(InvalidCheckpoint):
        plain.vault.audit.reopen(plain.tests, plain.vault.audit.checkpoint(plain.actor))


@pytest.mark.parametrize(
    "ask",
    [
        lambda audit, actor: audit.records(actor, Query(), "no cursor"),
        lambda audit, actor: audit.records(actor, Query(), "1-99999999999999999999"),
        lambda audit, actor: audit.records(actor, Query(), limit=0),
        lambda audit, actor: audit.records(actor, Query(since=-1.0)),
        lambda audit, actor: audit.records(actor, Query(until=float("inf"))),
        lambda audit, actor: audit.leaves(actor, 1, -1),
        lambda audit, actor: audit.leaves(actor, 1, 0, 5_001),
        lambda audit, actor: audit.tiles(actor, 1, 9, 0),
        lambda audit, actor: audit.prove(actor, "xyz"),
        lambda audit, actor: audit.prove(actor, 0, 0),
        lambda audit, actor: audit.prove(actor, 0, 10**9),
        lambda audit, actor: audit.consistency(actor, 1, 5, 3),
        lambda audit, actor: audit.consistency(actor, 1, 0, 10**9),
        lambda audit, actor: audit.export(actor, "xml"),
        lambda audit, actor: audit.export(actor, "csv", None, 3, 2),
        lambda audit, actor: audit.reopen(actor, "no checkpoint"),
    ],
)
def test_what_makes_no_sense_is_refused(sealed_once: Shop, ask: Callable[..., object]) -> None:
    with pytest.raises(InvalidRequest):
        ask(sealed_once.vault.audit, sealed_once.actor)


@pytest.fixture(scope="module")
def sealed_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop that nothing is changed in."""
    opened = open_shop(f"sqlite:///{tmp_path_factory.mktemp('audit')}/vault.db")
    sealer(opened.resources).run_round()
    yield opened
    opened.vault.close()


def test_after_a_restore_the_next_log_names_the_checkpoint_outside_and_what_is_lost(shop: Shop) -> None:
    audit, actor, one = shop.vault.audit, shop.actor, sealer(shop.resources)
    one.run_round()
    kept = audit.status(actor).size
    with pytest.raises(LogNotBehind):
        audit.reopen(actor, audit.checkpoint(actor))
    before = dump(shop)
    shop.vault.record_refusal(shop.actor, "reveal", "lost")
    one.run_round()
    newest, lost = audit.checkpoint(actor), leaves(shop)[kept:]
    restore(shop, before)
    shop.vault.record_refusal(shop.actor, "reveal", "after")
    told = audit.reopen(actor, newest)
    assert (told.log, told.size) == (2, 0)
    assert told.former is not None
    assert (told.former.checkpoint, told.former.lost_from) == (newest, kept)
    assert told.former.lost_to == kept + len(lost) - 1
    one.run_round()
    first = decode(check(shop, 2)[0])
    body = newest.split("\n")[:3]
    assert (first.operation, first.target.split()) == (
        "log_opened",
        [*body, str(kept), str(kept + len(lost) - 1)],
    )
    assert len(check(shop, 1)) == kept
    with pytest.raises(LogNotBehind):
        audit.reopen(actor, newest)
    found = audit.records(actor, Query(operation="bootstrap"))
    assert [one.log for one in found.records] == [1]  # both logs are searched
    assert audit.prove(actor, found.records[0].record.id.hex()).log == 1


def test_a_checkpoint_that_no_key_of_the_tenant_signed_opens_no_log(plain: Shop) -> None:
    sealer(plain.resources).run_round()
    name = plain.vault.audit.status(plain.actor).origin
    forged = notes.Signer(name, bytes(32)).sign(f"{name}\n99\n{'A' * 43}=\n")
    with pytest.raises(InvalidCheckpoint):
        plain.vault.audit.reopen(plain.actor, forged)


def test_old_records_leave_the_database_once_they_are_in_a_file_and_the_others_are_still_proved(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.audit.archiving.RANGE", 16)
    model, one = Model(shop, 8), sealer(shop.resources)
    for _ in range(4):
        model.write(12)
        one.run_round()
    held = leaves(shop)
    shop.later(30 * 86_400)
    model.write(3)
    one.run_round()
    folder = tmp_path / "archive"
    folder.mkdir()
    kept = replace(shop.resources, records=Records(folder, 20))
    assert Retention(shop.resources).run_once(lambda: False) == 0  # without a folder nothing goes
    assert Retention(kept).run_once(lambda: False) == len(held) // 16 * 16
    dropped = len(held) // 16 * 16
    files = sorted(folder.iterdir())
    status = shop.vault.audit.status(shop.actor)
    keys = [notes.Verifier(key.vkey) for key in status.keys]
    found = [
        entry for file in files for batch in archive.Reader([file.read_bytes()], keys) for entry in batch
    ]
    assert found == list(enumerate(held[:dropped]))
    assert status.dropped == dropped
    acts = [record for record in map(decode, waiting(shop)) if record.operation == "archive_audit"]
    told = [(file, at) for at, file in zip(range(0, dropped, 16), files, strict=True)]
    assert [(act.actor, act.count, act.target) for act in acts] == [
        ("maintenance", 16, f"{status.origin} {at} {at + 16} {sha256(file.read_bytes()).hexdigest()}")
        for file, at in told
    ]
    with pytest.raises(UnknownRecord):
        shop.vault.audit.leaves(shop.actor, 1, dropped - 1)
    proof = shop.vault.audit.prove(shop.actor, dropped)
    said = next(filter(None, [outside.checkpoint(proof.note, key.vkey) for key in status.keys]))
    assert outside.includes(proof.leaf, proof.position, proof.size, list(proof.proof), said[2])
    expected = model.fitting(lambda _, __, record: record.actor == "key_a")
    there = {decode(leaf).id.hex() for leaf in shop.vault.audit.leaves(shop.actor, 1, dropped, 1_000).leaves}
    assert model.asked(Query(caller="key_a")) == [record_id for record_id in expected if record_id in there]
    assert Retention(kept).run_once(lambda: False) == 0


def test_a_file_that_cannot_be_written_drops_nothing(
    plain: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.audit.archiving.RANGE", 2)
    sealer(plain.resources).run_round()
    plain.later(30 * 86_400)
    kept = replace(plain.resources, records=Records(tmp_path / "away", 20))
    with pytest.raises(OSError, match="away"):
        Retention(kept).run_once(lambda: False)
    assert plain.vault.audit.status(plain.actor).dropped == 0


def test_of_old_checkpoints_the_last_of_an_hour_stays(plain: Shop) -> None:
    one, sizes = sealer(plain.resources), list[tuple[int, int]]()
    for _ in range(16):
        plain.vault.record_refusal(plain.actor, "reveal", "refused")
        one.run_round()
        sizes.append((plain.resources.database.now() // 3_600_000_000, len(leaves(plain))))
        plain.later(1_300)
    plain.later(86_400)
    plain.vault.record_refusal(plain.actor, "reveal", "refused")
    one.run_round()
    retention = Retention(plain.resources)
    for _ in range(3):
        retention.run_once(lambda: False)
    kept = [int(note.split("\n")[1]) for note in plain.vault.audit.checkpoints(plain.actor, limit=1_000)]
    assert kept == [*dict(sizes).values(), len(leaves(plain))]


TABLES = (
    "audit_record",
    "audit_log",
    "audit_leaf",
    "audit_tile",
    "audit_checkpoint",
    "audit_run",
    "audit_signer",
)


def dump(shop: Shop) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of the audit's tables."""
    with shop.resources.database.read() as connection:
        return {
            table: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}")]
            for table in TABLES
        }


def restore(shop: Shop, rows: dict[str, list[tuple[object, ...]]]) -> None:
    """Put the audit's tables back as they were."""

    def work(transaction: Transaction) -> None:
        for table, held in rows.items():
            transaction.connection.exec_driver_sql(f"DELETE FROM {table}")
            transaction.dialect.insert(transaction.connection, table, held)

    shop.resources.database.write(work)


def test_keys_that_somebody_wrote_into_the_database_are_not_told_as_the_logs(shop: Shop) -> None:
    sealer(shop.resources).run_round()
    before = shop.vault.audit.status(shop.actor)
    thief = notes.Signer(before.origin, bytes(32))
    shop.resources.database.write(
        lambda transaction: (
            transaction.connection.execute(audit_signer.update().values(public=thief.public)) and None
        )
    )
    forged = audit_signer.insert().values(
        tenant=shop.actor.tenant, log=1, key=77, public=thief.public, created_at=0
    )
    shop.resources.database.write(lambda transaction: transaction.connection.execute(forged) and None)
    assert shop.vault.audit.status(shop.actor).keys == before.keys


def test_of_a_person_and_a_token_nothing_is_missed_where_the_clock_was_set_back(plain: Shop) -> None:
    one = sealer(plain.resources)
    (token,) = plain.tokenize("phone", "+8613800138000", subjects=["ann"])
    one.run_round()
    plain.later(7_200)
    since = plain.resources.database.now() / 1e6
    plain.plain(token)
    one.run_round()
    plain.later(-7_200)
    for _ in range(30):
        plain.vault.record_refusal(plain.actor, "reveal", "refused")
    one.run_round()
    events = plain.vault.audit.person(plain.actor, "ann", since=since).events
    assert [event.operation for event in events] == ["reveal"]
    found = plain.vault.audit.records(plain.actor, Query(token=token, since=since)).records
    assert [one.record.operation for one in found] == ["reveal"]


def test_a_restored_log_that_went_on_is_said_to_be_forked(plain: Shop) -> None:
    one = sealer(plain.resources)
    one.run_round()
    before = dump(plain)
    plain.vault.record_refusal(plain.actor, "reveal", "lost")
    one.run_round()
    newest = plain.vault.audit.checkpoint(plain.actor)
    restore(plain, before)
    for _ in range(3):
        plain.vault.record_refusal(plain.actor, "reveal", "after")
    one.run_round()
    with pytest.raises(LogNotBehind, match="forked"):
        plain.vault.audit.reopen(plain.actor, newest)
