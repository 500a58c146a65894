"""Places outside fail under a running service: it refuses until one is well, and then nothing is missing in any.

The places are a file on a small disk, a pipe and a syslog receiver; each fails in its own ways while a caller
tokenizes. What was acknowledged is on record in every place at the end, by its request id.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.databases import missing
from tests.service import Service, running
from tests.vault.sinks.places import FifoPlace, FilePlace, Held, Place, SyslogPlace
from tests.vault.webhooks import Inbox, receiving
from tests.waiting import until
from vault.audit.leaf import decode


class Load:
    """A caller that tokenizes without a pause, and remembers which requests were acknowledged and which refused."""

    def __init__(self, service: Service) -> None:
        self.service, self.acknowledged, self.refused = service, list[str](), list[str]()
        self.others: list[tuple[int, str]] = []
        self._over, self._number = Event(), 0
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def goes_on(self) -> None:
        """Wait until more requests are served."""
        before = len(self.acknowledged)
        until(lambda: len(self.acknowledged) > before + 2)

    def is_refused(self) -> None:
        """Wait until more requests are refused."""
        before = len(self.refused)
        until(lambda: len(self.refused) > before)

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            self._number += 1
            name = f"load-{self._number}"
            status, code = self._ask(name)
            if status == 201:
                self.acknowledged.append(name)
            elif (status, code) == (503, "audit_unavailable"):
                self.refused.append(name)
                self._over.wait(0.02)
            else:
                self.others.append((status, code))

    def _ask(self, name: str) -> tuple[int, str]:
        body = json.dumps({"field": "phone", "value": f"+86138{self._number:08}"}).encode()
        headers = {
            "Authorization": f"Bearer {self.service.keys['live']}", "Content-Type": "application/json",
            "X-Request-Id": name,
        }  # fmt: skip
        request = urllib.request.Request(self.service.url + "/v1/tokens", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, ""
        except urllib.error.HTTPError as error:
            with error:
                return error.code, str(json.load(error)["code"])


@contextmanager
def served(folder: Path, places: Sequence[Place]) -> Iterator[tuple[Service, Inbox]]:
    (folder / "secret").write_text("whsec_" + b64encode(bytes(range(32))).decode())
    with receiving() as inbox:
        settings = {
            "STRONGROOM_AUDIT_SINKS": " ".join(place.url() for place in places),
            "STRONGROOM_ALARM_WEBHOOKS": inbox.url, "STRONGROOM_WORKERS": "1",
            "STRONGROOM_ALARM_WEBHOOK_SECRET_FILE": str(folder / "secret"),
        }  # fmt: skip
        with running(folder, f"sqlite:///{folder}/vault.db", **settings) as service:
            yield service, inbox


@pytest.fixture
def places(tmp_path: Path) -> Iterator[list[Place]]:
    if os.geteuid() != 0:
        missing("a small disk", "run the tests as root, who may mount one")
    made = [kind(tmp_path) for kind in (FilePlace, FifoPlace, SyslogPlace)]
    yield made
    for place in made:
        place.close()


def kinds_told(inbox: Inbox) -> set[str]:
    return {json.loads(body)["data"]["kind"] for _, body in inbox.got}


def failed(inbox: Inbox) -> set[str]:
    """Return the places of which it was told that they fail."""
    said = [json.loads(body)["data"] for _, body in inbox.got]
    return {one["caller"] for one in said if one["kind"] == "audit_sink_failed"}


def on_record(held: Held) -> set[str]:
    return {record.request_id for record in map(decode, held.values()) if record.operation == "tokenize"}


def test_it_refuses_until_a_place_is_well_and_loses_nothing(tmp_path: Path, places: list[Place]) -> None:
    file, pipe, syslog = places
    with served(tmp_path, places) as (service, inbox):
        load = Load(service)
        load.goes_on()
        pipe.break_it("no reader")
        syslog.break_it("silent")
        until(lambda: failed(inbox) == {pipe.url(), syslog.url()})
        load.goes_on()  # one place is enough
        assert load.refused == []
        file.break_it("removed")
        load.is_refused()
        load.goes_on()  # the file begins anew by itself
        file.break_it("full")
        load.is_refused()
        file.heal()
        load.goes_on()
        pipe.heal()
        syslog.heal()
        load.end()
        assert load.others == []
        acknowledged = set(load.acknowledged)
        for place in places:
            until(lambda place=place: acknowledged <= on_record(place.held()))
        until(lambda: {"audit_sink_recovered", "audit_paused", "audit_resumed"} <= kinds_told(inbox))
