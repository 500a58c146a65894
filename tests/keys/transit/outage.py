"""What every outage must show: its code within two seconds, no secret in it, and normal by itself after."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable

import pytest

from keys.errors import KeyProblem
from keys.providers.transit import TransitRoot

REFUSES_SECONDS = 3.0  # promised: 2; a busy machine may take a little more
MENDS_SECONDS = 10.0


def refused(root: TransitRoot, kind: type[KeyProblem]) -> KeyProblem:
    """Return how the root refuses; it must do so in time."""
    begun = time.monotonic()
    with pytest.raises(kind) as caught:
        root.check()
    assert time.monotonic() - begun < REFUSES_SECONDS
    return caught.value


def mended(root: TransitRoot) -> None:
    """Wait until the root works again, at most ten seconds."""
    end = time.monotonic() + MENDS_SECONDS
    while True:
        try:
            return root.check()
        except KeyProblem:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def assert_clean(error: BaseException, secrets: Iterable[str]) -> None:
    """Check that neither an error, nor what it was raised from or during, says a secret."""
    told = "".join(traceback.format_exception(error))
    seen: list[BaseException | None] = [error]
    while seen:
        one = seen.pop()
        if one is not None:
            told += f"{one!r} {vars(one)!r}"
            assert type(one).__module__.startswith(("keys.", "builtins")), type(one)
            seen += [one.__cause__, one.__context__]
    for secret in secrets:
        assert secret not in told
