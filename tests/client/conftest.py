"""A client of a server that fails as told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from strongroom_client import Client, Retries, Timeout

from tests.client.faults import Faults, serve

KEY = "sr_test_CanaryCanaryCanaryCanaryCanaryCanary"


@pytest.fixture
def faults() -> Iterator[Faults]:
    with serve() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(faults: Faults, waits: list[float]) -> Iterator[Client]:
    retries = Retries(sleep=waits.append, draw=lambda limit: limit)
    with Client(faults.url, KEY, timeout=Timeout(connect=1.0, read=0.5), retries=retries) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "API_KEY", "API_KEY_FILE", "TOKEN_FILE", "CA"):
        monkeypatch.delenv(f"STRONGROOM_{name}", raising=False)
