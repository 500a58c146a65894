"""A real HashiCorp Vault for tests: taken from PATH or built once, started with TLS, unsealed, with an audit log."""

from tests.vault_server.binary import VERSION, vault_command
from tests.vault_server.policy import policy_paths, policy_text
from tests.vault_server.server import VaultServer
from tests.vault_server.transit import Transit, fresh_transit

__all__ = [
    "VERSION",
    "Transit",
    "VaultServer",
    "fresh_transit",
    "policy_paths",
    "policy_text",
    "vault_command",
]
