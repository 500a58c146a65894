"""Passwords under `kill -9`: the one that was acknowledged last is the one that is right, whatever turned meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.client import HTTPException
from pathlib import Path
from random import Random

import pytest

from tests.databases import migrated_database
from tests.scenarios.campaign import rounds
from tests.scenarios.custodian import custody
from tests.service import Service, running
from tests.waiting import until
from vault.errors import JobRunning

SETTINGS = {
    "STRONGROOM_MAINTENANCE_SECONDS": "1", "STRONGROOM_LOG_LEVEL": "error", "STRONGROOM_PASSWORD_PROFILE": "owasp-7",
    "STRONGROOM_HASHING_WAIT_SECONDS": "60",
}  # fmt: skip
PERSONS = 6
AGAIN = {"hashing_busy", "hashing_unavailable", "stale_keyset", "store_conflict", "deadline_exceeded"}


class Person:
    """Somebody who keeps changing a password, and knows which it may be now."""

    def __init__(self, service: Service, number: int) -> None:
        self._service, self._number, self._turn = service, number, 0
        self.subject = f"person-{number}"
        self.possible: set[str | None] = {None}  # one, once a change is acknowledged; None: there is none
        self.acknowledged = 0
        self.failures: list[str] = []
        self._over = threading.Event()

    def live(self) -> None:
        """Store a first password, and change it again and again, until told to stop or the service is gone."""
        self._over.clear()
        while not self._over.is_set():
            try:
                self._step()
            except (
                OSError,
                HTTPException,
                ValueError,
            ):  # the service was killed; whether it was done is unknown
                return

    def stop(self) -> None:
        self._over.set()

    def right(self) -> list[str]:
        """Return which of the possible passwords are right."""
        return [one for one in sorted(filter(None, self.possible)) if self._verified(one)]

    def settle(self) -> None:
        """See that exactly one of the possible passwords is right, or that none was ever stored."""
        right = self.right()
        assert right or None in self.possible, f"{self.subject} cannot log in"
        assert len(right) <= 1
        self.possible = set(right) or {None}

    def _step(self) -> None:
        self._turn += 1
        new = f"sentence {self._number} of turn {self._turn} here"
        (old,) = self.possible
        self.possible = {old, new}
        ask: dict[str, object] = {"subject": self.subject, "password": new if old is None else old}
        if old is not None:
            ask["new_password"] = new
        status, body = self._service.post("/v1/passwords" if old is None else "/v1/passwords/change", ask)
        if status in {200, 201}:
            self.possible, self.acknowledged = {new}, self.acknowledged + 1
        else:
            self.possible = {old}
            if body["code"] not in AGAIN:
                self.failures.append(str(body["code"]))

    def _verified(self, password: str) -> bool:
        status, body = 503, dict[str, object]()
        while status == 503:
            ask = {"subject": self.subject, "password": password}
            status, body = self._service.post("/v1/passwords/verify", ask)
        assert status == 200, body["code"]
        return bool(body["verified"])


def campaign(service: Service, times: int) -> int:
    """Kill the service at `times` moments, its password keyset turning; return how many changes were acknowledged."""
    persons = [Person(service, number) for number in range(PERSONS)]
    for number in range(times):
        before = sum(person.acknowledged for person in persons)
        threads = [threading.Thread(target=person.live) for person in persons]
        for thread in threads:
            thread.start()
        _turn(service)
        until(partial(_acknowledged, persons, before + Random(number).randrange(1, 12)))
        service.kill()
        for person, thread in zip(persons, threads, strict=True):
            person.stop()
            thread.join()
        service.start()
        for person in persons:
            assert not person.failures, person.failures[:3]
            person.settle()
    with custody(service) as custodian:
        for job in custodian.vault.jobs(custodian.actor):
            custodian.ended(job.id)
        assert custodian.states("password").count("active") == 1
    for person in persons:
        assert person.right() == sorted(filter(None, person.possible))
    return sum(person.acknowledged for person in persons)


def _acknowledged(persons: list[Person], least: int) -> bool:
    return sum(person.acknowledged for person in persons) >= least


def _turn(service: Service) -> None:
    with custody(service) as custodian:
        try:
            custodian.start("password")
        except JobRunning:  # of the round before
            return


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with (
        migrated_database(request.param, tmp_path, server) as url,
        running(tmp_path, url, **SETTINGS) as service,
    ):
        yield service


def test_the_last_acknowledged_password_is_right(served: Service) -> None:
    assert campaign(served, rounds(4, 100)) >= 10


def test_a_lost_change_would_show(served: Service) -> None:
    """The check itself: somebody's password is put back to an older one behind the service's back."""
    person = Person(served, 0)
    person._step()
    (first,) = person.possible
    person._step()
    person.settle()
    assert person.acknowledged == 2
    status, _ = served.post("/v1/passwords/reset", {"subject": person.subject, "password": first})
    assert status == 200
    with pytest.raises(AssertionError):
        person.settle()
