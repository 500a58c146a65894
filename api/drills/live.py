"""The live service that a drill compares with: asked over HTTP, as one API key sees it, and for fingerprints alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING

from vault.audit import checkpoints, notes
from vault.audit.faults import AuditFault
from vault.recovery.checks.live import Listed, LiveFailed

if TYPE_CHECKING:
    from strongroom_client import Client

_LOG = re.compile(r"strongroom/([0-9a-f]{16})/[0-9]+")  # see `vault.audit.checkpoints.log_name`
PURPOSE = "audit"  # what the live service is asked for, and puts on record
GONE = frozenset({"unknown_token", "expired_token"})  # codes of a token that is there no more
REMOVALS = ("delete", "erase", "expire")  # operations that take a token away, as the audit calls them


class Service:
    """A `checks.live.Live` over the client."""

    def __init__(self, client: Client, api_key: str) -> None:
        self._client, self.owner = client, sha256(api_key.encode()).digest()

    def tenant(self) -> int | None:
        """Return whose the API key is, as the audit log's name says; None if there is no log yet."""
        with _asking():
            name = self._client.audit_status().origin
        found = _LOG.fullmatch(name)
        return None if found is None else int(found[1], 16)

    def fingerprints(self, tokens: Sequence[str], field: str | None) -> list[str | None]:
        """Return the fingerprint behind each token, None where there is no such token now."""
        with _asking():
            found = self._client.reveal_column(tokens, purpose=PURPOSE, view="fingerprint", field=field)
        refused = next((error.code for error in found.errors if error.code not in GONE), None)
        if refused is not None:
            raise LiveFailed(refused)
        return found.values

    def listed(self, most: int) -> list[Listed]:
        """Return so many of its tokens, or all."""
        with _asking():
            return [
                Listed(one.token, one.field, int(one.created_at.timestamp() * 1e6))
                for one in islice(self._client.list(), most)
            ]

    def removed(self, token: str, field: str | None, since: int) -> bool:
        """Whether the audit says that a token was deleted, erased or expired since a time (microseconds)."""
        after = datetime.fromtimestamp(since / 1e6, UTC)
        with _asking():
            return any(
                record.result == "ok"
                for operation in REMOVALS
                for record in self._client.audit_records(
                    token=token, field=field, operation=operation, since=after
                )
            )

    def log(self) -> tuple[int, int]:
        """Return the number of the newest audit log and how many records its tree has."""
        with _asking():
            status = self._client.audit_status()
        return status.log, status.size

    def root(self, size: int) -> bytes:
        """Return the root of the newest log's tree of that size, as its checkpoint says."""
        with _asking():
            note = self._client.audit_checkpoint(size=size)
        try:
            return checkpoints.read(notes.parse(note).text).root
        except AuditFault as fault:
            raise LiveFailed(fault.code) from None

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Return the proof that the newest log of `second` records begins with that of `first`."""
        with _asking():
            return [bytes.fromhex(one) for one in self._client.prove_consistency(first, second).hashes]


@contextmanager
def _asking() -> Iterator[None]:
    """Turn what the client raises into the code of why."""
    from strongroom_client import StrongroomError

    code = None
    try:
        yield
    except StrongroomError as error:
        code = error.code or "live_unreachable"
    if code is not None:
        raise LiveFailed(code)
