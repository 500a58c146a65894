"""Columns of any length: cut, sent, put together in order."""

from __future__ import annotations

import pytest
from strongroom_client import Client, Forbidden, InvalidArgument, Item, ItemError, ItemsRefused

from tests.client.faults import Faults, answer, problem, tokens


def test_one_value_becomes_one_token(client: Client, faults: Faults) -> None:
    faults.play(answer({"token": "tok:1"}, 201))
    made = client.tokenize(
        "phone", "13800138000", subject="c-1", metadata={"a": "b"}, ttl_seconds=60, keep_last=4
    )
    assert made == "tok:1"
    assert faults.seen[0].path == "/v1/tokens"
    assert faults.seen[0].json == {
        "field": "phone",
        "value": "13800138000",
        "subject": "c-1",
        "metadata": {"a": "b"},
        "ttl_seconds": 60,
        "keep": {"first": 0, "last": 4},
    }


def test_a_long_column_travels_in_several_requests_and_keeps_its_order(
    client: Client, faults: Faults
) -> None:
    faults.play(answer(tokens))
    done: list[int] = []
    values = [f"v{n}" for n in range(25_001)]
    column = client.tokenize_column(
        "text", values, subjects=[f"s{n}" for n in range(25_001)], progress=done.append
    )
    assert column.tokens == [f"tok:v{n}" for n in range(25_001)]
    assert [len(request.json["values"]) for request in faults.seen] == [10_000, 10_000, 5_001]
    assert [request.json["subjects"][0] for request in faults.seen] == ["s0", "s10000", "s20000"]
    assert done == [10_000, 20_000, 25_001]
    assert faults.connections == 1


def test_a_column_heavier_than_a_request_is_halved(client: Client, faults: Faults) -> None:
    faults.play(answer(tokens))
    values = [str(n) + "x" * 60_000 for n in range(300)]
    assert client.tokenize_column("text", values).tokens == [f"tok:{value}" for value in values]
    assert [len(request.json["values"]) for request in faults.seen] == [75, 75, 75, 75]
    assert all(len(request.body) <= 8 * 1024 * 1024 for request in faults.seen)


def test_a_value_heavier_than_a_request_is_refused_alone(client: Client, faults: Faults) -> None:
    faults.play(answer(tokens))
    column = client.tokenize_column("text", ["a", "x" * (9 << 20), "b"])
    assert column.tokens == ["tok:a", None, "tok:b"]
    assert [(error.index, error.code) for error in column.errors] == [(1, "body_too_large")]


def test_none_stays_none_and_what_is_no_text_is_refused(client: Client, faults: Faults) -> None:
    faults.play(answer(tokens))
    values = ["a", None, "b\ud800", "c", 7]
    column = client.tokenize_column("text", values, subjects=list("12345"))  # type: ignore[list-item]
    assert column.tokens == ["tok:a", None, None, "tok:c", None]
    assert faults.seen[0].json == {"field": "text", "values": ["a", "c"], "subjects": ["1", "4"]}
    assert column.errors == [
        ItemError(2, "invalid_value", "not valid Unicode (a lone surrogate)", "/values/2"),
        ItemError(4, "invalid_value", "must be a string", "/values/4"),
    ]


def test_errors_count_in_the_whole_column(client: Client, faults: Faults) -> None:
    refused = {"index": 1, "code": "invalid_value", "detail": "phone: too short", "pointer": "/values/1"}
    faults.play(answer(tokens), answer({"tokens": ["t", None], "errors": [refused]}))
    column = client.tokenize_column("phone", [str(n) for n in range(10_002)])
    assert column.errors == [ItemError(10_001, "invalid_value", "phone: too short", "/values/10001")]
    with pytest.raises(
        ItemsRefused, match=r"1 of 10002 items refused; the first, item 10001: phone: too short"
    ) as caught:
        column.raise_for_errors()
    assert caught.value.errors == column.errors
    assert caught.value.pointer == "/values/10001"


def test_each_request_of_a_column_has_its_own_idempotency_key(client: Client, faults: Faults) -> None:
    faults.play(answer(tokens))
    for _ in range(2):
        client.tokenize_column("text", ["v"] * 10_001, idempotency_key="order-7")
    assert [request.headers["idempotency-key"] for request in faults.seen] == ["order-7", "order-7.10000"] * 2
    client.tokenize_column("text", ["v"])
    client.tokenize_column("text", ["v"])
    first, second = (request.headers["idempotency-key"] for request in faults.seen[4:])
    assert first != second


def test_an_idempotency_key_too_long_for_the_later_requests_stops_the_first(
    client: Client, faults: Faults
) -> None:
    with pytest.raises(InvalidArgument, match="1 to 200"):
        client.tokenize_column("text", ["v"] * 10_001, idempotency_key="x" * 201)
    assert faults.seen == []
    faults.play(answer(tokens))
    client.tokenize_column("text", ["v"] * 10_001, idempotency_key="x" * 200)
    assert len(faults.seen) == 2


def test_a_stream_is_sent_while_it_is_read(client: Client, faults: Faults) -> None:
    faults.play(answer(tokens))
    read = 0

    def values() -> object:
        nonlocal read
        while read < 30_000:
            read += 1
            yield "v"

    columns = client.tokenize_stream("text", values())  # type: ignore[arg-type]
    assert len(next(columns).tokens) == 10_000
    assert read == 10_000
    assert sum(len(column) for column in columns) == 20_000


def test_mixed_items(client: Client, faults: Faults) -> None:
    error = {"index": 1, "code": "invalid_value", "detail": "email: no @", "pointer": "/items/1/value"}
    faults.play(answer({"tokens": ["t", None], "errors": [error]}))
    items: list[Item] = [
        {"field": "phone", "value": "1", "subject": None, "keep_first": 3},
        {"field": "email", "value": "\ud800"},
        {"field": "email", "value": "x"},
    ]
    column = client.tokenize_items(items)
    assert column.tokens == ["t", None, None]
    assert [error.pointer for error in column.errors] == ["/items/1", "/items/2/value"]
    assert faults.seen[0].json["items"][0] == {
        "field": "phone",
        "value": "1",
        "keep": {"first": 3, "last": 0},
    }


def test_columns_that_do_not_fit_together(client: Client, faults: Faults) -> None:
    with pytest.raises(InvalidArgument, match="equally long"):
        client.tokenize_column("text", ["a", "b"], subjects=["1"])
    with pytest.raises(InvalidArgument, match="not one text"):
        client.tokenize_column("text", "abc")
    assert faults.seen == []


def test_nothing_is_sent_for_an_empty_column(client: Client, faults: Faults) -> None:
    assert client.tokenize_column("text", []).tokens == []
    assert client.reveal_column([None], purpose="service").values == [None]
    assert faults.seen == []


def test_reveal_and_metadata(client: Client, faults: Faults) -> None:
    faults.play(answer({"values": ["1", "2"], "metadata": [{"k": "v"}, None], "errors": []}))
    column = client.reveal_column(["a", None, "b"], purpose="audit", view="plain", metadata=True)
    assert column.values == ["1", None, "2"]
    assert column.metadata == [{"k": "v"}, None, None]
    assert faults.seen[0].json == {
        "tokens": ["a", "b"],
        "purpose": "audit",
        "view": "plain",
        "metadata": True,
    }
    assert "idempotency-key" not in faults.seen[0].headers


def test_grounds_and_comparisons(client: Client, faults: Faults) -> None:
    error = {"index": 1, "code": "invalid_value", "detail": "is none", "pointer": "/tokens/1"}
    faults.play(answer({"values": ["1"], "errors": []}), answer({"matches": [True, None], "errors": [error]}))
    assert client.reveal("a", purpose="legal", view="last4", case="7", subject="customer-1") == "1"
    assert faults.seen[0].json == {
        "tokens": ["a"], "purpose": "legal", "view": "last4", "case": "7", "subject": "customer-1",
    }  # fmt: skip
    column = client.compare_column(["a", None, "b", "c"], ["1", "2", None, "3"], purpose="risk")
    assert column.matches == [True, None, None, None]
    assert [one.index for one in column.errors] == [3]  # where it stood, not where it was sent
    assert faults.seen[1].json == {"tokens": ["a", "c"], "values": ["1", "3"], "purpose": "risk"}
    assert "idempotency-key" not in faults.seen[1].headers
    with pytest.raises(InvalidArgument):
        client.compare_column(["a"], [], purpose="risk")
    faults.play(answer({"matches": [False], "errors": []}))
    assert client.compare("a", "1", purpose="risk") is False


def test_one_refused_item_is_raised(client: Client, faults: Faults) -> None:
    error = {"index": 0, "code": "unknown_token", "detail": "no such token", "pointer": "/tokens/0"}
    faults.play(answer({"values": [None], "errors": [error]}))
    with pytest.raises(Exception, match="no such token") as caught:
        client.reveal("tok_test_x", purpose="service")
    assert (caught.value.code, caught.value.pointer) == ("unknown_token", "/tokens/0")


def test_find_takes_a_thousand_a_request(client: Client, faults: Faults) -> None:
    faults.play(answer(lambda request: {"matches": [[v] for v in request.json["values"]], "errors": []}))
    assert client.find_column("phone", [str(n) for n in range(1_500)]).matches == [
        [str(n)] for n in range(1_500)
    ]
    assert [len(request.json["values"]) for request in faults.seen] == [1_000, 500]
    assert client.find("phone", "7") == ["7"]


def test_list_follows_the_cursor(client: Client, faults: Faults) -> None:
    def page(request: object) -> dict[str, object]:
        last = "cursor=2" in request.path  # type: ignore[attr-defined]
        token = {
            "token": "t",
            "field": "phone",
            "kind": "opaque",
            "deterministic": False,
            "created_at": "2026-11-23T00:00:00Z",
        }
        return {"tokens": [token], "next_cursor": None if last else "2"}

    faults.play(answer(page))
    assert [found.field for found in client.list(field="phone", page=1)] == ["phone", "phone"]
    assert [request.path for request in faults.seen] == [
        "/v1/tokens?field=phone&limit=1",
        "/v1/tokens?field=phone&limit=1&cursor=2",
    ]


@pytest.mark.parametrize(
    ("subject", "segment"), [("a/b", "a%2Fb"), ("..", "%2E%2E"), ("云 1?", "%E4%BA%91%201%3F")]
)
def test_a_subject_stays_one_segment_of_the_path(
    client: Client, faults: Faults, subject: str, segment: str
) -> None:
    faults.play(answer({"subject_erased": True, "tokens": 3, "erasure": "ab"}))
    assert client.erase_subject(subject).tokens == 3
    assert faults.seen[0].path == f"/v1/subjects/{segment}"


def test_delete_counts(client: Client, faults: Faults) -> None:
    error = {"index": 1, "code": "unknown_token", "detail": "no such token", "pointer": "/tokens/1"}
    faults.play(answer({"deleted": 1, "errors": [error]}))
    gone = client.delete_column(["a", "b"])
    assert (gone.deleted, len(gone), [item.index for item in gone.errors]) == (1, 2, [1])
    assert faults.seen[0].headers["idempotency-key"]


def test_a_refusal_of_the_whole_says_where_and_why(client: Client, faults: Faults) -> None:
    faults.play(
        problem(
            403,
            "forbidden_field",
            detail="the key does not reach it",
            pointer="/field",
            request_id="r-1",
            hint="ask",
        )
    )
    with pytest.raises(Forbidden, match="the key does not reach it") as caught:
        client.tokenize("phone", "13800138000")
    error = caught.value
    assert (error.code, error.status, error.pointer, error.request_id, error.hint) == (
        "forbidden_field",
        403,
        "/field",
        "r-1",
        "ask",
    )
