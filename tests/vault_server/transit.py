"""What strongroom needs in a Vault, as docs/operations.md says: Transit mount, key, policy, AppRole."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from keys.providers.transit import AppRole, Place, TransitRoot
from tests.vault_server.policy import policy_text
from tests.vault_server.server import VaultServer

KEY = "strongroom"


@dataclass(slots=True)
class Transit:
    """One mount with its role; `root` gives providers of it, which `close` closes."""

    server: VaultServer
    mount: str
    role: str
    role_id: str
    secret_id: str
    opened: list[TransitRoot] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return Place(self.server.url, self.mount, KEY, ca=self.server.ca)

    def root(self, place: Place | None = None, login: Any = None) -> TransitRoot:
        """Return a provider of its own, logged in by AppRole unless told otherwise."""
        made = TransitRoot(place or self.place, login or self.approle())
        self.opened.append(made)
        return made

    def approle(self) -> AppRole:
        return AppRole(lambda: self.role_id, lambda: self.secret_id, wrapped=False, mount="approle")

    def asked(self) -> set[tuple[str, str]]:
        """Return operation and path of every request of this role, and of everybody on this mount but the admin."""
        entries = [entry for entry in self.server.audit() if entry["type"] == "request"]
        return {
            (entry["request"]["operation"], entry["request"]["path"])
            for entry in entries
            if self.role in (entry.get("auth") or {}).get("policies", ())
        }

    def set_policy(self, text: str) -> None:
        self.server.admin.sys.create_or_update_policy(self.role, text)

    def new_secret_id(self) -> str:
        made = self.server.admin.adapter.post(f"/v1/auth/approle/role/{self.role}/secret-id", json={})
        return str(made["data"]["secret_id"])

    def close(self) -> None:
        for root in self.opened:
            root.close()


def fresh_transit(
    server: VaultServer,
    mount: str | None = None,
    ttl: str = "20m",
    max_ttl: str = "0",
    role: str | None = None,
) -> Transit:
    """Make a mount, its derived key, the documented policy for it, and an AppRole that has that policy alone."""
    admin = server.admin
    mount, role = mount or f"transit-{secrets.token_hex(4)}", role or f"strongroom-{secrets.token_hex(4)}"
    admin.sys.enable_secrets_engine("transit", path=mount)
    admin.secrets.transit.create_key(KEY, derived=True, key_type="aes256-gcm96", mount_point=mount)
    admin.sys.create_or_update_policy(role, policy_text(mount))
    settings = {
        "token_policies": [role], "token_no_default_policy": True, "token_ttl": ttl, "token_max_ttl": max_ttl,
        "token_type": "service",
    }  # fmt: skip
    admin.adapter.post(f"/v1/auth/approle/role/{role}", json=settings)
    role_id = admin.adapter.get(f"/v1/auth/approle/role/{role}/role-id")["data"]["role_id"]
    made = Transit(server, mount, role, role_id, "")
    made.secret_id = made.new_secret_id()
    return made
