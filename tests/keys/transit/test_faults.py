"""What only a proxy can show: bursts of 5xx, drips, cut connections, redirects; all within the budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

import pytest

from keys.errors import RootUnavailable
from keys.providers.transit import TransitRoot
from tests.keys.transit.outage import assert_clean, mended, refused
from tests.keys.transit.proxy import Act, Proxy, cut, drip, drip_body, proxy_to, status
from tests.vault_server import Transit


@pytest.fixture
def proxy(transit: Transit) -> Iterator[Proxy]:
    with proxy_to(transit.server) as made:
        yield made


@pytest.fixture
def root(transit: Transit, proxy: Proxy) -> TransitRoot:
    """A provider that talks through the proxy, and has done so once."""
    made = transit.root(replace(transit.place, address=proxy.url, ca=None))
    made.check()
    return made


@pytest.mark.parametrize(
    "acts", [[status(503)], [status(429)], [status(500), status(502)], [cut], [status(412)]]
)
def test_a_short_burst_is_not_noticed(root: TransitRoot, proxy: Proxy, acts: list[Act]) -> None:
    proxy.acts = list(acts)
    root.check()


@pytest.mark.parametrize(
    "act",
    [status(500), status(503), status(429), status(599), drip, drip_body, cut, status(307), status(200, b"no json"),
     status(200, b"[]"), status(200, b'{"data":{"batch_results":[]}}')],
    ids=["500", "503", "429", "599", "drip", "drip-body", "cut", "redirect", "no-json", "list", "short"],
)  # fmt: skip
def test_a_lasting_fault_refuses_in_time_and_passes(root: TransitRoot, proxy: Proxy, act: Act) -> None:
    proxy.acts, proxy.stuck = [act], True
    error = refused(root, RootUnavailable)
    assert_clean(error, ["canary-of-vault"])
    proxy.acts, proxy.stuck = [], False
    mended(root)


def test_after_a_failure_requests_are_refused_at_once(root: TransitRoot, proxy: Proxy) -> None:
    proxy.acts, proxy.stuck = [drip], True
    refused(root, RootUnavailable)
    seen, begun = len(proxy.seen), monotonic()
    for _ in range(50):
        with pytest.raises(RootUnavailable):
            root.check()
    assert monotonic() - begun < 1  # otherwise each would take its whole budget
    assert len(proxy.seen) == seen
