"""Tokens in, values or masks of them out; values in, their tokens out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from strongroom_client.columns import (
    MAX_FIND,
    MAX_ITEMS,
    MatchPart,
    Plan,
    Progress,
    ValuePart,
    batches,
    collect,
    only,
    send,
)
from strongroom_client.options import Purpose, View, wire
from strongroom_client.results import MatchColumn, ValueColumn
from strongroom_client.session import Session


class Revealing(Session):
    """The calls that turn tokens back, or find them; the server's audit records each with its purpose."""

    def reveal(self, token: str, *, purpose: Purpose, view: View = "masked", field: str | None = None) -> str:
        """Return the value of one token, or its mask; raise Refused (code unknown_token, expired_token, …).

        Args:
            purpose: what it is for; recorded, and never optional.
            view: "masked" (default) or "plain", which needs an API key that carries reveal_plain.
            field: name of the field type; needed for a shaped token, which does not say it itself.
        """
        column = self.reveal_column([token], purpose=purpose, view=view, field=field)
        return only(column.values, column.errors)

    def reveal_column(
        self,
        tokens: Sequence[str | None],
        *,
        purpose: Purpose,
        view: View = "masked",
        field: str | None = None,
        metadata: bool = False,
        progress: Progress | None = None,
    ) -> ValueColumn:
        """Return the values or masks of a column of any length, in order; what is refused is in `errors`.

        Args:
            metadata: return what was given beside the values, too.
            progress: called after each request with the number of tokens done.
        """
        whole = ValueColumn([])
        for column in self.reveal_stream(
            tokens, purpose=purpose, view=view, field=field, metadata=metadata, progress=progress
        ):
            whole.values += column.values
            whole.metadata += column.metadata
            whole.errors += column.errors
        return whole

    def reveal_stream(
        self,
        tokens: Iterable[str | None],
        *,
        purpose: Purpose,
        view: View = "masked",
        field: str | None = None,
        metadata: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[ValueColumn]:
        """Yield the values or masks of a column that need not fit in memory, 10,000 at a time."""
        rest = wire({"purpose": purpose, "view": view, "field": field, "metadata": metadata or None})
        plan = Plan("/v1/reveal", "tokens", ValuePart, rest)
        for batch in batches(tokens, {}, MAX_ITEMS):
            found = collect(batch, send(self, plan, batch), progress)
            beside = found.spread(lambda part: part.metadata or [None] * len(part.values)) if metadata else []
            yield ValueColumn(found.spread(lambda part: part.values), beside, errors=found.errors)

    def find(
        self,
        field: str,
        value: str,
        *,
        scope: str | None = None,
        options: Mapping[str, bool | str] | None = None,
    ) -> list[str]:
        """Return the tokens that stand for `value`, oldest first; empty if there are none."""
        column = self.find_column(field, [value], scope=scope, options=options)
        return only(column.matches, column.errors)

    def find_column(
        self,
        field: str,
        values: Sequence[str | None],
        *,
        scope: str | None = None,
        options: Mapping[str, bool | str] | None = None,
        progress: Progress | None = None,
    ) -> MatchColumn:
        """Return for each value the tokens that stand for it; 1,000 values a request."""
        plan = Plan(
            "/v1/find", "values", MatchPart, wire({"field": field, "scope": scope, "options": options})
        )
        whole = MatchColumn([])
        for batch in batches(values, {}, MAX_FIND):
            found = collect(batch, send(self, plan, batch), progress)
            whole.matches += found.spread(lambda part: part.matches)
            whole.errors += found.errors
        return whole
