"""Numbers about backups for Prometheus, as any process reads them from the database."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from vault.recovery.standing import Standing


def backup_gauges(standing: Standing | None) -> bytes:
    """Return how backups stand, in the text format; nothing where none are made, or where that cannot be read."""
    if standing is None or standing.state is None:
        return b""
    registry = CollectorRegistry()
    registry.register(_BackupGauges(standing))
    return generate_latest(registry)


class _BackupGauges:
    """What was just read, as prometheus-client collects it."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families; before the first backup or drill, their seconds are endless."""
        standing, endless = self._standing, float("inf")
        ages = GaugeMetricFamily("strongroom_backup_age_seconds", "Age of the newest backup", labels=["kind"])
        for kind, seconds in standing.ages.items():
            ages.add_metric([kind], seconds)
        yield ages
        up = GaugeMetricFamily(
            "strongroom_backup_target_up", "Whether a target takes backups", labels=["target"]
        )
        for name, works in standing.targets.items():
            up.add_metric([name], float(works))
        yield up
        for name, words, value in (
            (
                "unshipped",
                "Seconds since all that was stored lay at the targets: what is at risk",
                standing.unshipped,
            ),
            ("drilled_age", "Age of the newest data that a drill restored", standing.drilled),
        ):
            yield GaugeMetricFamily(
                f"strongroom_backup_{name}_seconds", words, value=endless if value is None else value
            )
