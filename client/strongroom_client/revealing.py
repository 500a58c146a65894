"""Tokens in, values or masks of them out; values in, their tokens out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Unpack

from strongroom_client.columns import (
    MAX_FIND,
    MAX_ITEMS,
    ComparedPart,
    MatchPart,
    Plan,
    Progress,
    ValuePart,
    batches,
    collect,
    only,
    send,
)
from strongroom_client.errors import InvalidArgument
from strongroom_client.options import Grounds, Purpose, View, wire
from strongroom_client.results import ComparedColumn, MatchColumn, ValueColumn
from strongroom_client.session import Session


class Revealing(Session):
    """The calls that turn tokens back, or find them; the server's audit records each with its purpose."""

    def reveal(
        self,
        token: str,
        *,
        purpose: Purpose,
        view: View = "masked",
        field: str | None = None,
        **grounds: Unpack[Grounds],
    ) -> str:
        """Return the value of one token, or what a view shows of it; raise Refused (code unknown_token, …).

        Args:
            purpose: what it is for; recorded, and never optional.
            view: "masked" (default), "last4", "fingerprint" (for ever the same for the same value of a field), or
                "full", which needs an API key that carries reveal_plain.
            field: name of the field type; needed for a shaped token, which does not say it itself.
            grounds: case, consent and subject.
        """
        column = self.reveal_column([token], purpose=purpose, view=view, field=field, **grounds)
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
        **grounds: Unpack[Grounds],
    ) -> ValueColumn:
        """Return the values of a column of any length, or what a view shows of them; what is refused is in `errors`.

        Args:
            metadata: return what was given beside the values, too.
            progress: called after each request with the number of tokens done.
        """
        whole = ValueColumn([])
        for column in self.reveal_stream(
            tokens, purpose=purpose, view=view, field=field, metadata=metadata, progress=progress, **grounds
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
        **grounds: Unpack[Grounds],
    ) -> Iterator[ValueColumn]:
        """Yield the values or views of a column that need not fit in memory, 10,000 at a time."""
        members = {"purpose": purpose, "view": view, "field": field, "metadata": metadata or None}
        rest = wire({**members, **grounds})
        plan = Plan("/v1/reveal", "tokens", ValuePart, rest)
        for batch in batches(tokens, {}, MAX_ITEMS):
            found = collect(batch, send(self, plan, batch), progress)
            beside = found.spread(lambda part: part.metadata or [None] * len(part.values)) if metadata else []
            yield ValueColumn(found.spread(lambda part: part.values), beside, errors=found.errors)

    def compare(
        self,
        token: str,
        value: str,
        *,
        purpose: Purpose,
        field: str | None = None,
        options: Mapping[str, bool | str] | None = None,
        **grounds: Unpack[Grounds],
    ) -> bool:
        """Return whether a token stands for `value`, and nothing of its own value; raise Refused as `reveal` does.

        A value that is none of the token's field is refused (code invalid_value).
        """
        column = self.compare_column(
            [token], [value], purpose=purpose, field=field, options=options, **grounds
        )
        return only(column.matches, column.errors)

    def compare_column(
        self,
        tokens: Sequence[str | None],
        values: Sequence[str | None],
        *,
        purpose: Purpose,
        field: str | None = None,
        options: Mapping[str, bool | str] | None = None,
        progress: Progress | None = None,
        **grounds: Unpack[Grounds],
    ) -> ComparedColumn:
        """Return whether each token stands for the value beside it; None where refused, or where one of them is None.

        Args:
            values: as long as `tokens`.
            options: what the field type lets the caller say; for a column of one field type.
        """
        if len(tokens) != len(values):
            raise InvalidArgument("columns given together must be equally long")
        both = [
            at
            for at, (token, value) in enumerate(zip(tokens, values, strict=True))
            if None not in (token, value)
        ]
        rest = wire({"purpose": purpose, "field": field, "options": options, **grounds})
        plan = Plan("/v1/compare", "tokens", ComparedPart, rest)
        whole = ComparedColumn([None] * len(tokens))
        for batch in batches([tokens[at] for at in both], {"values": [values[at] for at in both]}, MAX_ITEMS):
            found = collect(batch, send(self, plan, batch), progress)
            for at, match in zip(both[batch.start :], found.spread(lambda part: part.matches), strict=False):
                whole.matches[at] = match
            whole.errors += [replace(error, index=both[error.index]) for error in found.errors]
        return whole

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
