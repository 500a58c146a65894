"""Two businesses, live and test data: whatever one asks with the other's names, it learns and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from api.config import Settings
from api.wiring import open_vault
from tests.scenarios import records
from tests.scenarios.caller import Answer, Caller
from tests.scenarios.traces import TABLES
from tests.service import NO_HASHER, Service, running

VALUE, CARD, SUBJECT, NOTE = "+8613800138000", "6222021234567894", "customer-1", "a note of the victim"


@dataclass
class Victim:
    """One tenant's data, and everything that somebody else may have learned of it."""

    caller: Caller
    tenant: int
    url: str
    opaque: list[str]
    shaped: str
    cursor: str
    key_id: str
    other_key: str
    once: dict[str, Any]

    def state(self) -> dict[str, list[Any]]:
        """Return every row of the tenant's, and every audit record, wherever the sealer has put it by now."""
        nobodys = (
            "epoch",
            "lease",
            "approval",
            "alarm_delivery",
            *(t for t in TABLES if t.startswith("audit_")),
        )
        named: dict[str, str | None] = {"tenant": "id", **dict.fromkeys(nobodys)}
        kept = {table: named.get(table, "tenant") for table in TABLES}
        told = [
            one
            for one in records.audit(self.url)
            if (one.tenant, one.actor != "sealer") == (self.tenant, True)
        ]
        return {"audit": sorted(map(repr, told))} | {
            table: sorted(
                map(repr, records.rows(self.url, f"SELECT * FROM {table} WHERE {column} = {self.tenant}"))
            )
            for table, column in kept.items()
            if column is not None
        }


@dataclass
class Case:
    """Who asks, and whose data it is after."""

    stranger: Caller
    victim: Victim


def victim(service: Service, key: str) -> Victim:
    """Give a tenant data of every kind."""
    caller = Caller(service.port, key)
    once = {"field": "phone", "values": [VALUE], "source": "once"}
    tokens = caller.tokens("phone", [VALUE] * 5, subjects=[SUBJECT] * 5, metadata=[{"note": NOTE}] * 5)
    tokens += [caller.token("phone", VALUE, deterministic=True), caller.token("phone", VALUE, kind="one_way")]
    tokens += caller.good("/v1/tokens/column", once, Idempotency_Key="once-1")["tokens"]
    shaped = caller.token("bank_card", CARD, kind="shaped", lookalike=True)
    cursor = caller.ask("GET", "/v1/tokens?limit=2").body["next_cursor"]
    made = caller.good("/v1/apikeys", {"name": "x", "operations": ["find"]})
    key_id = caller.ask("GET", "/v1/apikeys").body["apikeys"][0]["id"]
    tenant = records.rows(service.database_url, "SELECT tenant FROM api_key WHERE id = :id", id=key_id)[0][0]
    return Victim(caller, tenant, service.database_url, tokens, shaped, cursor, key_id, made["id"], once)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("tenants")
    quiet = {"STRONGROOM_MAINTENANCE_SECONDS": "3600", **NO_HASHER}
    with running(folder, f"sqlite:///{folder}/vault.db", **quiet) as service:
        vault = open_vault(Settings(database_url=service.database_url, root_key_file=folder / "root.key"))
        service.keys |= {f"rival {mode}": key for mode, (_, key) in vault.bootstrap("rival").items()}
        vault.close()
        yield service


@pytest.fixture(scope="module", params=["rival live", "rival test", "test"])
def case(request: pytest.FixtureRequest, served: Service) -> Iterator[Case]:
    """Somebody else's live and test keys, and the business's own test key, against its live data."""
    target = victim(served, served.keys["live"])
    stranger = Caller(served.port, served.keys[request.param])
    yield Case(stranger, target)
    stranger.close()
    target.caller.close()


Attack = Callable[[Caller, Victim], Answer]


def reveal(caller: Caller, them: Victim) -> Answer:
    ask = {"tokens": them.opaque, "purpose": "service", "view": "plain", "metadata": True}
    return caller.post("/v1/reveal", ask)


def reveal_masked(caller: Caller, them: Victim) -> Answer:
    return caller.post("/v1/reveal", {"tokens": them.opaque, "purpose": "service"})


def reveal_shaped(caller: Caller, them: Victim) -> Answer:
    return caller.post("/v1/reveal", {"tokens": [them.shaped], "field": "bank_card", "purpose": "service"})


def reveal_in_own_mode(caller: Caller, them: Victim) -> Answer:
    turned = [f"tok_{mode}_{token[9:]}" for token in them.opaque for mode in ("live", "test")]
    return caller.post("/v1/reveal", {"tokens": turned, "purpose": "service", "view": "plain"})


def describe(caller: Caller, them: Victim) -> Answer:
    return caller.post("/v1/tokens/describe", {"tokens": [*them.opaque, them.shaped], "field": "bank_card"})


def show(caller: Caller, them: Victim) -> Answer:
    return caller.ask("GET", f"/v1/tokens/{them.opaque[0]}")


def remove(caller: Caller, them: Victim) -> Answer:
    return caller.ask("DELETE", f"/v1/tokens/{them.opaque[0]}")


def delete(caller: Caller, them: Victim) -> Answer:
    return caller.post("/v1/tokens/delete", {"tokens": [*them.opaque, them.shaped], "field": "bank_card"})


def find(caller: Caller, them: Victim) -> Answer:
    return caller.post("/v1/find", {"field": "phone", "values": [VALUE]})


def list_from_their_cursor(caller: Caller, them: Victim) -> Answer:
    return caller.ask("GET", f"/v1/tokens?limit=1000&cursor={them.cursor}")


def list_their_subject(caller: Caller, them: Victim) -> Answer:
    return caller.ask("GET", f"/v1/subjects/{SUBJECT}/tokens")


def list_their_subject_from_their_cursor(caller: Caller, them: Victim) -> Answer:
    return caller.ask("GET", f"/v1/subjects/{SUBJECT}/tokens?cursor={them.cursor}")


def erase(caller: Caller, them: Victim) -> Answer:
    return caller.ask("DELETE", f"/v1/subjects/{SUBJECT}")


def revoke(caller: Caller, them: Victim) -> Answer:
    return caller.ask("DELETE", f"/v1/apikeys/{them.key_id}")


def rotate(caller: Caller, them: Victim) -> Answer:
    return caller.post(f"/v1/apikeys/{them.other_key}/rotate", {"overlap_seconds": 0})


def list_keys(caller: Caller, them: Victim) -> Answer:
    return caller.ask("GET", "/v1/apikeys")


def repeat_their_request(caller: Caller, them: Victim) -> Answer:
    return caller.post("/v1/tokens/column", them.once, Idempotency_Key="once-1")


def use_their_key_for_another(caller: Caller, them: Victim) -> Answer:
    return caller.post(
        "/v1/tokens/column", {**them.once, "values": [VALUE, VALUE]}, Idempotency_Key="once-1-2"
    )


def same_value(caller: Caller, them: Victim) -> Answer:
    return caller.post("/v1/tokens", {"field": "phone", "value": VALUE, "deterministic": True})


def same_value_one_way(caller: Caller, them: Victim) -> Answer:
    return caller.post("/v1/tokens", {"field": "phone", "value": VALUE, "kind": "one_way"})


def same_subject(caller: Caller, them: Victim) -> Answer:
    return caller.post("/v1/tokens", {"field": "phone", "value": VALUE, "subject": SUBJECT})


ATTACKS: list[Attack] = [
    reveal, reveal_masked, reveal_shaped, reveal_in_own_mode, describe, show, remove, delete, find,
    list_from_their_cursor, list_their_subject, list_their_subject_from_their_cursor, erase, revoke, rotate,
    list_keys, repeat_their_request, use_their_key_for_another, same_value, same_value_one_way, same_subject,
    erase, list_their_subject,
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_a_stranger_learns_and_changes_nothing(case: Case, attack: Attack) -> None:
    them, before = case.victim, case.victim.state()
    answer = attack(case.stranger, them)
    assert answer.status in {200, 201, 404, 422}, answer.raw
    said = answer.raw.decode() + repr(answer.headers)
    for theirs in (
        *them.opaque,
        *(token[9:] for token in them.opaque),
        them.shaped,
        NOTE,
        them.key_id,
        them.other_key,
    ):
        assert theirs not in said
    assert "Idempotency-Replayed".lower() not in answer.headers
    for secret in (VALUE, VALUE[3:], "****8000", CARD):
        assert secret not in said
    for error in answer.body.get("errors", ()):
        assert error["code"] in {"unknown_token", "wrong_mode", "malformed_token"}
    assert them.state() == before


def test_the_victim_still_has_everything(case: Case) -> None:
    them = case.victim
    readable = [token for token in them.opaque if token != them.opaque[6]]
    assert set(them.caller.plain(readable)) == {VALUE}
    assert them.caller.plain([them.shaped], field="bank_card") == [CARD]
    again = them.caller.post("/v1/tokens/column", them.once, Idempotency_Key="once-1")
    assert again.headers["idempotency-replayed"] == "true"
    assert them.caller.ask("GET", f"/v1/subjects/{SUBJECT}/tokens").status == 200


def test_the_attacks_would_be_seen(served: Service) -> None:
    """The same requests with the victim's own key do learn and change."""
    them = victim(served, served.keys["live"])
    assert VALUE in reveal(them.caller, them).raw.decode()
    assert them.opaque[0] in list_their_subject(them.caller, them).raw.decode()
    before = them.state()
    assert delete(them.caller, them).body["deleted"] == len(them.opaque) + 1
    assert them.state() != before
    them.caller.close()
