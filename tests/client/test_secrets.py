"""No value, token or key comes out of an exception, its chain, a repr or a log."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from strongroom_client import (
    ApiKey,
    Client,
    Description,
    ItemsRefused,
    NewApiKey,
    Refused,
    StrongroomError,
    TokenColumn,
    ValueColumn,
)

from tests.client.conftest import KEY
from tests.client.faults import Act, Faults, answer, hang_up, problem, raw, silent

VALUE, TOKEN, SUBJECT = "6222021234567890123", "tok_test_a1b" + "0f" * 16, "customer-4711-canary"
CANARIES = (VALUE, TOKEN, SUBJECT, KEY, KEY[8:])

CALLS: dict[str, Callable[[Client], object]] = {
    "tokenize": lambda client: client.tokenize("bank_card", VALUE, subject=SUBJECT, metadata={"k": VALUE}),
    "tokenize_column": lambda client: client.tokenize_column("bank_card", [VALUE], subjects=[SUBJECT]),
    "tokenize_items": lambda client: client.tokenize_items(
        [{"field": "bank_card", "value": VALUE, "subject": SUBJECT}]
    ),
    "reveal": lambda client: client.reveal(TOKEN, purpose="service"),
    "describe": lambda client: client.describe(TOKEN),
    "delete": lambda client: client.delete(TOKEN),
    "find": lambda client: client.find("bank_card", VALUE),
    "list": lambda client: list(client.list(subject=SUBJECT)),
    "erase": lambda client: client.erase_subject(SUBJECT),
}
ECHO = f"you sent {VALUE} {TOKEN} {SUBJECT} {KEY}"
ITEM = {"index": 0, "code": "invalid_value", "detail": ECHO, "pointer": f"/values/0/{VALUE}"}
FAULTS: dict[str, Act] = {
    "hang up": hang_up,
    "silent": silent(1),
    "no http": raw(ECHO.encode() + b"\r\n\r\n"),
    "bad header": raw(f"HTTP/1.1 200 OK\r\nContent-Length: {VALUE}x\r\n\r\n{ECHO}".encode()),
    "bad chunk": raw(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{ECHO}\r\n".encode()),
    "echo problem": problem(
        422, "invalid_value", detail=ECHO, hint=ECHO, pointer=f"/{VALUE}/{TOKEN}/{SUBJECT}", request_id=ECHO
    ),
    "echo code": problem(400, ECHO, title=ECHO),
    "echo text": answer(ECHO.encode(), 500, "text/plain"),
    "echo json": answer({"token": [ECHO], "tokens": ECHO, ECHO: ECHO}),
    "echo items": answer(
        {"tokens": [None], "values": [None], "matches": [None], "deleted": 0, "errors": [ITEM]}
    ),
    "redirect": answer(b"", 307, headers={"Location": f"http://127.0.0.1:1/{VALUE}"}),
}


def texts(error: BaseException | None) -> Iterator[str]:
    """Yield all that an exception and its chain say."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        yield from traceback.format_exception_only(error)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_no_exception_repeats_what_was_sent(
    client: Client, faults: Faults, caplog: pytest.LogCaptureFixture, fault: str, call: str
) -> None:
    caplog.set_level(logging.INFO)  # urllib3's DEBUG names paths, as the README says
    faults.play(FAULTS[fault])
    error: BaseException | None = None
    try:
        made = CALLS[call](client)
        if isinstance(made, TokenColumn):
            assert not any(canary in repr(made.errors) for canary in CANARIES)
            made.raise_for_errors()
    except StrongroomError as caught:
        error = caught
    assert error is not None
    assert error.__cause__ is None
    assert error.__context__ is None
    for text in (*texts(error), caplog.text):
        assert not any(canary in text for canary in CANARIES)


def test_a_value_that_is_no_unicode_does_not_come_back(client: Client, faults: Faults) -> None:
    for call in (
        lambda: client.tokenize("text", VALUE + "\ud800"),
        lambda: client.tokenize_column("text", ["a"], subjects=[VALUE + "\ud800"]),
        lambda: client.create_api_key(VALUE + "\ud800", []),
    ):
        with pytest.raises(StrongroomError) as caught:
            call()
        assert caught.value.__context__ is None
        assert not any(VALUE in text for text in texts(caught.value))
    assert faults.seen == []


def test_reprs_count_and_name_but_do_not_show(client: Client) -> None:
    described = Description(
        TOKEN, "phone", "opaque", deterministic=False, created_at=datetime(2026, 11, 23, tzinfo=UTC)
    )
    shown = [
        client,
        vars(client)["_transport"],
        TokenColumn([TOKEN]),
        ValueColumn([VALUE], [{"k": VALUE}]),
        described,
        NewApiKey(id="k1", name="backend", operations=[], key=KEY),
        ApiKey(id="k1", name="backend", operations=[]),
    ]
    for thing in shown:
        assert not any(canary in repr(thing) for canary in CANARIES)
    assert repr(TokenColumn([TOKEN])) == "<TokenColumn: 1 items, 0 refused>"
    assert repr(described) == "<Description: opaque token of a phone, created 2026-11-23T00:00:00+00:00>"


def test_words_of_the_server_reach_the_caller_in_one_printable_line(client: Client, faults: Faults) -> None:
    faults.play(problem(422, "invalid_value", detail="not\x1b[31m a\ncard"))
    with pytest.raises(Refused, match=r"^not \[31m a card$"):
        client.tokenize("bank_card", VALUE)


def test_errors_travel_between_processes() -> None:
    error = Refused("no", code="invalid_value", status=422, pointer="/value", request_id="r", hint="h")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), vars(again)) == (str(error), vars(error))
    assert pickle.loads(pickle.dumps(ItemsRefused("no"))).errors == []
