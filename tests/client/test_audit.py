"""The client's calls on the audit and alarms, against a real service and one that fails as told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from strongroom_client import (
    BadReply,
    Client,
    Forbidden,
    InvalidArgument,
    NotFound,
    Refused,
    Unreachable,
)

from tests.client.faults import Faults, answer, problem
from tests.service import Service, running
from tests.vault.audit import outside
from tests.waiting import until
from vault.audit import archive
from vault.audit.notes import Verifier

SUBJECT = "客户/17?"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("audited")
    with running(folder, f"sqlite:///{folder}/vault.db", STRONGROOM_WORKERS="1") as service:
        yield service


@pytest.fixture
def auditor(served: Service) -> Iterator[Client]:
    with Client(served.url, served.keys["live"]) as made:
        yield made


@pytest.fixture(scope="module")
def token(served: Service) -> str:
    """The card of a person, looked at three times, sealed."""
    with Client(served.url, served.keys["live"]) as client:
        made = client.tokenize("bank_card", "4111111111111111", subject=SUBJECT)
        for _ in range(3):
            client.reveal(made, purpose="settle")
        until(lambda: len(list(client.audit_records(token=made, operation="reveal"))) == 3)
        return made


def test_a_log_is_read_in_columns_and_proved(auditor: Client, token: str) -> None:
    status = auditor.audit_status()
    assert (status.log, status.former, status.closed_at) == (1, None, None)
    assert auditor.audit_status(1).origin == status.origin
    parts = list(auditor.audit_leaves(end=status.size, page=2))
    assert {len(part.leaves) for part in parts[:-1]} == {2}
    leaves = [leaf for part in parts for leaf in part.leaves if leaf is not None]
    assert outside.mth(leaves).hex() == status.root
    hashes = [one for part in parts for one in part.hashes]
    assert auditor.audit_tile(0, 0)[: status.size] == hashes
    notes = list(auditor.audit_checkpoints(page=1))
    assert len(set(notes)) == len(notes) > 0
    vkey = status.keys[0].vkey
    sizes = [(outside.checkpoint(note, vkey) or ("", 0, b""))[1] for note in notes]
    assert sizes == sorted(sizes)
    assert notes[0] == auditor.audit_checkpoint(size=sizes[0])
    grown = auditor.prove_consistency(sizes[0], status.size)
    proof = [bytes.fromhex(one) for one in grown.hashes]
    assert outside.extends(sizes[0], status.size, proof, outside.mth(leaves[: sizes[0]]), outside.mth(leaves))
    with pytest.raises(NotFound) as caught:
        auditor.audit_status(9)
    assert caught.value.code == "unknown_log"


def test_records_come_page_by_page_and_say_how_far_they_go(auditor: Client, token: str) -> None:
    pages = list(auditor.audit_pages(subject=SUBJECT, page=3))
    assert all(page.sealed_to > 0 and page.sealed_at for page in pages)
    found = [one for page in pages for one in page.records if one.operation != "audit_read"]
    assert [one.operation for one in found] == ["reveal"] * 3 + ["tokenize"]
    assert len({one.position for one in found}) == 4
    assert list(auditor.audit_records(operation="reveal", since=found[0].at, until=found[0].at)) == [found[0]]
    (one,) = auditor.audit_records(
        operation="tokenize", field="bank_card", result="ok", caller=found[3].caller
    )
    proved = auditor.prove_record(one.id)
    name, size, root = outside.checkpoint(proved.checkpoint, proved.vkey) or ("", 0, b"")
    assert (name, size) == (proved.origin, proved.size)
    path = [bytes.fromhex(one) for one in proved.hashes]
    assert outside.includes(proved.leaf, one.position, size, path, root)
    assert auditor.prove_record(one.position, size=size) == proved
    with pytest.raises(Refused, match="hexadecimal") as caught:
        auditor.prove_record("x")
    assert caught.value.pointer == "/record"


def test_a_person_s_events_are_theirs(auditor: Client, token: str) -> None:
    seen = [one for one in auditor.person_events(SUBJECT) if one.operation != "audit_read"]
    assert [(one.operation, one.fields) for one in seen[:1]] == [("reveal", ["bank_card"])]
    assert len(seen) == 4
    assert {one.caller_name for one in seen} == {"bootstrap"}
    now = datetime.now(UTC)
    assert list(auditor.person_events(SUBJECT, since=now + timedelta(days=1))) == []
    assert next(auditor.person_pages("nobody")).events == []
    with pytest.raises(InvalidArgument):
        next(auditor.person_events(SUBJECT, until=now.replace(tzinfo=None)))


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_an_export_is_handed_on_in_pieces(auditor: Client, token: str, form: str) -> None:
    taken = io.BytesIO()
    auditor.export_audit(taken.write, form=form, first=1, end=4)  # type: ignore[arg-type]
    keys = [Verifier(one.vkey) for one in auditor.audit_status().keys]
    read = [entry for batch in archive.Reader([taken.getvalue()], keys) for entry in batch]
    assert [position for position, _ in read] == [1, 2, 3]
    with pytest.raises(Refused, match="range") as caught:
        auditor.export_audit(taken.write, first=4, end=1)
    assert caught.value.pointer == "/first"


def test_whoever_takes_an_export_may_fail(auditor: Client, token: str) -> None:
    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        auditor.export_audit(full)
    assert not isinstance(caught.value, Unreachable)
    assert auditor.audit_status().log == 1  # the connection is not in between


def test_an_export_is_not_asked_for_again_once_it_began(client: Client, faults: Faults) -> None:
    taken: list[bytes] = []
    faults.play(
        answer(b'{"a":1}\n', content_type="application/x-ndjson", headers={"X": "y"}), problem(503, "x")
    )
    client.export_audit(taken.append)
    assert b"".join(taken) == b'{"a":1}\n'
    with pytest.raises(Refused):
        client.export_audit(taken.append)
    assert len(faults.seen) == 2
    assert len(taken) == 1


def test_replies_that_are_none_are_told(client: Client, faults: Faults) -> None:
    faults.play(answer({"checkpoints": ["nonsense"]}))
    with pytest.raises(BadReply):
        list(client.audit_checkpoints(page=1))
    faults.play(answer({"log": 1, "first": 5, "leaves": ["AAAA"], "hashes": []}))
    with pytest.raises(BadReply):
        list(client.audit_leaves())
    secret = "customer-of-mine-7"
    faults.play(problem(422, "invalid_request", detail=f"{secret} is wrong"))
    with pytest.raises(Refused) as caught:
        list(client.person_events(secret))
    assert secret not in str(caught.value)
    assert all(secret not in one.path for one in faults.seen)


def test_it_is_for_auditors(served: Service, auditor: Client, token: str, tmp_path: Path) -> None:
    made = auditor.create_api_key("clerk", ["reveal"])
    with Client(served.url, made.key) as clerk:
        for call in (clerk.audit_status, lambda: list(clerk.alarms()), lambda: list(clerk.audit_records())):
            with pytest.raises(Forbidden):
                call()
    assert list(auditor.alarms()) == []
    with pytest.raises(NotFound) as caught:
        auditor.acknowledge_alarm("alm_../x")
    assert caught.value.code in {"unknown_alarm", "not_found"}
    with pytest.raises(Refused) as refused:
        auditor.reopen_audit(auditor.audit_checkpoint())
    assert refused.value.code == "log_not_behind"
