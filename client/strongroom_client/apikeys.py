"""API keys: made, listed, revoked, rotated."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from msgspec import Struct

from strongroom_client.columns import key_for
from strongroom_client.options import wire
from strongroom_client.results import ApiKey, NewApiKey
from strongroom_client.retries import Repeat
from strongroom_client.session import Session, encode


class _ApiKeys(Struct):
    apikeys: list[ApiKey]


class ApiKeys(Session):
    """The calls on API keys; they need a key that carries the operation apikeys."""

    def create_api_key(
        self,
        name: str,
        operations: Sequence[str],
        *,
        fields: Sequence[str] | None = None,
        expires_in_seconds: int | None = None,
        roles: Sequence[str] = (),
    ) -> NewApiKey:
        """Return a new key, its secret shown this once.

        Args:
            name: for people.
            operations: of tokenize, reveal (all views but full), reveal_plain, find, describe, list, delete, erase,
                apikeys, keys, custody, roots, verify, passwords, unlock, logins, compare, audit, policy, approve,
                decoys, callers.
            fields: the field types it reaches; None for all.
            expires_in_seconds: None for never; it ends with the key that makes it, if not before.
            roles: of the policy, which the key that makes it must have.
        """
        rest = {"fields": fields, "expires_in_seconds": expires_in_seconds, "roles": list(roles) or None}
        body = encode(wire({"name": name, "operations": list(operations), **rest}))
        return self._call("POST", "/v1/apikeys", NewApiKey, body=body, idempotency_key=key_for(None))

    def list_api_keys(self) -> list[ApiKey]:
        """Return the tenant's keys, without their secrets."""
        return self._call("GET", "/v1/apikeys", _ApiKeys).apikeys

    def revoke_api_key(self, key_id: str) -> None:
        """Make a key useless at once."""
        self._call("DELETE", _path(key_id), type(None), repeat=Repeat.UNSENT)

    def rotate_api_key(self, key_id: str, *, overlap_seconds: int | None = None) -> NewApiKey:
        """Return a key that may do the same; the old one ends after the overlap.

        Args:
            overlap_seconds: 0 to 2,592,000; default one day.
        """
        body = encode(wire({"overlap_seconds": overlap_seconds}))
        path = f"{_path(key_id)}/rotate"
        return self._call("POST", path, NewApiKey, body=body, idempotency_key=key_for(None))


def _path(key_id: str) -> str:
    return f"/v1/apikeys/{quote(key_id, safe='').replace('.', '%2E')}"
