"""Types are made by one thread at a time: the first requests of a worker, or of a caller's threads, came at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Eight threads decode a new Struct for the first time, a thousand times over. With msgspec's own Decoder this process
# dies of a null pointer within the first few.
RACE = """
import sys, threading, msgspec
from typing import Optional
from {module} import decoder
sys.setswitchinterval(1e-6)
names = [f"f{{at}}" for at in range(30)]
for number in range(1_000):
    parts = {{"__annotations__": dict.fromkeys(names, Optional[str]), **dict.fromkeys(names)}}
    kind = type(msgspec.Struct)(f"Made{{number}}", (msgspec.Struct,), parts)
    gate = threading.Barrier(8)
    def first():
        gate.wait()
        assert decoder(kind).decode(b'{{"f29": "x"}}').f29 == "x"
    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.mark.parametrize("module", ["api.decoding", "strongroom_client.decoding"])
def test_threads_that_decode_a_type_for_the_first_time_at_once(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RACE.format(module=module)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
