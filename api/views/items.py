"""Mixed items on their way to the vault and back; those of fields that the key does not reach stay here."""

from __future__ import annotations

from collections.abc import Sequence

from api import answers
from api.grouping import group
from api.schema.asks import NewToken
from api.state import vault
from vault import fields
from vault.columns import Actor, Column, Remember, Tokenized
from vault.errors import FieldNotGranted, InvalidRequest


class Mixture:
    """The items of one request; raises InvalidRequest, with a pointer, for a field type there is not."""

    def __init__(self, actor: Actor, items: Sequence[NewToken]) -> None:
        self._actor, self._count, self._groups = actor, len(items), group(items)
        for column, places in zip(self._groups.columns, self._groups.places, strict=True):
            _known(column.field, f"/items/{places[0]}")
        self._barred = {
            index: _barred(column)
            for index, column in enumerate(self._groups.columns)
            if actor.fields is not None and column.field not in actor.fields
        }

    def tokenize(self, remember: Remember | None) -> list[Tokenized]:
        """Return the results of the columns that the key reaches."""
        columns = [c for index, c in enumerate(self._groups.columns) if index not in self._barred]
        if self._barred:
            vault().record_refusal(self._actor, "tokenize", FieldNotGranted.code)
        results = self._ask(columns, remember) if columns else []
        for column, result in zip(columns, results, strict=True):
            answers.count("tokenize", column.field, len(result.tokens), len(result.errors))
        return results

    def _ask(self, columns: Sequence[Column], remember: Remember | None) -> list[Tokenized]:
        """Ask the vault; the pointer of what it refuses as a whole leads to the first item of that column."""
        try:
            return vault().tokenize(self._actor, columns, remember)
        except InvalidRequest as error:
            if error.column is None:
                raise
            asked = [places for n, places in enumerate(self._groups.places) if n not in self._barred]
            place = f"/items/{asked[error.column][0]}{error.pointer}"
            raise type(error)(str(error), place) from None

    def scatter(self, results: Sequence[Tokenized]) -> Tokenized:
        """Return all results in the order of the items."""
        rest = iter(results)
        count = len(self._groups.columns)
        whole = [self._barred[index] if index in self._barred else next(rest) for index in range(count)]
        return self._groups.scatter(whole, self._count)


def _known(field: str, pointer: str) -> None:
    try:
        fields.get(field)
    except InvalidRequest as error:
        raise type(error)(str(error), f"{pointer}/field") from None


def _barred(column: Column) -> Tokenized:
    refused = FieldNotGranted("the API key does not reach this field")
    return Tokenized([None] * len(column.values), dict.fromkeys(range(len(column.values)), refused))
