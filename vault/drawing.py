"""Give drafts their tokens: opaque ones at once, shaped ones drawn until none is taken."""

from __future__ import annotations

from collections.abc import Sequence

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import index, shapes, tokens
from vault.drafts import Drafts
from vault.errors import InvalidRequest, NotShapable, TokenSpaceExhausted
from vault.resources import Resources
from vault.store import tokens as rows

_NONE = ""  # where no draw was good; counts as taken


def draw(
    resources: Resources, drafts: Drafts, keys: TenantKeys, tenant: int, bucket: int, drawn: set[bytes]
) -> None:
    """Give each draft a token: fresh ones lie in the request's bucket, others where their value's index entry does.

    Drafts whose value has no such shape, or whose space is full, go into `drafts.failed`; if no value of the column
    has the shape, its error is raised.
    """
    if drafts.spec.kind == "shaped":
        _draw_shaped(resources, drafts, keys, tenant, drawn)
    else:
        drafts.tokens = tokens.draw(len(drafts.values))
        drafts.buckets = list(drafts.index_buckets) if drafts.fixed else [bucket] * len(drafts.values)
    if drafts.digests and not drafts.fixed:
        drafts.index_buckets = list(drafts.buckets)


def _draw_shaped(
    resources: Resources, drafts: Drafts, keys: TenantKeys, tenant: int, drawn: set[bytes]
) -> None:
    """Draw until no token is taken, at most `shapes.ATTEMPTS` times; a clash with a later commit is settled there."""
    count = len(drafts.values)
    drafts.tokens, drafts.buckets = [b""] * count, [0] * count
    templates = _templates(drafts)
    pending = list(templates)
    drawn.add(tokens.shaped(drafts.field_type.name, _NONE))
    for _ in range(shapes.ATTEMPTS):
        _redraw(drafts, keys, tenant, templates, pending)
        places = [(drafts.buckets[at], drafts.tokens[at]) for at in pending]
        with resources.database.read() as connection:
            taken = rows.taken(connection, resources.database.dialect, tenant, places)
        clashing = []
        for at in pending:
            if drafts.tokens[at] in taken or drafts.tokens[at] in drawn:
                clashing.append(at)
            else:
                drawn.add(drafts.tokens[at])
        if not clashing:
            return
        pending = clashing
    full = TokenSpaceExhausted("the shape has too few unused tokens left to draw from")
    drafts.failed |= dict.fromkeys(pending, full)


def _templates(drafts: Drafts) -> dict[int, tuple[str, ...]]:
    """Return the template of each draft that has one; the others fail."""
    templates = {}
    refusal: InvalidRequest | None = None
    for at, value in enumerate(drafts.values):
        try:
            templates[at] = _readable(shapes.template(drafts.field_type, value, drafts.spec))
        except InvalidRequest as error:
            refusal = drafts.failed[at] = error.with_traceback(None)
    if refusal is not None and not templates:
        raise refusal
    return templates


def _readable(template: tuple[str, ...]) -> tuple[str, ...]:
    """Return a template; raise NotShapable if every token of it would be read as an opaque one, and never revealed."""
    if "".join(template[: len(tokens.FAMILY)]) == tokens.FAMILY:
        raise NotShapable(f"a shaped token does not begin with {tokens.FAMILY}; keep less", "/keep")
    return template


def _redraw(
    drafts: Drafts,
    keys: TenantKeys,
    tenant: int,
    templates: dict[int, tuple[str, ...]],
    places: Sequence[int],
) -> None:
    kind, spec = drafts.field_type, drafts.spec
    found = []
    for at in places:
        drawn = shapes.draw(kind, templates[at], spec, 4)
        good = (text for text in drawn if text != drafts.values[at] and not text.startswith(tokens.FAMILY))
        text = next(good, _NONE)
        found.append(tokens.shaped(kind.name, text))
    buckets = index.token_buckets(keys.primary(Purpose.ROUTE), tenant, found)
    for at, token, bucket in zip(places, found, buckets, strict=True):
        drafts.tokens[at], drafts.buckets[at] = token, bucket
