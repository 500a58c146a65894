"""From a request's words to the vault's columns: token options to a Spec, mixed items to columns and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api import limits
from api.schema.asks import FieldOptions, NewColumn, NewToken, TokenOptions, TokensForPurpose
from vault.columns import Column, Grounds, Spec, Tokenized
from vault.errors import VaultError

_NO_SPEC = Spec()


def options(given: FieldOptions | None) -> tuple[tuple[str, object], ...]:
    """Return what the caller says to the field type, as sorted pairs."""
    if given is None:
        return ()
    pairs = (("luhn", given.luhn), ("region", given.region))
    return tuple(pair for pair in pairs if pair[1] is not None)


def spec(ask: TokenOptions) -> Spec:
    """Return how the tokens of `ask` are to be made."""
    return _spec(_options_of(ask))


def column(ask: NewColumn) -> Column:
    """Return the column that `ask` holds; raise TooManyValues or InvalidRequest with a pointer."""
    limits.count(ask.values, "/values")
    metadata = None
    if ask.subjects is not None:
        limits.same_length(ask.subjects, ask.values, "/subjects")
        limits.subjects(ask.subjects, "/subjects/{}")
    if ask.metadata is not None:
        limits.same_length(ask.metadata, ask.values, "/metadata")
        metadata = limits.metadata(ask.metadata, "/metadata/{}")
    return Column(ask.field, ask.values, spec(ask), ask.subjects, metadata)


def single(ask: NewToken) -> Column:
    """Return a column of one."""
    subjects = metadata = None
    if ask.subject is not None:
        subjects = [ask.subject]
        limits.subjects(subjects, "/subject")
    if ask.metadata is not None:
        metadata = limits.metadata([ask.metadata], "/metadata")
    return Column(ask.field, [ask.value], spec(ask), subjects, metadata)


def grounds(ask: TokensForPurpose) -> Grounds:
    """Return what a request names beside its purpose; its subject is printable."""
    if ask.subject is not None:
        limits.subjects([ask.subject], "/subject")
    return Grounds(ask.case, ask.consent, ask.subject)


@dataclass(slots=True, repr=False)
class Groups:
    """Mixed items as columns; `places[n][i]` says where item i of column n stood."""

    columns: list[Column]
    places: list[list[int]]

    def scatter(self, results: Sequence[Tokenized], count: int) -> Tokenized:
        """Return the columns' results as one, in the order of the `count` items."""
        tokens: list[str | None] = [None] * count
        errors: dict[int, VaultError] = {}
        for places, result in zip(self.places, results, strict=True):
            for place, token in zip(places, result.tokens, strict=True):
                tokens[place] = token
            errors.update((places[index], error) for index, error in result.errors.items())
        return Tokenized(tokens, errors)


def group(items: Sequence[NewToken]) -> Groups:
    """Return mixed items as columns of one field and one way to make tokens."""
    limits.count(items, "/items")
    groups: dict[tuple[object, ...], list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault((item.field, *_options_of(item)), []).append(index)
    return Groups([_gather(items, places) for places in groups.values()], list(groups.values()))


def _gather(items: Sequence[NewToken], places: list[int]) -> Column:
    """Return the items at `places`, which share field and options, as a column."""
    chosen = [items[place] for place in places]
    subjects = metadata = None
    if any(item.subject is not None for item in chosen):
        subjects = [item.subject for item in chosen]
        for place, subject in zip(places, subjects, strict=True):
            limits.subjects([subject], f"/items/{place}/subject")
    if any(item.metadata is not None for item in chosen):
        metadata = [
            limits.metadata([i.metadata], f"/items/{p}/metadata")[0]
            for p, i in zip(places, chosen, strict=True)
        ]
    return Column(chosen[0].field, [item.value for item in chosen], spec(chosen[0]), subjects, metadata)


def _options_of(ask: TokenOptions) -> tuple[object, ...]:
    """Return the token options of `ask` in the order of Spec's attributes; equal ones are equal."""
    keep = ask.keep
    return (
        ask.kind, ask.deterministic, ask.scope, ask.ttl_seconds, ask.source, options(ask.options),
        keep.first if keep else 0, keep.last if keep else 0, ask.check, ask.lookalike, tuple(ask.tags),
    )  # fmt: skip


_NONE = _options_of(TokenOptions())


def _spec(said: tuple[object, ...]) -> Spec:
    return _NO_SPEC if said == _NONE else Spec(*said)  # type: ignore[arg-type]
