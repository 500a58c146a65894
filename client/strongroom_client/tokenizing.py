"""Values in, tokens out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Unpack

from msgspec import Struct

from strongroom_client.columns import (
    MAX_ITEMS,
    Batch,
    Piece,
    Plan,
    Progress,
    TokenPart,
    batches,
    collect,
    key_for,
    send,
)
from strongroom_client.options import Item, TokenOptions, wire
from strongroom_client.results import Metadata, TokenColumn
from strongroom_client.session import Session, encode


class _Token(Struct):
    token: str


class Tokenizing(Session):
    """The calls that make tokens.

    Each carries an Idempotency-Key, so that a retry never makes two sets of tokens. Give `idempotency_key`
    (1 to 200 printable ASCII characters) to have that also when your own program starts over.
    """

    def tokenize(
        self,
        field: str,
        value: str,
        *,
        subject: str | None = None,
        metadata: Metadata | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[TokenOptions],
    ) -> str:
        """Return the token of one value; raise Refused (code invalid_value if it is not of its field type).

        Args:
            field: name of the field type, see `fields`.
            subject: your own id of the person or company the value is about, 1 to 128 printable characters.
            metadata: at most 16 texts, 4,096 bytes as JSON; sealed beside the value.
        """
        members = wire({"field": field, "value": value, "subject": subject, "metadata": metadata, **options})
        sent = [value, subject, *(metadata or {}).values()]
        key = key_for(idempotency_key)
        return self._call(
            "POST", "/v1/tokens", _Token, body=encode(members), idempotency_key=key, sent=sent
        ).token

    def tokenize_column(
        self,
        field: str,
        values: Sequence[str | None],
        *,
        subjects: Sequence[str | None] | None = None,
        metadata: Sequence[Metadata | None] | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[TokenOptions],
    ) -> TokenColumn:
        """Return the tokens of a column of any length, in order; what is refused is in `errors`, not raised.

        The column is sent in requests of at most 10,000 values and 8 MiB. If one of them fails as a whole,
        StrongroomError is raised and the earlier ones stand; with `idempotency_key`, the same call again
        returns their tokens.

        Args:
            values: None stays None, and is not sent.
            subjects, metadata: as long as `values`.
            progress: called after each request with the number of values done.
        """
        columns = self.tokenize_stream(
            field,
            values,
            subjects=subjects,
            metadata=metadata,
            progress=progress,
            idempotency_key=idempotency_key,
            **options,
        )
        return _joined(columns)

    def tokenize_stream(
        self,
        field: str,
        values: Iterable[str | None],
        *,
        subjects: Iterable[str | None] | None = None,
        metadata: Iterable[Metadata | None] | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[TokenOptions],
    ) -> Iterator[TokenColumn]:
        """Yield the tokens of a column of any length, 10,000 at a time; `errors` count from its beginning."""
        plan = Plan(
            "/v1/tokens/column",
            "values",
            TokenPart,
            wire({"field": field, **options}),
            idempotency_key=key_for(idempotency_key),
        )
        for batch in batches(values, {"subjects": subjects, "metadata": metadata}, MAX_ITEMS):
            yield _column(batch, send(self, plan, batch), progress)

    def tokenize_items(
        self,
        items: Sequence[Item],
        *,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> TokenColumn:
        """Return the tokens of mixed values, in order, like `tokenize_column`, which is faster."""
        plan = Plan("/v1/tokens/items", "items", TokenPart, idempotency_key=key_for(idempotency_key))
        wired = (wire(dict(item)) for item in items)
        return _joined(
            _column(batch, send(self, plan, batch), progress) for batch in batches(wired, {}, MAX_ITEMS)
        )


def _column(batch: Batch, pieces: Iterable[Piece[TokenPart]], progress: Progress | None) -> TokenColumn:
    found = collect(batch, pieces, progress)
    return TokenColumn(found.spread(lambda part: part.tokens), errors=found.errors)


def _joined(columns: Iterable[TokenColumn]) -> TokenColumn:
    whole = TokenColumn([])
    for column in columns:
        whole.tokens += column.tokens
        whole.errors += column.errors
    return whole
