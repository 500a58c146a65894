"""Decoys made: tokens of plausible values that lie among the others; nothing but their seal tells which they are."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from vault import fields, lures
from vault.columns import Actor, Column, Spec, Tokenized
from vault.errors import InvalidRequest
from vault.resources import Resources
from vault.tokenizing import tokenize

MAX_DECOYS = 100  # of one request


def plant(
    resources: Resources, actor: Actor, field: str, count: int, values: Sequence[object] | None, spec: Spec,
    subjects: Sequence[str | None] | None = None,
) -> Tokenized:  # fmt: skip
    """Return tokens of decoys; see `Governing.make_decoys`."""
    fields.get(field)
    if values is None:
        values = lures.values(field, _counted(count), secrets.randbelow)
    _counted(len(values))
    if spec.deterministic or spec.kind == "one_way":
        # Whoever stores the same value later would get the decoy for its token; and what is one-way is never revealed.
        raise InvalidRequest("decoys are fresh tokens that can be revealed", "/kind")
    (made,) = tokenize(resources, actor, [Column(field, values, spec, subjects, decoy=True)], None)
    return made


def _counted(count: int) -> int:
    if not 1 <= count <= MAX_DECOYS:
        raise InvalidRequest(f"1 to {MAX_DECOYS} decoys are made in one request", "/count")
    return count
