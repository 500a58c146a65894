"""Places outside fail under a running service: it refuses until they are well, and then nothing is missing in them.

The place is a file on a small disk, then a pipe, then a syslog receiver; each fails in its own ways while callers
tokenize. What was acknowledged is on record in the place at the end, by its request id.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.service import Service, running
from tests.vault.sinks.places import FifoPlace, FilePlace, Held, Place, SyslogPlace
from tests.vault.webhooks import Inbox, receiving
from tests.waiting import until
from vault.audit.leaf import decode

FAULTS: dict[type[Place], list[str]] = {
    FilePlace: ["removed", "full"],
    FifoPlace: ["no reader"],
    SyslogPlace: ["silent"],
}


class Load:
    """A caller that tokenizes without a pause, and remembers which requests were acknowledged and which refused."""

    def __init__(self, service: Service) -> None:
        self.service, self.acknowledged, self.refused = service, list[str](), list[str]()
        self.others: list[tuple[int, str]] = []
        self._over, self._number = Event(), 0
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

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
def served(kind: type[Place], folder: Path) -> Iterator[tuple[Place, Service, Inbox]]:
    if kind is FilePlace and os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    place = kind(folder)  # type: ignore[call-arg]
    (folder / "secret").write_text("whsec_" + b64encode(bytes(range(32))).decode())
    try:
        with receiving() as inbox:
            settings = {
                "STRONGROOM_AUDIT_SINKS": place.url(), "STRONGROOM_ALARM_WEBHOOKS": inbox.url,
                "STRONGROOM_ALARM_WEBHOOK_SECRET_FILE": str(folder / "secret"), "STRONGROOM_WORKERS": "1",
            }  # fmt: skip
            with running(folder, f"sqlite:///{folder}/vault.db", **settings) as service:
                yield place, service, inbox
    finally:
        place.close()


def kinds_told(inbox: Inbox) -> set[str]:
    return {json.loads(body)["data"]["kind"] for _, body in inbox.got}


def on_record(held: Held) -> set[str]:
    return {record.request_id for record in map(decode, held.values()) if record.operation == "tokenize"}


@pytest.mark.parametrize("kind", FAULTS)
def test_it_refuses_until_it_is_well_and_loses_nothing(kind: type[Place], tmp_path: Path) -> None:
    with served(kind, tmp_path) as (place, service, inbox):
        load = Load(service)
        for fault in FAULTS[kind]:
            before = len(load.acknowledged)
            until(lambda before=before: len(load.acknowledged) > before)
            refused = len(load.refused)
            place.break_it(fault)
            until(lambda refused=refused: len(load.refused) > refused)
            place.heal()
            before = len(load.acknowledged)
            until(lambda before=before: len(load.acknowledged) > before + 5)
        load.end()
        assert load.others == []
        acknowledged = set(load.acknowledged)
        until(lambda: acknowledged <= on_record(place.held()))
        wanted = {"audit_sink_failed", "audit_paused", "audit_sink_recovered", "audit_resumed"}
        until(lambda: wanted <= kinds_told(inbox))
