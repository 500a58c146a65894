"""Log-ins on record: each a value of its person like any other, kept for a while, and found by person and time."""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keys.openkeys import TenantKeys
from vault import fields, tokens
from vault.accounts import Account
from vault.columns import Actor, Spec
from vault.credentials import LoginPage, LoginRecord, Origin
from vault.drafts import Drafts, reseal, seal
from vault.errors import InvalidRequest, UnreadableValue
from vault.fields import login_record
from vault.index import bucket_of
from vault.keyed import DIGEST_BYTES
from vault.people import People, gather
from vault.permitting import Permit
from vault.resources import Resources, open_values, public
from vault.store import subjects
from vault.store import tokens as rows
from vault.store.writer import Transaction

FIELD = login_record.name
LOOKED_AT = 50  # of a person's newest good log-ins, when one is judged
PAGES = 20  # of so many records that are read for them: an account is locked long before
FASTEST = 1_000.0  # kilometres an hour: an airliner with the wind behind it
NEARBY = 100.0  # kilometres that an address's place may be off
EARTH = 6_371.0  # kilometres, mean radius
NEWEST = (2**62, b"")


@dataclass(slots=True, repr=False)
class Draft:
    """A record that is sealed and not stored yet."""

    drafts: Drafts
    people: People

    def store(self, transaction: Transaction, keys: TenantKeys) -> None:
        """Put it in; raises Overtaken if its person was erased, or entered by another, meanwhile."""
        if not self.people.keys:  # nobody's: looks for somebody all the same, for it takes as long
            subjects.hold(transaction, keys.tenant, [os.urandom(DIGEST_BYTES)])
        if renewed := self.people.hold(transaction, keys):
            reseal(self.drafts, keys.tenant, self.people, renewed)
        transaction.append("token", self.drafts.rows)


def draft(
    resources: Resources, keys: TenantKeys, actor: Actor, account: Account, text: str, *, entered: bool
) -> Draft:
    """Seal a record.

    It is nobody's, and then found by nobody, if the login is unknown, or its subject is: whoever tries subjects enters
    no persons, and an erased one does not come back by being tried.

    Args:
        account: whose it is.
        text: what `login_record.record` made.
        entered: somebody else was quicker with entering the person before: the key goes in first.
    """
    person, own = account.person, account.owner is None
    people = gather(resources, keys, actor, [person] if person else [], store=entered and own)
    if person is None:
        with resources.database.read() as connection:
            subjects.known(connection, resources.database.dialect, actor.tenant, [os.urandom(DIGEST_BYTES)])
    if people.new and not own:
        person, people = None, People()
    drafts = Drafts(
        fields.get(FIELD), Spec(ttl=resources.passwords.recorded), FIELD, False, [text], [person], [None], [], []
    )  # fmt: skip
    drafts.buckets = [bucket_of(person) if person else tokens.draw_bucket()]
    drafts.tokens = tokens.draw(1)
    seal(resources, drafts, keys, actor.tenant, people)
    return Draft(drafts, people)


def flags(
    resources: Resources, keys: TenantKeys, actor: Actor, person: bytes, origin: Origin
) -> tuple[bool, bool]:
    """Return whether the person never logged in from this device, and whether nobody could have got here since."""
    now = resources.database.now()
    told = _good(resources, keys, actor, person)
    devices = {record["device"] for _, record in told if "device" in record}
    strange = origin.device is not None and bool(told) and origin.device not in devices
    return strange, _too_fast(told, origin, now)


def _good(
    resources: Resources, keys: TenantKeys, actor: Actor, person: bytes
) -> list[tuple[int, dict[str, Any]]]:
    """Return time and record of a person's newest good log-ins, however many wrong passwords were tried since."""
    good: list[tuple[int, dict[str, Any]]] = []
    before = NEWEST
    with resources.database.snapshot():
        for _ in range(PAGES):
            found = _newest(resources, actor, person, before, 0, LOOKED_AT)
            for row, record in zip(found, _whole(resources, keys, actor, found), strict=True):
                if record.get("result") == "ok":
                    good.append((row.created_at, record))
            if len(found) < LOOKED_AT or len(good) >= LOOKED_AT:
                break
            before = found[-1].created_at, found[-1].token
    return good[:LOOKED_AT]


def _whole(
    resources: Resources, keys: TenantKeys, actor: Actor, found: Sequence[rows.Stored]
) -> list[dict[str, Any]]:
    """Return the records in plain, an empty one for each that does not open: damage keeps nobody out."""
    try:
        return _opened(resources, keys, actor, found, "full")
    except UnreadableValue:
        if len(found) == 1:
            return [{}]
        return [record for row in found for record in _whole(resources, keys, actor, [row])]


def page(
    given: Permit,
    keys: TenantKeys,
    person: bytes,
    since: float,
    cursor: str | None,
    limit: int,
) -> tuple[LoginPage, list[rows.Stored]]:
    """Return a page of those of a person's log-ins that may be seen, and their rows.

    Args:
        since: seconds since 1970; only what is not before.
    """
    resources, actor = given.resources, given.actor
    found = _visible(given, person, _before(cursor), int(since * 1e6), limit + 1)
    more, found = len(found) > limit, found[:limit]
    opened = _opened(resources, keys, actor, found, given.situation.view)
    records = [
        LoginRecord(
            text, row.created_at / 1e6, told["result"], told.get("ip"), told.get("device"), told.get("agent"),
            told.get("latitude"), told.get("longitude"), told.get("new_device", False),
            told.get("impossible_travel", False),
        )
        for text, row, told in zip(public(actor, found), found, opened, strict=True)
    ]  # fmt: skip
    return LoginPage(records, _cursor(found[-1]) if more else None), found


def _visible(given: Permit, person: bytes, before: rows.Place, since: int, limit: int) -> list[rows.Stored]:
    """Return the newest records that may be seen, looking on behind those that may not."""
    seen: list[rows.Stored] = []
    while True:
        found = _newest(given.resources, given.actor, person, before, since, limit)
        barred = given.judge(found)
        seen += [row for row in found if row.token not in barred]
        if len(seen) >= limit or len(found) < limit:
            return seen[:limit]
        before = found[-1].created_at, found[-1].token


def _newest(
    resources: Resources, actor: Actor, person: bytes, before: rows.Place, since: int, limit: int
) -> list[rows.Stored]:
    """Return the newest records that are not over."""
    now = resources.database.now()
    with resources.database.read() as connection:
        found = rows.newest(connection, actor.tenant, person, FIELD, before, since, limit)
    return [row for row in found if row.expires_at is None or row.expires_at > now]


def _opened(
    resources: Resources, keys: TenantKeys, actor: Actor, found: Sequence[rows.Stored], view: str
) -> list[dict[str, Any]]:
    sealed = [row.sealed or b"" for row in found]
    texts = [value.decode() for value in open_values(resources, keys, actor, "value", found, sealed).values]
    if view == "masked":
        texts = [fields.get(FIELD).mask(text) for text in texts]
    return [json.loads(text) for text in texts]


def _too_fast(told: Sequence[tuple[int, Mapping[str, Any]]], origin: Origin, now: int) -> bool:
    """Whether the last place that is known is too far away; `told` has the newest first."""
    if origin.latitude is None or origin.longitude is None:
        return False
    for at, record in told:
        if "latitude" in record:
            way = _kilometres(record["latitude"], record["longitude"], origin.latitude, origin.longitude)
            hours = max(now - at, 1) / 3_600e6
            return way > NEARBY and way / hours > FASTEST
    return False


def _kilometres(north: float, east: float, to_north: float, to_east: float) -> float:
    """Return the way along a great circle between two places in degrees (the haversine formula)."""
    here, there = math.radians(north), math.radians(to_north)
    wide = math.sin(math.radians(to_east - east) / 2) ** 2 * math.cos(here) * math.cos(there)
    return 2 * EARTH * math.asin(math.sqrt(min(1.0, math.sin((there - here) / 2) ** 2 + wide)))


def _cursor(row: rows.Stored) -> str:
    return base64.urlsafe_b64encode(row.created_at.to_bytes(8, "big") + row.token).decode().rstrip("=")


def _before(cursor: str | None) -> rows.Place:
    if cursor is None:
        return NEWEST
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not 9 <= len(raw) <= 200 or raw[0] >= 0x40:
        raise InvalidRequest("the cursor is not one that this service gave", "/cursor")
    return int.from_bytes(raw[:8], "big"), raw[8:]
