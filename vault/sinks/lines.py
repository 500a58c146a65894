"""Audit records and checkpoints as lines of JSON, in ASCII alone: nothing in a record ends or hides a line.

A line's `leaf` is the record as it lies in the tree, in base64; the members beside it are for people and programs that
read logs. docs/format.md has them all.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping

from vault.audit.leaf import decode
from vault.audit.readable import time_text
from vault.sinks.protocol import Batch, Entry

Holds = dict[str, int]  # by log: the position behind the last record held

START = b'{"event":"opened"'  # of every file

_WORDS = (
    "actor", "operation", "field", "purpose", "view", "result", "count", "refused", "request_id", "origin", "reference",
    "target", "policy",
)  # fmt: skip  # of a record, in the order in which they are shown


def members(leaf: bytes) -> dict[str, str | int]:
    """Return the readable members of a leaf; none if it is of a format that this version does not know."""
    try:
        record = decode(leaf)
    except ValueError:
        return {}
    return {"at": time_text(record.at), **{name: getattr(record, name) for name in _WORDS}}


def of_record(log: str, entry: Entry) -> bytes:
    """Return the line of a record."""
    leaf = b64encode(entry.leaf).decode()
    return _line({"log": log, "position": entry.position, **members(entry.leaf), "leaf": leaf})


def of_checkpoint(batch: Batch) -> bytes:
    """Return the line of a signed checkpoint."""
    return _line({"log": batch.origin, "checkpoint": batch.size, "note": batch.note})


def of_event(event: str, holds: Mapping[str, int], **more: str) -> bytes:
    """Return the line of what happened to the file itself, which also says what all lines before it hold."""
    return _line({"event": event, **more, "holds": dict(holds)})


def is_ours(head: bytes) -> bool:
    """Whether a file that begins with these bytes, START of them or all it has, is one that a sink has begun."""
    return head.startswith(START) or START.startswith(head)


def held(lines: Iterable[bytes], holds: Holds) -> Holds:
    """Return what is held after `lines`, given what was before; lines that are not ours say nothing."""
    for line in lines:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(said, dict):
            continue
        told = said.get("holds")
        if isinstance(told, dict) and all(map(_is_position, told.values())):
            holds = dict(told)
        elif _is_position(said.get("position")):
            log = str(said.get("log"))
            holds[log] = max(holds.get(log, 0), said["position"] + 1)
    return holds


def _is_position(told: object) -> bool:
    return isinstance(told, int) and not isinstance(told, bool) and 0 <= told < 2**63


def _line(said: Mapping[str, object]) -> bytes:
    return json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
