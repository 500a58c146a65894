"""Make the audit row of an operation, to be stored in the operation's own commit."""

from __future__ import annotations

import os
from collections.abc import Sequence

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault.audit.leaf import Record, encode
from vault.columns import Actor
from vault.context import derivation, number
from vault.index import bucket_of
from vault.keyed import keyed

Row = tuple[int, int, bytes, bytes]


def row(
    keys: TenantKeys,
    actor: Actor,
    now: int,
    operation: str,
    *,
    field: str = "",
    purpose: str = "",
    view: str = "",
    result: str = "ok",
    count: int = 0,
    refused: int = 0,
    tokens: Sequence[bytes] = (),
) -> Row:
    """Return a row of `audit_record` without its epoch.

    Args:
        now: microseconds since 1970 (UTC).
        tokens: stored forms of the tokens touched; only keyed digests of them are kept.
    """
    key = keys.primary(Purpose.AUDIT)
    noise = os.urandom(10)
    record_id = number(now) + noise[:8]
    digests = b"".join(keyed(key, derivation("audit token", actor.tenant), tokens))
    leaf = encode(
        Record(
            record_id, now, actor.tenant, actor.name, actor.request_id, operation,
            field, purpose, view, result, count, refused, key.id, digests,
        )
    )  # fmt: skip
    return bucket_of(noise[8:]), actor.tenant, record_id, leaf
