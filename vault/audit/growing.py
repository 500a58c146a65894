"""A batch of records as what it adds to a log: leaves, tiles, a run of the trail, a signed checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from keys.errors import UnknownKey
from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault.audit import checkpoints, merkle, notes, tiles, trail
from vault.audit.faults import AuditFault, LogDamaged
from vault.audit.signing import signer
from vault.store.auditgrowth import Growth
from vault.store.auditlog import Log, Place, Signer


def grow(
    log: Log,
    records: Sequence[tuple[bytes, bytes]],
    places: Sequence[Place],
    keys: TenantKeys,
    known: Mapping[int, Signer],
    now: int,
    read: tiles.Read,
    newest: str = "",
) -> Growth:
    """Return what these records make of a log.

    Args:
        records: id and leaf of each, in the order that they get in the log.
        places: where those that come from the inbox lie there.
        known: the log's signers, by key.
        now: microseconds since 1970 (UTC).
        read: reads the log's tiles.
        newest: the signed checkpoint of all that is in the log; "" where nothing is.
    Raises:
        TileDamaged: a tile of the log is not what a log of its size has.
        LogDamaged: the tiles are not what was signed, so that nothing more may be signed on top of them.
    """
    primary = keys.primary(Purpose.AUDIT)
    hand, leaves = signer(primary, log.tenant, log.log), [leaf for _, leaf in records]
    hashes, marks = merkle.leaf_hashes(leaves), [trail.marks(leaf) for leaf in leaves]
    frontier = tiles.frontier(log.size, read)
    if log.size:
        _require_signed(log, frontier, newest, keys)
    frontier.extend(hashes)
    run = trail.make(log.size, [found.digests for found in marks])
    return Growth(
        log,
        [(record_id, found.at or now, leaf) for (record_id, leaf), found in zip(records, marks, strict=True)],
        tiles.grow(log.size, hashes, read),
        [(page.first, page.last, page.entries) for page in trail.pages(run)],
        checkpoints.sign(hand, frontier.size, frontier.root()),
        _signers(log, [found.key for found in marks], keys, known, now),
        places,
    )


def public_key(keys: TenantKeys, key: int, log: Log) -> bytes:
    """Return what a version's signatures in a log are verified with; empty if the version does not open."""
    try:
        return signer(keys.version(Purpose.AUDIT, key), log.tenant, log.log).public
    except UnknownKey:
        return b""


def _require_signed(log: Log, frontier: merkle.Frontier, note: str, keys: TenantKeys) -> None:
    """Return if a key that opens now signed this tree: the database alone, its table of signers too, may be forged."""
    origin = checkpoints.log_name(log.tenant, log.log)
    hands = [signer(key, log.tenant, log.log) for key in keys.by_age(Purpose.AUDIT)]
    try:
        signed = checkpoints.opened(note, origin, [notes.Verifier(hand.vkey) for hand in hands])
    except AuditFault:
        raise LogDamaged("no key that opens signed the newest checkpoint of the log") from None
    if (signed.size, signed.root) != (frontier.size, frontier.root()):
        raise LogDamaged("the tiles are not of the tree that was signed")


def _signers(
    log: Log, column: Sequence[int | None], keys: TenantKeys, known: Mapping[int, Signer], now: int
) -> list[Signer]:
    """Return the signers that are new, or under which more digests are now."""
    last = {key: log.size + at for at, key in enumerate(column) if key is not None}
    first = {
        key: log.size + len(column) - 1 - at for at, key in enumerate(reversed(column)) if key is not None
    }
    found = []
    for key in {keys.primary(Purpose.AUDIT).id, *last}:
        old = known.get(key) or Signer(key, public_key(keys, key, log), None, None, now)
        new = old._replace(
            first=first.get(key) if old.first is None else old.first, last=last.get(key, old.last)
        )
        if key not in known or new != old:
            found.append(new)
    return found
