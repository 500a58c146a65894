"""A root key that lives and dies with the process: for tests; the settings have no name for it."""

from __future__ import annotations

from keys.secret import Secret
from keys.wrapping import AeadRoot


def create() -> AeadRoot:
    """Return a new root whose key is never written anywhere."""
    return AeadRoot("memory", Secret.random())
