"""Rows changed by somebody who writes to the database: a sealed value opens where it was sealed, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.scenarios import records
from tests.scenarios.caller import Answer, Caller, calling
from tests.scenarios.campaign import rounds
from tests.service import NO_HASHER, Service, running

ALICE, BOB, NOTE = "+8613800138000", "+8613900139000", "a note"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("moved")
    quiet = {"STRONGROOM_MAINTENANCE_SECONDS": "3600", **NO_HASHER}
    with running(folder, f"sqlite:///{folder}/vault.db", **quiet) as service:
        yield service


@pytest.fixture
def caller(served: Service) -> Iterator[Caller]:
    with calling(served) as made:
        yield made


def stored(token: str) -> str:
    """Return the stored form of an opaque token as SQL has it."""
    return f"x'01{token[12:]}'"


def asked(caller: Caller, *tokens: str) -> Answer:
    ask = {"tokens": list(tokens), "purpose": "service", "view": "plain", "metadata": True}
    return caller.post("/v1/reveal", ask)


def closed(caller: Caller, token: str, *others: str) -> None:
    """Check that a token does not open, that its reply says nothing of it, and that `others` open as ever."""
    for view in ("plain", "masked"):
        for metadata in (True, False):
            ask = {"tokens": [token], "purpose": "service", "view": view, "metadata": metadata}
            answer = caller.post("/v1/reveal", ask)
            if metadata is False and answer.status == 200:
                continue  # its metadata was moved, not its value
            assert (answer.status, answer.body["code"]) == (500, "unreadable_value"), answer.raw
            said = answer.raw.decode().replace(str(answer.body["request_id"]), "")  # random, any digits
            for text in (ALICE, BOB, NOTE, "8000", "9000", token):
                assert text not in said
    if others:
        assert asked(caller, *others).status == 200
        assert asked(caller, token, *others).status == 500  # the column as a whole


MOVES = {
    "values exchanged": "sealed = CASE token WHEN {one} THEN {two_sealed} ELSE {one_sealed} END",
    "value and metadata exchanged": "sealed = metadata, metadata = sealed",
    "metadata in place of the value": "sealed = metadata",
    "value in place of the metadata": "metadata = sealed",
    "another field": "field = 'bank_account'",
    "another key named": "sealed = CAST(x'010000000000000001' || substr(sealed, 10) AS BLOB)",
    "the other format": "sealed = CAST(iif(subject IS NULL, x'02', x'01') || substr(sealed, 2) AS BLOB)",
    "a format of tomorrow": "sealed = CAST(x'03' || substr(sealed, 2) AS BLOB)",
    "empty": "sealed = x''",
    "the header alone": "sealed = substr(sealed, 1, 9)",
    "no tag": "sealed = substr(sealed, 1, length(sealed) - 16)",
    "a byte too few": "sealed = substr(sealed, 1, length(sealed) - 1)",
    "a byte too many": "sealed = CAST(sealed || x'00' AS BLOB)",
    "the first byte gone": "sealed = substr(sealed, 2)",
}


@pytest.mark.parametrize("subject", [None, "alice"])
@pytest.mark.parametrize("move", MOVES)
def test_a_moved_value_does_not_open(served: Service, caller: Caller, move: str, subject: str | None) -> None:
    about = {"subjects": [subject] * 3, "metadata": [{"note": NOTE}] * 3}
    one, two, other = caller.tokens("phone", [ALICE, BOB, BOB], **about)
    names = {"one": stored(one), "two": stored(two)}
    for name in ("one", "two"):
        query = f"SELECT hex(sealed) FROM token WHERE token = {names[name]}"
        names[f"{name}_sealed"] = f"x'{records.rows(served.database_url, query)[0][0]}'"
    change = MOVES[move].format(**names)
    pair = f"({names['one']}, {names['two']})"
    assert records.change(served.database_url, f"UPDATE token SET {change} WHERE token IN {pair}") == 2
    closed(caller, one, other)
    closed(caller, two, other)


def test_a_row_taken_to_another_token(served: Service, caller: Caller) -> None:
    one = caller.token("phone", ALICE, metadata={"note": NOTE})
    false = one[:-4] + ("0000" if one[-4:] != "0000" else "1111")
    change = f"UPDATE token SET token = {stored(false)} WHERE token = {stored(one)}"
    assert records.change(served.database_url, change) == 1
    assert asked(caller, one).body["errors"][0]["code"] == "unknown_token"
    closed(caller, false)


def test_a_row_taken_to_another_tenant(served: Service, caller: Caller) -> None:
    """A row of live data, with its person's key, put under the test tenant's id."""
    with calling(served, "test") as tester:
        for subject in (None, "bob"):
            theirs = tester.token("phone", BOB, subject="bob")
            test = records.rows(
                served.database_url, f"SELECT tenant FROM token WHERE token = {stored(theirs)}"
            )[0][0]
            one = caller.token("phone", ALICE, subject=subject)
            for table, where in (("token", f"token = {stored(one)}"), ("subject", "tenant <> :test")):
                names = [row[1] for row in records.rows(served.database_url, f"PRAGMA table_info({table})")]
                columns = ", ".join(":test" if name == "tenant" else f'"{name}"' for name in names)
                copy = f"INSERT OR IGNORE INTO {table} SELECT {columns} FROM {table} WHERE {where}"
                records.change(served.database_url, copy, test=test)
            moved = "tok_test_" + one[9:]
            answer = asked(tester, moved)
            assert answer.status in {500, 503}, answer.raw
            assert ALICE not in answer.raw.decode()
            assert asked(tester, theirs).body["values"] == [BOB]
            assert asked(caller, one).body["values"] == [ALICE]


def test_a_value_given_to_another_person(served: Service, caller: Caller) -> None:
    one, two = caller.tokens("phone", [ALICE, BOB], subjects=["carol", "dave"])
    change = (
        f"UPDATE token SET subject = (SELECT subject FROM token WHERE token = {stored(two)}) "
        f"WHERE token = {stored(one)}"
    )
    assert records.change(served.database_url, change) == 1
    closed(caller, one, two)


def test_two_persons_keys_exchanged(served: Service, caller: Caller) -> None:
    one, two = caller.tokens("phone", [ALICE, BOB], subjects=["erin", "frank"])
    who = "(SELECT subject FROM token WHERE token = {})"
    wrapped = {
        token: records.rows(
            served.database_url,
            f"SELECT hex(wrapped), key FROM subject WHERE digest = {who.format(stored(token))}",
        )[0]
        for token in (one, two)
    }
    for token, other in ((one, two), (two, one)):
        change = (
            f"UPDATE subject SET wrapped = x'{wrapped[other][0]}' WHERE digest = {who.format(stored(token))}"
        )
        assert records.change(served.database_url, change) == 1
    for token in (one, two):
        answer = asked(caller, token)
        assert answer.status in {500, 503}, answer.raw
        assert not any(value in answer.raw.decode() for value in (ALICE, BOB))


def test_any_bit_of_any_value(served: Service, caller: Caller) -> None:
    """One bit turned, anywhere: format, key id, nonce, ciphertext, tag."""
    draw = Random(4)
    for subject in (None, "grace"):
        token = caller.token("phone", ALICE, subject=subject)
        where = f"WHERE token = {stored(token)}"
        sealed = bytes.fromhex(
            records.rows(served.database_url, f"SELECT hex(sealed) FROM token {where}")[0][0]
        )
        bits = range(len(sealed) * 8)
        for bit in draw.sample(bits, rounds(80, len(bits))):
            turned = bytearray(sealed)
            turned[bit // 8] ^= 1 << bit % 8
            records.change(served.database_url, f"UPDATE token SET sealed = x'{turned.hex()}' {where}")
            answer = asked(caller, token)
            assert answer.status in {500, 503}, (bit, answer.raw)
            assert ALICE not in answer.raw.decode()
        records.change(served.database_url, f"UPDATE token SET sealed = x'{sealed.hex()}' {where}")
        assert asked(caller, token).body["values"] == [ALICE]


def test_a_key_of_another_keyset_or_tenant(served: Service, caller: Caller) -> None:
    """Wrapped keys exchanged between tenants or purposes do not open, and nothing is sealed under them."""
    token = caller.token("phone", ALICE)
    tenants = [row[0] for row in records.rows(served.database_url, "SELECT id FROM tenant ORDER BY mode")]
    live, test = tenants[0], tenants[1]
    kept = records.rows(served.database_url, "SELECT tenant, id, purpose, hex(wrapped) FROM key_version")
    seal = {
        tenant: next(row for row in kept if row[0] == tenant and row[2] == "seal") for tenant in (live, test)
    }
    served.stop()
    change = "UPDATE key_version SET wrapped = x'{}' WHERE id = {}"
    records.change(served.database_url, change.format(seal[test][3], seal[live][1]))
    served.start()
    caller.close()
    for answer in (asked(caller, token), caller.post("/v1/tokens", {"field": "phone", "value": BOB})):
        assert (answer.status, answer.body["code"]) == (503, "unwrap_failed")
    served.stop()
    records.change(served.database_url, change.format(seal[live][3], seal[live][1]))
    served.start()
    caller.close()
    assert asked(caller, token).body["values"] == [ALICE]
