"""Which tables travel in which stream, how what changed is found, and which stay at home.

Rows of a block are in the order of the primary key. What a restore works out again stays at home: the index, and where
tokens, persons and callers occur in the audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Row = Sequence[Any]
Stream = Literal["keyring", "data"]
STREAMS: tuple[Stream, Stream] = ("keyring", "data")  # in the order in which they are shipped


@dataclass(frozen=True, slots=True, repr=False)
class Block:
    """Rows of one table, as lists or tuples in the order of `columns`."""

    table: str
    columns: Sequence[str]
    rows: Sequence[Row]


How = Literal["epoch", "whole", "log"]
"""
epoch: rows with an epoch after the base's `until`, put in place of those with their primary key; what was deleted is
    told by `tombstone` (tokens) and `departure` (persons, passwords), or does no harm when it comes back (`LEFT`).
whole: all rows, in place of all rows; left out where their digest is the base's.
log: rows of the audit logs behind the size that the base had: leaves and tiles; not leaves that were archived.
"""

TABLES: Mapping[Stream, Mapping[str, How]] = {
    "keyring": {
        "tenant": "whole", "key_version": "whole", "erasure": "epoch", "tombstone": "epoch", "departure": "epoch",
        "subject": "epoch",
    },
    "data": {
        "api_key": "whole", "frozen_caller": "whole", "audit_log": "whole", "audit_signer": "whole",
        "audit_sink": "whole", "audit_record": "whole",
        "policy": "epoch", "proposal": "epoch", "approval": "epoch", "alarm": "epoch", "job": "epoch",
        "attempt": "epoch", "spending": "epoch", "password": "epoch", "token": "epoch",
        "audit_checkpoint": "epoch", "audit_tile": "log", "audit_leaf": "log",
    },
}  # fmt: skip

LEFT = frozenset({"attempt", "spending", "audit_checkpoint"})
"""Tables of which a chain may load more rows than the last of its backups counts: nobody remembers what was deleted of
them (throttling whose time is over; checkpoints that were thinned out), and it does no harm when it comes back."""

ESCROW = "escrow"  # no table: rows (tenant, age file to the recovery recipients alone); see `escrow`

AT_HOME: Mapping[str, str] = {
    "index_entry": "worked out again from the values",
    "audit_run": "worked out again from the leaves",
    "idempotency": "replies to requests of the last day, in plain",
    "epoch": "of this database's own writes", "lease": "of processes", "process": "of processes",
    "process_keys": "of processes", "audit_health": "of processes", "alarm_delivery": "alarms are not sent twice",
    "installation": "a restore is another one", "backup": "of this installation", "backup_copy": "of this installation",
    "backup_target": "of this installation", "drill": "of this installation",
}  # fmt: skip

TOKEN_INDEX = ("index_bucket", "digest")  # null in backups where there is a value to work them out from
