"""Log-ins over HTTP: what tokenizing notices of them, what a storm of them takes, and whether time tells a login."""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, variance

from bench import load, values
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from tests.service import Service

LOGINS = 64
PASSWORD = "a sentence that nobody guesses"
SHARE = 0.8  # of what is measured to be the most verifications a second
TARGET = 0.5  # of tokenizing: its p99 at most twice that of a quiet machine
STORM = 1_000
OFFERED = 100.0  # single values tokenized a second, whose p99 is looked at


def run(place: Place, service: Service, plan: Plan) -> list[Line]:
    """Give logins passwords; offer verifications, tokenize beside them, storm, compare known with unknown logins."""
    logins = enrol(service, LOGINS if plan.rounds > 1 else 4)
    verify = [_verify(service, login, PASSWORD) for login in logins]
    most = load.once(service.port, verify, 6).rate
    return [
        Line(
            "logins",
            place.store,
            "verify, as many as there can be",
            most,
            "verifications",
            note="6 connections",
        ),
        _noticed(place, service, plan, verify, SHARE * most),
        _storm(place, service, verify, plan),
        compare(place, service, logins, 200 if plan.rounds > 1 else 4),
    ]


def enrol(service: Service, count: int) -> list[str]:
    """Return the tokens of new logins, each with the password."""
    names = [f"bench.login.{at}" for at in range(count)]
    made = service.post("/v1/tokens/column", {"field": "login_name", "values": names, "deterministic": True})
    tokens = made[1]["tokens"]
    assert isinstance(tokens, list)
    for token in tokens:
        status, _ = service.post("/v1/passwords", {"login": token, "password": PASSWORD})
        if status != 201:
            raise SystemExit(f"a password was not stored: {status}")
    return [str(token) for token in tokens]


def _verify(service: Service, login: str, password: str) -> bytes:
    return load.post("/v1/passwords/verify", {"login": login, "password": password}, service.keys["live"])


def _noticed(place: Place, service: Service, plan: Plan, verify: Sequence[bytes], rate: float) -> Line:
    """Offer single values to tokenize, alone and beside verifications, in turn, so that both meet one machine."""
    cards = values.cards(6 * 10**8, 1_000)
    key = service.keys["live"]
    asks = [load.post("/v1/tokens", {"field": "bank_card", "value": card}, key) for card in cards]

    def tokenize() -> load.Load:
        return load.offered(service.port, asks, plan.connections, plan.seconds * 4, OFFERED)

    alone, beside, seen = [], [], []
    lasts = max(plan.seconds * 6, 4 / rate)
    for _ in range(plan.rounds):
        alone.append(tokenize().p99)
        thread = threading.Thread(
            target=lambda: seen.append(load.offered(service.port, verify, 16, lasts, rate))
        )
        thread.start()
        time.sleep(plan.seconds)
        beside.append(tokenize().p99)
        thread.join()
    quiet, busy = sorted(alone)[len(alone) // 2], sorted(beside)[len(beside) // 2]
    failed = sum(one.failed for one in seen)
    note = (
        f"p99 {busy * 1000:.1f} against {quiet * 1000:.1f} ms at {OFFERED:.0f} values/s; "
        f"{rate:.1f} verifications/s offered, p99 {max(one.p99 for one in seen):.2f} s, {failed} refused"
    )
    what = "1/p99 of tokenizing, verifying at 80 %"
    return Line("logins", place.store, what, 1 / busy, "p99s", "without", 1 / quiet, TARGET, note)


def _storm(place: Place, service: Service, verify: Sequence[bytes], plan: Plan) -> Line:
    """Send very many verifications at once, and watch how much memory the hasher holds."""
    count = STORM if plan.rounds > 1 else 20
    hasher, most = _hasher(service), [0]
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            most[0] = max(most[0], _resident(hasher))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    seen = load.once(service.port, [verify[at % len(verify)] for at in range(count)], count)
    over.set()
    watcher.join()
    ceiling = int(service.settings.get("STRONGROOM_HASHING_MEMORY_MIB", "512"))
    held = most[0] / 1_024
    good = seen.requests - seen.failed
    note = f"{held:.0f} of {ceiling} MiB held at most; {good} verified, {seen.failed} told to come again"
    return Line(
        "logins",
        place.store,
        f"ceiling / memory, {count:,} at once",
        ceiling / held,
        "times",
        "one",
        1.0,
        1.0,
        note,
    )


def _hasher(service: Service) -> int:
    """Return the process id of the service's hasher."""
    assert service.process is not None
    for stat in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = stat.read_bytes().split(b"\0")
            group = int((stat.parent / "stat").read_text().rpartition(")")[2].split()[2])
        except OSError:
            continue
        if b"hasher" in words and group == service.process.pid:
            return int(stat.parent.name)
    raise SystemExit("the service has no hasher")


def _resident(process: int) -> int:
    """Return the kibibytes of memory that a process holds now."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def compare(place: Place, service: Service, logins: Sequence[str], count: int) -> Line:
    """Time wrong passwords of logins that exist and that do not, in turn; Welch's t of the two says if they differ."""
    known, unknown = [], []
    ask = _asker(service)
    for at in range(count):
        known.append(ask(logins[at % len(logins)]))
        unknown.append(ask(f"tok_live_{at:035x}"))
    t = welch(known, unknown)
    note = (
        f"{fmean(known) * 1000:.2f} against {fmean(unknown) * 1000:.2f} ms, Welch t {t:+.2f} of {count} each"
    )
    return Line(
        "logins", place.store, "unknown login, wrong password", 1 / fmean(unknown), "answers",
        "known", 1 / fmean(known), note=note,
    )  # fmt: skip


def _asker(service: Service) -> Callable[[str], float]:
    """Return what sends a wrong password, unlocks the login again, and returns the seconds of the former."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    headers = {"Authorization": f"Bearer {service.keys['live']}", "Content-Type": "application/json"}

    def send(path: str, body: dict[str, str]) -> float:
        start = time.perf_counter()
        connection.request("POST", path, json.dumps(body), headers)
        reply = connection.getresponse()
        reply.read()
        took = time.perf_counter() - start
        if reply.status != 200:
            raise SystemExit(f"{path} answered {reply.status}")
        return took

    def ask(login: str) -> float:
        took = send("/v1/passwords/verify", {"login": login, "password": "another sentence altogether"})
        send("/v1/passwords/unlock", {"login": login})
        return took

    return ask


def welch(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Welch's t of two samples: beyond some 2 the means differ, at 5 %."""
    spread = variance(one) / len(one) + variance(other) / len(other)
    return (fmean(one) - fmean(other)) / math.sqrt(spread)
