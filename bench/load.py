"""Load over HTTP: requests made beforehand, sent by another process, and what became of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("requests.lua")
LONGEST = 300  # seconds, after which a load generator hangs
WRK = shutil.which("wrk")


@dataclass(frozen=True, slots=True)
class Load:
    """What a load generator saw; times in seconds."""

    requests: int
    failed: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests a second; SystemExit if any failed, for then the rate means nothing."""
        if self.failed:
            raise SystemExit(f"{self.failed} of {self.requests} requests failed")
        return self.requests / self.seconds


def post(path: str, body: object, key: str = "") -> bytes:
    """Return the bytes of a POST request."""
    content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    if key:
        head += f"Authorization: Bearer {key}\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def once(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send each request once."""
    return _run([sys.executable, "-m", "bench.client", str(port), str(connections), "0"], requests)


def lasting(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    """Send the requests again and again for about `seconds`: by wrk where it is installed, else by our own client."""
    if WRK is None or seconds < 1:
        command = [sys.executable, "-m", "bench.client", str(port), str(connections), str(seconds)]
        return _run(command, requests)
    command = [WRK, "-t1", f"-c{connections}", f"-d{seconds:.0f}", "--timeout", "30s", "-s", str(SCRIPT)]
    return _run([*command, f"http://127.0.0.1:{port}/", "--"], requests)


def offered(port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float) -> Load:
    """Offer `rate` requests a second for `seconds`, whatever the service does; times count from when each was due."""
    command = [sys.executable, "-m", "bench.client", str(port), str(connections), str(seconds)]
    return _run(command, requests, str(rate))


def generator() -> str:
    """Return which program sends single requests."""
    return "wrk" if WRK else "bench.client (wrk is not installed)"


def _run(command: Sequence[str], requests: Sequence[bytes], *behind: str) -> Load:
    with tempfile.NamedTemporaryFile(prefix="strongroom-bench-") as file:
        for request in requests:
            file.write(b"%d\n%b" % (len(request), request))
        file.flush()
        whole = [*command, file.name, *behind]
        done = subprocess.run(whole, capture_output=True, text=True, check=False, timeout=LONGEST)
    if done.returncode:
        raise SystemExit(f"the load generator failed: {done.stderr}")
    return Load(**json.loads(done.stdout.splitlines()[-1]))
