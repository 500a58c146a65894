"""What a way in needs, takes and gives, said once: guard, decoder and OpenAPI read the same lines."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Response
from msgspec import Struct

from api import bodies
from api.auth import admit

View = Callable[..., Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        needs: operations of which an API key must carry one; ("any",) for every good key; () for no key.
        takes: what the body is decoded into.
        loose: what is tried when only single items are of a wrong type.
        optional: the body may be left out.
        query: what the query is decoded into.
        gives: what the reply holds, with `status`; None for no body.
        refuses: errors beyond those that every operation has.
        items: errors that single items of a column may have.
        example: a body that works.
        keyed: an Idempotency-Key is honoured.
        unready: a 503 with the same body is a good answer too.
        open: it stays open while no place outside takes the audit's records.
    """

    needs: tuple[str, ...] = ()
    takes: type[Struct] | None = None
    loose: type[Struct] | None = None
    optional: bool = False
    query: type[Struct] | None = None
    gives: type[Struct] | str | None = None
    status: int = 200
    refuses: tuple[type[Exception], ...] = ()
    items: tuple[type[Exception], ...] = ()
    example: object = None
    keyed: bool = False
    unready: bool = False
    open: bool = False

    def __call__(self, view: View) -> View:
        """Return `view` behind this declaration; it gets Actor, body or query, and what the path holds."""
        run = functools.wraps(view)(self._runner(view))
        run.operation = self  # type: ignore[attr-defined]
        return run

    def _runner(self, view: View) -> View:
        needs, takes, loose, optional, query = self.needs, self.takes, self.loose, self.optional, self.query
        unaudited = self.open
        if not needs:
            return view

        def run(**path: object) -> Response:
            actor = admit(*needs, unaudited=unaudited)
            if query is not None:
                return view(actor, bodies.query(query), **path)
            bodies.refuse_query()
            if takes is not None:
                return view(actor, bodies.read(takes, loose, optional=optional), **path)
            return view(actor, **path)

        return run


def declared(view: object) -> Operation:
    """Return the declaration that a view stands behind."""
    return cast("Operation", vars(view)["operation"])
