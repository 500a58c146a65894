"""A network of its own for a test: a namespace at the other end of a wire that is slow, and can be cut."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RATE = "20mbit"
HERE, THERE = "10.231.86.1", "10.231.86.2"  # in a network of this machine alone
GET_NETWORK = "run the tests as root, who may make network namespaces, and install iproute2"


class NoNetwork(Exception):
    """Nobody lets us make a network; says how to get it."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One that passes RATE to the other end, `there`; what runs there is started through `within`."""

    name: str
    there: str = THERE

    @property
    def within(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def sent(self) -> int:
        """Return how many bytes this end has sent."""
        return int(Path(f"/sys/class/net/{self.name}/statistics/tx_bytes").read_text())

    def cut(self) -> None:
        """Cut it: nobody is told, and nothing arrives any more."""
        _ip("-n", self.name, "link", "set", "there", "down")

    def mend(self) -> None:
        """Let it pass again."""
        _ip("-n", self.name, "link", "set", "there", "up")


@contextmanager
def wire() -> Iterator[Wire]:
    """Give a wire; NoNetwork if this process may make none."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("tc") is None:
        raise NoNetwork(GET_NETWORK)
    name = f"strong{secrets.token_hex(4)}"
    if subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode:
        raise NoNetwork(GET_NETWORK)
    try:
        _ip("link", "add", name, "type", "veth", "peer", "name", "there", "netns", name)
        _ip("addr", "add", f"{HERE}/30", "dev", name)
        _ip("link", "set", name, "up")
        for words in (("link", "set", "lo", "up"), ("addr", "add", f"{THERE}/30", "dev", "there"),
                      ("link", "set", "there", "up")):  # fmt: skip
            _ip("-n", name, *words)
        subprocess.run(
            [
                "tc",
                "qdisc",
                "add",
                "dev",
                name,
                "root",
                "tbf",
                "rate",
                RATE,
                "burst",
                "64kb",
                "latency",
                "400ms",
            ],
            check=True,
        )
        yield Wire(name)
    finally:
        _ip("netns", "del", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
