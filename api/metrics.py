"""Numbers for Prometheus: requests, their seconds, values by field and result; never a caller's text.

With several workers each writes its own files into `metrics_dir`, and any of them answers for all
(prometheus-client's multi-process mode); what starts the service empties the directory first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from vault.alarms import KINDS
from vault.gauging import Numbers
from vault.passwords.hasher import Load

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds


class Metrics:
    """One application's counters; thread-safe."""

    def __init__(self, directory: Path | None = None) -> None:
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            # The library asks for the name whenever it opens a file.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
        shared = directory is not None
        values.ValueClass = values.MultiProcessValue() if shared else values.MutexValue  # type: ignore[no-untyped-call]
        self._directory = directory
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "strongroom_requests", "Requests", ["route", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            "strongroom_request_seconds",
            "Seconds a request took",
            ["route"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._values = Counter(
            "strongroom_values",
            "Values and tokens, each counted",
            ["operation", "field", "result"],
            registry=registry,
        )
        self._requests_of: dict[tuple[str, str, int], Counter] = {}
        self._seconds_of: dict[str, Histogram] = {}
        self._values_of: dict[tuple[str, str, str], Counter] = {}

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a template of ours."""
        key = (route, method, status)
        counter = self._requests_of.get(key)
        if counter is None:
            self._seconds_of[route] = self._seconds.labels(route)  # before the counter that others look for
            counter = self._requests_of[key] = self._requests.labels(route, method, str(status))
        counter.inc()
        self._seconds_of[route].observe(seconds)

    def values(self, operation: str, field: str, result: str, count: int) -> None:
        """Count values or tokens; `field` is a name of ours, or "any" where a request names none."""
        if count:
            key = (operation, field, result)
            counter = self._values_of.get(key)
            if counter is None:
                counter = self._values_of[key] = self._values.labels(*key)
            counter.inc(count)

    def text(self) -> bytes:
        """Return everything in the text format, of all processes."""
        if self._directory is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self._directory))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def key_gauges(lease: float | None, roots: Mapping[str, str]) -> bytes:
    """Return how the keys stand in the process that answers, in the text format: each process has a lease of its own.

    Args:
        lease: seconds until the first lease in memory ends; None if no key is held.
        roots: "ok", or what is wrong, by the root's name.
    """
    registry = CollectorRegistry()
    registry.register(_KeyGauges(lease, roots))
    return generate_latest(registry)


def hashing_gauges(load: Load | None) -> bytes:
    """Return how busy the hasher is, in the text format; None: it does not answer. All processes ask the same one."""
    registry = CollectorRegistry()
    registry.register(_HashingGauges(load))
    return generate_latest(registry)


def audit_gauges(numbers: Numbers | None) -> bytes:
    """Return how the audit stands, in the text format; None: it cannot be read. All processes say the same."""
    if numbers is None:
        return b""
    registry = CollectorRegistry()
    registry.register(_AuditGauges(numbers))
    return generate_latest(registry)


class _AuditGauges:
    """What was just read, as prometheus-client collects it."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Yield the families."""
        raised = CounterMetricFamily("strongroom_alarms", "Alarms raised", labels=["kind"])
        for kind in KINDS:
            raised.add_metric([kind], float(self._numbers.alarms.get(kind, 0)))
        yield raised
        up = GaugeMetricFamily(
            "strongroom_audit_sink_up", "Whether a place outside takes the audit's records", labels=["sink"]
        )
        for name, works in self._numbers.sinks.items():
            up.add_metric([name], float(works))
        yield up
        words = "Age of the oldest audit record that is not sealed"
        yield GaugeMetricFamily("strongroom_audit_unsealed_seconds", words, value=self._numbers.unsealed)


class _HashingGauges:
    """What was just asked, as prometheus-client collects it."""

    def __init__(self, load: Load | None) -> None:
        self._load = load

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families; without an answer only that there is none."""
        up = float(self._load is not None)
        yield GaugeMetricFamily("strongroom_hasher_up", "Whether the hasher of passwords answers", value=up)
        if self._load is None:
            return
        for name, words, value in (
            ("running", "Password hashes that run", self._load.running),
            ("waiting", "Password hashes that wait", self._load.waiting),
            ("memory_bytes", "Memory of the password hashes that run", self._load.memory * 1_024),
            ("ceiling_bytes", "Memory that password hashes may take at once", self._load.ceiling * 1_024),
        ):
            yield GaugeMetricFamily(f"strongroom_hashing_{name}", words, value=float(value))


class _KeyGauges:
    """What was just asked, as prometheus-client collects it."""

    def __init__(self, lease: float | None, roots: Mapping[str, str]) -> None:
        self._lease, self._roots = lease, roots

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families."""
        words = "Seconds until the keys in this process's memory are dropped, unless their root answers"
        yield GaugeMetricFamily("strongroom_key_lease_seconds", words, value=self._lease or 0.0)
        answers = GaugeMetricFamily("strongroom_root_up", "Whether a root key answers", labels=["root"])
        for name, word in self._roots.items():
            answers.add_metric([name], float(word == "ok"))
        yield answers
