"""The root key in HashiCorp Vault's Transit engine (hvac): wraps and opens columns of keys, which it never keeps.

The key must be derived: each context then has a key of its own, so a wrapped key opens in its own place alone, also
when Vault rewraps it. Wrapped form (docs/format.md): Vault's ciphertext text, `vault:v3:…`, in ASCII.
"""

from keys.providers.transit.calls import Line
from keys.providers.transit.login import AppRole, Kubernetes, Login, TokenFile, unwrap_secret_id
from keys.providers.transit.place import Place
from keys.providers.transit.root import TransitRoot
from keys.providers.transit.traits import Traits
from keys.providers.transit.unwrapping import look_at_wrapped, open_wrapped

__all__ = [
    "AppRole", "Kubernetes", "Line", "Login", "Place", "TokenFile", "Traits", "TransitRoot", "look_at_wrapped",
    "open_wrapped", "unwrap_secret_id",
]  # fmt: skip
