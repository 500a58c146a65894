"""Decoys to be found by who should not be looking, and callers that may do nothing any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Unpack

from msgspec import Struct

from strongroom_client import problems
from strongroom_client.columns import TokenPart
from strongroom_client.options import TokenOptions, wire
from strongroom_client.results import ItemError, TokenColumn
from strongroom_client.retries import Repeat
from strongroom_client.session import Session, encode


class FrozenCaller(Struct, frozen=True):
    """A caller that may do nothing; `frozen_by` is "policy", or whoever did it."""

    caller: str
    reason: str
    frozen_by: str
    at: datetime


class _Frozen(Struct):
    frozen: list[FrozenCaller]


class Callers(Session):
    """The calls on decoys need the operation decoys, those on frozen callers the operation callers."""

    def make_decoys(
        self,
        field: str,
        count: int = 1,
        *,
        values: Sequence[str] | None = None,
        subjects: Sequence[str | None] | None = None,
        **options: Unpack[TokenOptions],
    ) -> TokenColumn:
        """Return tokens of decoys, at most 100: made-up values of a field type, or those given.

        Whoever reveals or compares one gets a plausible answer and raises an alarm. No later reply tells them from
        other tokens: keep these where a thief would look.
        """
        more = {"values": values, "subjects": subjects, **options}
        ask = wire({"field": field, "count": None if values is not None else count, **more})
        sent = [*(values or ()), *(subjects or ())]
        part = self._call("POST", "/v1/decoys", TokenPart, body=encode(ask), repeat=Repeat.UNSENT, sent=sent)
        errors = [
            ItemError(
                one.index, problems.code(one.code), problems.words(one.detail, sent), f"/values/{one.index:d}"
            )
            for one in part.errors
        ]
        return TokenColumn(list(part.tokens), errors=errors)

    def frozen_callers(self) -> list[FrozenCaller]:
        """Return the frozen callers, the newest first."""
        return self._call("GET", "/v1/callers/frozen", _Frozen).frozen

    def freeze_caller(self, caller: str, reason: str) -> None:
        """Stop a caller: an API key's id, or another caller's name; it may do nothing within a second."""
        body = encode({"caller": caller, "reason": reason})
        self._call("POST", "/v1/callers/freeze", type(None), body=body)

    def unfreeze_caller(self, caller: str) -> None:
        """Let a caller act again; raise NotFound (code unknown_caller), or Forbidden (code self_approval)."""
        body = encode({"caller": caller})
        self._call("POST", "/v1/callers/unfreeze", type(None), body=body, repeat=Repeat.UNSENT)
