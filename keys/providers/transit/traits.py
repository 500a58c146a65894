"""What Vault says of the Transit key, and whether it may be a root."""

from __future__ import annotations

from dataclasses import dataclass

from keys.errors import RootUnavailable, RootUnfit
from keys.providers.transit.calls import Answer

DERIVING = frozenset({"aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"})


@dataclass(frozen=True, slots=True)
class Traits:
    """The key's type, versions, and what may be done to it."""

    type: str
    derived: bool
    convergent: bool
    exportable: bool
    plaintext_backup: bool
    deletion_allowed: bool
    latest: int
    opens_from: int
    wraps_from: int

    @classmethod
    def of(cls, answer: Answer) -> Traits:
        """Read Vault's answer about a key; RootUnavailable if it is none."""
        data = (answer or {}).get("data")
        if not isinstance(data, dict):
            raise RootUnavailable("Vault's answer about the key cannot be read")
        return cls(
            str(data.get("type")), bool(data.get("derived")), bool(data.get("convergent_encryption")),
            bool(data.get("exportable")), bool(data.get("allow_plaintext_backup")), bool(data.get("deletion_allowed")),
            *(int(data.get(f"{name}_version") or 0) for name in ("latest", "min_decryption", "min_encryption")),
        )  # fmt: skip

    def require_fit(self, where: str) -> None:
        """Raise RootUnfit if the key would not bind what it wraps: without derivation, Vault ignores contexts."""
        if not self.derived or self.type not in DERIVING:
            raise RootUnfit(
                f"Vault's key {where} is not derived: make one with type=aes256-gcm96 derived=true"
            )
