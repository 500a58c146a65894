"""The calls of custodians: against a real service from end to end, and what a server that fails does to them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from strongroom_client import (
    Client,
    Forbidden,
    Job,
    Keyset,
    KeyVersion,
    NotFound,
    Refused,
    StrongroomError,
    Unfinished,
)

from tests.client.conftest import KEY
from tests.client.faults import Act, Faults, answer, hang_up, problem
from tests.service import Service
from tests.working import working

JOB = {
    "id": "job_1", "kind": "rotate_keyset", "target": "keyset seal", "state": "running", "phase": "rows",
    "done": 1, "total": 3, "skipped": 0, "error": None, "notes": {"key": "0" * 16},
    "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:01Z", "finished_at": None,
}  # fmt: skip
DONE = {**JOB, "state": "done", "phase": "end", "done": 3, "finished_at": "2026-01-01T00:00:02Z"}
FAILED = {**DONE, "state": "failed", "error": "unreadable_value", "skipped": 1}

STARTS: dict[str, Callable[[Client], object]] = {
    "rotate": lambda client: client.rotate_keyset("seal"),
    "compromise": lambda client: client.compromise_key("0" * 16),
    "move": lambda client: client.move_root("transit"),
    "rotate root": lambda client: client.rotate_root("transit"),
    "rewrap": lambda client: client.rewrap("transit"),
    "cancel": lambda client: client.cancel_destruction("0" * 16),
}


def primary(keyset: Keyset) -> KeyVersion:
    (found,) = [version for version in keyset.versions if version.state == "active"]
    return found


def test_a_custodian_turns_and_destroys(service: Service) -> None:
    with working(service), Client(service.url, service.keys["live"]) as vault:
        vault.tokenize("phone", "13800138000", subject="customer-1")
        old = primary(vault.keyset("seal"))
        assert old.needed_by is not None
        assert (old.needed_by["persons"], old.condition) == (1, "ok")
        seen: list[Job] = []
        started = vault.rotate_keyset("seal")
        job = vault.wait_for_job(started.id, timeout=60, every=0.1, progress=seen.append)
        assert (job.ended, job.failed, job.done, job.error) == (True, False, job.total, None)
        assert (seen[-1], vault.jobs()[0], vault.job(job.id)) == (job, job, job)
        new = primary(vault.keyset("seal"))
        assert (new.id, job.notes.key) == (job.notes.key, new.id)
        with pytest.raises(Refused, match="new writes") as refused:
            vault.destroy_key(new.id)
        assert (refused.value.code, refused.value.status) == ("key_in_use", 409)
        assert vault.disable_key(old.id).state == "suspended"
        assert vault.enable_key(old.id).state == "deactivated"
        assert vault.destroy_key(old.id, wait_seconds=86_400).destroy_at is not None
        assert vault.cancel_destruction(old.id).destroy_at is None
        leaked = vault.wait_for_job(vault.compromise_key(new.id).id, timeout=60, every=0.1)
        assert (leaked.state, leaked.notes.compromised) == ("done", new.id)
        assert {one.purpose for one in vault.keysets()} == {"seal", "index", "audit", "password", "route"}


def test_roots_and_refusals(service: Service) -> None:
    with Client(service.url, service.keys["live"]) as vault:
        (root,) = vault.roots()
        assert (root.version, root.state) == (None, "ok")
        refusals = {
            "root_cannot_turn": lambda: vault.rotate_root(root.name),
            "unknown_root": lambda: vault.rewrap("nowhere"),
            "keyset_does_not_rotate": lambda: vault.rotate_keyset("route"),
            "key_state": lambda: vault.cancel_destruction(vault.keyset("seal").versions[0].id),
        }
        for code, call in refusals.items():
            with pytest.raises(Refused) as caught:
                call()
            assert caught.value.code == code
        for missing in (
            lambda: vault.keyset("x/y"),
            lambda: vault.job("job_0"),
            lambda: vault.enable_key(".."),
        ):
            with pytest.raises(NotFound):
                missing()
        only = vault.create_api_key("look", ["keys"]).key
    with Client(service.url, only) as looker:
        assert looker.keysets()
        with pytest.raises(Forbidden):
            looker.rotate_keyset("seal")


@pytest.mark.parametrize("fault", [problem(503, "deadline_exceeded"), hang_up])
@pytest.mark.parametrize("start", STARTS)
def test_what_starts_a_job_is_sent_once(client: Client, faults: Faults, fault: Act, start: str) -> None:
    faults.play(fault)
    with pytest.raises(StrongroomError):
        STARTS[start](client)
    assert len(faults.seen) == 1


def test_waiting_tells_of_each_look(client: Client, faults: Faults, waits: list[float]) -> None:
    faults.play(answer(JOB), problem(503, "store_unavailable"), answer(JOB), answer(FAILED))
    seen: list[Job] = []
    job = client.wait_for_job("job_1", every=2.0, progress=seen.append)
    assert (job.failed, job.error, job.skipped) == (True, "unreadable_value", 1)
    assert [one.state for one in seen] == ["running", "running", "failed"]
    assert [wait for wait in waits if wait == 2.0] == [2.0, 2.0]
    assert {request.path for request in faults.seen} == {"/v1/jobs/job_1"}


def test_waiting_ends_in_time(faults: Faults) -> None:
    faults.play(answer(JOB))
    began = time.monotonic()
    with Client(faults.url, KEY) as client, pytest.raises(Unfinished, match="job_1") as caught:
        client.wait_for_job("job_1", timeout=0.3, every=0.1)
    assert time.monotonic() - began < 5
    assert caught.value.code == "unfinished"
    assert len(faults.seen) >= 2
