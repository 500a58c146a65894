"""Where the root key lies: a Vault's address, and names inside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A Transit key in a Vault.

    Attributes:
        address: `https://host:port`; `http://` only on loopback, which the settings check.
        mount, key: of the Transit engine and the key in it; the root's name is made of both.
        namespace: of Vault Enterprise or HCP, sent as X-Vault-Namespace; "" for none.
        ca: PEM file of the authority to trust, alone; None for the system's.
    """

    address: str
    mount: str = "transit"
    key: str = "strongroom"
    namespace: str = ""
    ca: Path | None = None

    @property
    def name(self) -> str:
        """The root's name in each key version; says no address, which may change."""
        return f"transit:{self.mount}/{self.key}"
