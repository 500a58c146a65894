"""Whether the live service has the same values behind the same tokens, and the same history of its audit.

Values are told by their fingerprints alone: keyed digests that a key with the purpose `audit` may see. What the live
service no longer has must have gone since the backup: expired, or deleted by somebody, which its audit says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

from keys.keyset import Purpose
from vault.audit import checkpoints, merkle, notes
from vault.audit.faults import AuditFault, ProofInvalid
from vault.recovery.checks.lookups import drawn_rows
from vault.recovery.checks.scratch import Found, Scratch, Skipped, actor
from vault.recovery.checks.values import opened
from vault.resources import look_up, parse_column, public
from vault.store import apikeys, auditlog
from vault.store.examining import Tenant
from vault.store.tokens import KINDS, Stored
from vault.views import shown

MOST = 1_000  # tokens of a tenant that are compared
ASKED = 50  # of those that are gone, so many are looked for in the audit
YOUNGER = "api_key_younger"  # the code of an API key that was made after the backup
SLACK = 60_000_000  # microseconds by which the two clocks may differ


class LiveFailed(Exception):
    """The live service could not be asked, or refused.

    Attributes:
        code: stable.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Listed(NamedTuple):
    """A token of the live service: its text, its field type, and when it was made in microseconds since 1970 (UTC)."""

    token: str
    field: str
    created_at: int


class Live(Protocol):
    """The live service, as one API key sees it. Each call raises LiveFailed."""

    @property
    def owner(self) -> bytes:
        """The SHA-256 of the API key."""

    def tenant(self) -> int | None:
        """Return whose the API key is, as the service says it; None if it does not."""

    def fingerprints(self, tokens: Sequence[str], field: str | None) -> list[str | None]:
        """Return the fingerprint behind each token, None where there is no such token now."""

    def listed(self, most: int) -> list[Listed]:
        """Return so many of its tokens, or all."""

    def removed(self, token: str, field: str | None, since: int) -> bool:
        """Whether the audit says that a token was deleted, erased or expired since a time (microseconds)."""

    def log(self) -> tuple[int, int]:
        """Return the number of the newest audit log and how many records its tree has."""

    def root(self, size: int) -> bytes:
        """Return the root of the newest log's tree of that size, as its checkpoint says."""

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Return the proof that the newest log of `second` records begins with that of `first`."""


def check(scratch: Scratch, lives: Sequence[Live] | None) -> Found:
    """Compare a sample of each tenant that there is an API key for.

    Args:
        lives: one for each API key; None where nobody asked for it.
    Raises:
        Skipped: nobody asked for it, or every API key was made after the backup, which then cannot know it.
    """
    if lives is None:
        raise Skipped("asked_not_to")
    found = [one for live in lives for one in _compared(scratch, live)]
    bad, code = sum(one.bad for one in found), next((one.code for one in found if one.bad), "")
    if lives and not bad and all(one.code == YOUNGER for one in found):
        raise Skipped(YOUNGER)
    return Found(sum(one.checked for one in found), bad, code)


def _compared(scratch: Scratch, live: Live) -> Iterator[Found]:
    with scratch.resources.database.read() as connection:
        key = apikeys.by_digest(connection, live.owner)
    tenant = next((one for one in scratch.tenants if key is not None and one.id == key.tenant), None)
    if tenant is None:
        # A key that is not there though its business is was made since: the tables that should have it are counted.
        known = key is None and live.tenant() in {one.id for one in scratch.tenants}
        yield Found(0, 0, YOUNGER) if known else Found(1, 1, "tenant_missing")
        return
    yield _history(scratch, tenant, live)
    yield _missing(scratch, tenant, live)
    rows = drawn_rows(scratch, tenant, MOST)
    for field, group in groupby(sorted(rows, key=_asked_with), key=_asked_with):
        yield _values(scratch, tenant, live, list(group), field or None)


def _asked_with(row: Stored) -> str:
    """Return the field that a token must be named with: a shaped one does not say it itself."""
    return row.field if row.kind == KINDS["shaped"] else ""


def _values(scratch: Scratch, tenant: Tenant, live: Live, rows: Sequence[Stored], field: str | None) -> Found:
    mine = _fingerprints(scratch, tenant, rows)
    held = [row for row in rows if row.token in mine]
    texts = public(actor(tenant), held)
    theirs = live.fingerprints(texts, field) if texts else []
    pairs = list(zip(held, texts, theirs, strict=True))
    differ = sum(there is not None and there != mine[row.token] for row, _, there in pairs)
    if differ:
        return Found(len(pairs), differ, "live_differs")
    gone = [(row, text) for row, text, there in pairs if there is None and not _expired(scratch, row)]
    since = scratch.data[-1].taken_at - SLACK
    lost = sum(not live.removed(text, field, since) for _, text in gone[:ASKED])
    return Found(len(pairs), lost, "live_lacks_token" if lost else "")


def _missing(scratch: Scratch, tenant: Tenant, live: Live) -> Found:
    """See that tokens which the live service had before the backup are in it."""
    known = [one for one in live.listed(MOST) if one.created_at < scratch.data[-1].taken_at - SLACK]
    asks, keys = actor(tenant), scratch.resources.keyring.keys(tenant.id)
    lost = 0
    for field, group in groupby(sorted(known, key=lambda one: one.field), key=lambda one: one.field):
        texts = [one.token for one in group]
        places, _ = parse_column(keys, asks, texts, field)
        there = look_up(scratch.resources, asks, places, Stored)
        lost += sum(place is None or place[1] not in there for place in places)
    return Found(len(known), lost, "backup_lacks_token" if lost else "")


def _expired(scratch: Scratch, row: Stored) -> bool:
    now = scratch.resources.database.now()
    return row.expires_at is not None and row.expires_at <= now + SLACK


def _fingerprints(scratch: Scratch, tenant: Tenant, rows: Sequence[Stored]) -> Mapping[bytes, str]:
    """Return by token what its value's fingerprint is here; of a value that does not open another check tells."""
    keys = scratch.resources.keyring.keys(tenant.id)
    pairs = [
        (row, value)
        for row, value in opened(scratch.resources, keys, actor(tenant), "value", rows)
        if value is not None
    ]
    names, values = [row.field for row, _ in pairs], [value for _, value in pairs]
    made = shown("fingerprint", keys.primary(Purpose.ROUTE), tenant.id, names, values)
    return {row.token: text for (row, _), text in zip(pairs, made, strict=True)}


def _history(scratch: Scratch, tenant: Tenant, live: Live) -> Found:
    """See that the live log goes on from the newest checkpoint that was backed up."""
    kept = _newest(scratch, tenant)
    if kept is None:
        return Found(0)
    number, known = kept
    log, size = live.log()
    if log != number:  # restored itself since, or before
        return Found(0) if log > number else Found(1, 1, "live_log_behind")
    if size < known.size:
        return Found(1, 1, "live_log_behind")
    try:
        merkle.verify_consistency(
            known.size, size, known.root, live.root(size), live.consistency(known.size, size)
        )
    except ProofInvalid:
        return Found(1, 1, "live_log_forked")
    return Found(1)


def _newest(scratch: Scratch, tenant: Tenant) -> tuple[int, checkpoints.Checkpoint] | None:
    """Return the tenant's newest log in the manifests, and the largest checkpoint of it."""
    with scratch.resources.database.read() as connection:
        numbers = [log.log for log in auditlog.logs(connection, tenant.id)]
    names = {checkpoints.log_name(tenant.id, number): number for number in numbers}
    found = []
    for note in (note for manifest in scratch.data for note in manifest.checkpoints):
        try:
            read = checkpoints.read(notes.parse(note).text)
        except AuditFault:
            continue
        if read.origin in names and read.size:
            found.append((names[read.origin], read))
    return max(found, key=lambda one: (one[0], one[1].size), default=None)
