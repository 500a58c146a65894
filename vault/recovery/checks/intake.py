"""Whether a new value goes in and comes out again."""

from __future__ import annotations

from vault import fields
from vault.columns import Column
from vault.deleting import delete
from vault.recovery.checks.scratch import Found, Scratch, actor
from vault.revealing import reveal
from vault.tokenizing import tokenize

FIELD = "phone"


def check(scratch: Scratch) -> Found:
    """Tokenize a value for every tenant, reveal it, and delete it."""
    bad, value = 0, fields.get(FIELD).sample
    wanted = fields.get(FIELD).normalize(value)
    for tenant in scratch.tenants:
        asks = actor(tenant)
        (made,) = tokenize(scratch.resources, asks, [Column(FIELD, [value])], None)
        shown = reveal(scratch.resources, asks, made.tokens, "service", "full", None, False)
        gone = delete(scratch.resources, asks, made.tokens, None, None)
        bad += shown.values != [wanted] or gone.deleted != 1
    return Found(len(scratch.tenants), bad, "value_differs" if bad else "")
