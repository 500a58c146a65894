"""Whether all that the manifests name is in the database: every table, and as many rows of it as were counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from vault.backup.model import Manifest
from vault.recovery.checks.scratch import Found, Scratch
from vault.store import examining
from vault.store.streams import ESCROW, TABLES

GROWS = frozenset(
    {"key_version", "audit_log", "audit_record", "audit_signer", "tombstone", "departure", "erasure"}
)
"""Tables that a restore itself adds to: new primaries, a new log and its first record, what it replays."""
LEFT_OUT: Mapping[str, str] = {"token": "tokens", "subject": "persons", "password": "passwords"}


def check(scratch: Scratch) -> Found:
    """Hold the manifests against themselves, and the database against them."""
    checked = 0
    if scratch.restored.passed_over:
        return Found(len(scratch.restored.passed_over), len(scratch.restored.passed_over), "newer_not_whole")
    for chain in (scratch.keyring, scratch.data):
        found = _contradiction(chain)
        if not found.bad:
            found = _in_database(scratch, chain)
        checked += found.checked
        if found.bad:
            return Found(checked, found.bad, found.code)
    return Found(checked)


def _contradiction(chain: Sequence[Manifest]) -> Found:
    """Find a table that was not counted, and one of which the full backup has another number of rows than were."""
    checked = 0
    for manifest in chain:
        if manifest.kind == "journal":
            continue
        if missing := TABLES[manifest.stream].keys() - manifest.counts.keys():
            return Found(checked, len(missing), "table_missing")
        if manifest.kind == "full":
            rows = Counter[str]()
            for chunk in manifest.chunks:
                rows.update(chunk.rows)
            checked += sum(rows.values())
            bad = [name for name, count in manifest.counts.items() if name != ESCROW and rows[name] != count]
            if bad:
                return Found(checked, len(bad), "rows_differ")
    return Found(checked)


def _in_database(scratch: Scratch, chain: Sequence[Manifest]) -> Found:
    """Find a table with another number of rows than its newest manifest says; a journal does not say."""
    newest = chain[-1]
    if newest.kind == "journal":
        return Found(0)
    checked, bad = 0, 0
    for table, counted, there in _counted(scratch, newest):
        checked += there
        left_out = scratch.restored.left_out[LEFT_OUT[table]] if table in LEFT_OUT else 0
        # What was left out is counted twice where it came twice, so it says how many may be missing, not how many are.
        too_few = there < counted - left_out
        bad += too_few or (there > counted and table not in GROWS)
    return Found(checked, bad, "count_differs" if bad else "")


def _counted(scratch: Scratch, manifest: Manifest) -> Iterator[tuple[str, int, int]]:
    with scratch.resources.database.read() as connection:
        for table in TABLES[manifest.stream]:
            yield table, manifest.counts[table], examining.count(connection, table)
