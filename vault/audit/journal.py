"""Make the audit row of an operation, to be stored in the operation's own commit."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from sys import byteorder

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault.audit.leaf import Record, encode
from vault.columns import NO_GROUNDS, Actor, Grounds
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
    persons: Sequence[bytes | None] = (),
    fields: Sequence[str] = (),
    grounds: Grounds = NO_GROUNDS,
    target: str = "",
    policy: int = 0,
) -> Row:
    """Return a row of `audit_record` without its epoch.

    Args:
        now: microseconds since 1970 (UTC).
        field: the one field type of all tokens, where there is one and `fields` is not given.
        tokens: stored forms of the tokens touched; only keyed digests of them are kept.
        persons: for each token the digest of its person, None for nobody; empty where none has one, or it is not known.
            Without tokens, those whom it is about.
        fields: for each token its field type, where they are not all of `field`.
    """
    key = keys.primary(Purpose.AUDIT)
    noise = os.urandom(10)
    record_id = number(now) + noise[:8]
    digests = b"".join(keyed(key, token_use(actor.tenant), tokens))
    everybody, whose = _persons(persons)
    whose = whose if tokens else b""  # a person whose tokens are not named, or who has none
    named, which = _fields(field, fields)
    leaf = encode(
        Record(
            record_id, now, actor.tenant, actor.name, actor.request_id, operation, named, purpose, view, result,
            count, refused, key.id, digests, actor.origin or "", _reference(grounds), target, policy,
            everybody, whose, which,
        )
    )  # fmt: skip
    return bucket_of(noise[8:]), actor.tenant, record_id, leaf


def token_use(tenant: int) -> bytes:
    """Return what the key of a tenant's token digests is derived for."""
    return derivation("audit token", tenant)


def _persons(persons: Sequence[bytes | None]) -> tuple[bytes, bytes]:
    places: dict[bytes | None, int] = {None: 0}
    for person in persons:
        if person not in places:
            places[person] = len(places)
    if len(places) == 1:
        return b"", b""
    return b"".join(person for person in places if person is not None), _packed(
        "H", [places[p] for p in persons]
    )


def _fields(field: str, fields: Sequence[str]) -> tuple[str, bytes]:
    names = list(dict.fromkeys(fields))
    if len(names) < 2:
        return names[0] if names else field, b""
    places = {name: at for at, name in enumerate(names)}
    return " ".join(names), bytes([places[name] for name in fields])


def _packed(kind: str, numbers: Sequence[int]) -> bytes:
    packed = array(kind, numbers)
    if byteorder == "little":
        packed.byteswap()
    return packed.tobytes()


def _reference(grounds: Grounds) -> str:
    named = (("case", grounds.case), ("consent", grounds.consent))
    return " ".join(f"{kind}:{text}" for kind, text in named if text)
