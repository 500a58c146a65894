"""What a check of `doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: which part, its state, what was seen, and how to mend it."""

    name: str
    state: Literal["ok", "warn", "FAIL"]
    text: str
    hint: str | None = None


def ok(name: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(name, "ok", text)


def warn(name: str, text: str, hint: str) -> Finding:
    """Return a finding that will do, and could be better."""
    return Finding(name, "warn", text, hint)


def fail(name: str, text: str, hint: str) -> Finding:
    """Return a finding that the service cannot or must not run with."""
    return Finding(name, "FAIL", text, hint)
