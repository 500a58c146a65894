"""Tokens themselves: what they are, which there are, and their end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote, urlencode

from msgspec import Struct

from strongroom_client.columns import (
    MAX_ITEMS,
    DeletionPart,
    DescriptionPart,
    Plan,
    batches,
    collect,
    key_for,
    only,
    send,
)
from strongroom_client.errors import Refused
from strongroom_client.options import wire
from strongroom_client.results import Deletion, Description, DescriptionColumn, Erasure
from strongroom_client.retries import Repeat
from strongroom_client.session import Session


class _Page(Struct):
    tokens: Sequence[Description]
    next_cursor: str | None = None


class Tokens(Session):
    """The calls that never see a value. Tokens travel in bodies, not in paths, which proxies log."""

    def describe(self, token: str, *, field: str | None = None) -> Description:
        """Return what may be said of a token, or raise Refused; a shaped one needs its `field`."""
        column = self.describe_column([token], field=field)
        return only(column.tokens, column.errors)

    def describe_column(self, tokens: Sequence[str | None], *, field: str | None = None) -> DescriptionColumn:
        """Return what may be said of each token, in order; what is refused is in `errors`."""
        plan = Plan("/v1/tokens/describe", "tokens", DescriptionPart, wire({"field": field}))
        whole = DescriptionColumn([])
        for batch in batches(tokens, {}, MAX_ITEMS):
            found = collect(batch, send(self, plan, batch), None)
            whole.tokens += found.spread(lambda part: part.tokens)
            whole.errors += found.errors
        return whole

    def list(
        self, *, field: str | None = None, subject: str | None = None, page: int = 1000
    ) -> Iterator[Description]:
        """Yield every token, or a field's, or a subject's, asking for `page` (1 to 1,000) at a time."""
        path = "/v1/tokens" if subject is None else f"/v1/subjects/{_segment(subject)}/tokens"
        cursor: str | None = None
        while True:
            asked = wire({"field": field if subject is None else None, "limit": page, "cursor": cursor})
            found = self._call("GET", f"{path}?{urlencode(asked)}", _Page, sent=[subject])
            for token in found.tokens:
                if subject is None or field is None or token.field == field:
                    yield token
            cursor = found.next_cursor
            if cursor is None:
                return

    def delete(self, token: str, *, field: str | None = None) -> None:
        """Delete one token and its value; raise Refused if there is none; a shaped one needs its `field`."""
        column = self.delete_column([token], field=field)
        if column.errors:
            first = column.errors[0]
            raise Refused(first.detail, code=first.code, pointer=first.pointer)

    def delete_column(
        self, tokens: Sequence[str | None], *, field: str | None = None, idempotency_key: str | None = None
    ) -> Deletion:
        """Delete tokens and their values; what is refused is in `errors`."""
        key = key_for(idempotency_key)
        plan = Plan("/v1/tokens/delete", "tokens", DeletionPart, wire({"field": field}), idempotency_key=key)
        whole = Deletion(0, len(tokens))
        for batch in batches(tokens, {}, MAX_ITEMS):
            found = collect(batch, send(self, plan, batch), None)
            whole.deleted += sum(part.deleted for _, part in found.parts)
            whole.errors += found.errors
        return whole

    def erase_subject(self, subject: str) -> Erasure:
        """Destroy a person's key, tokens and index entries; raise NotFound (code unknown_subject).

        Sent again only while the server cannot have seen it: a second erasure finds nobody, and the first
        one's id would be lost.
        """
        path = f"/v1/subjects/{_segment(subject)}"
        return self._call("DELETE", path, Erasure, repeat=Repeat.UNSENT, sent=[subject])


def _segment(text: str) -> str:
    """Return `text` as one segment of a path: "." and "/" must not be taken for the path's own."""
    return quote(text, safe="").replace(".", "%2E")
