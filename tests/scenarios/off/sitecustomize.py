"""A worker whose clock is off and whose chunks are small: Python loads this where its folder is on the path."""

from __future__ import annotations

import os
import time

from vault.recovery import chunking

_true, _off = time.time, float(os.environ["STRONGROOM_TEST_CLOCK_OFF"])

time.time = lambda: _true() + _off  # in seconds
chunking.ENOUGH = 20_000  # bytes, so that a backup under way is halfway for a while
chunking.LEAST = 0  # the test is all that this machine has to do
