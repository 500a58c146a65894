"""Tokens back into values or views of them, and what else may be read of them; answered once that is on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from keys.errors import KeyProblem, UnknownKey
from keys.keyset import Purpose
from vault import bound
from vault.columns import NO_GROUNDS, Actor, Described, Grounds, Revealed, View
from vault.counting import SPENT, Cost, settle
from vault.errors import NotRevealable, UnreadableValue, VaultError
from vault.permitting import Permit, permit, touched
from vault.policy.model import Seen
from vault.reading import Reading, read
from vault.resources import Resources, description, open_values
from vault.store.tokens import Sealed, Stored, Watched
from vault.views import seen, shown

Row = Stored | Sealed | Watched

ATTEMPTS = 3  # a person may be erased, or get a new key, after the row was read and before the key was


@dataclass(frozen=True, slots=True, repr=False)
class _Asked:
    """A reveal as it was asked for, and what its caller may."""

    permits: list[Permit]
    texts: Sequence[object]
    view: Seen
    field: str | None
    metadata: bool

    @property
    def permit(self) -> Permit:
        return self.permits[0]


@dataclass(frozen=True, slots=True, repr=False)
class _Answer:
    """What is about to be answered, and the field of each decoy in it."""

    reading: Reading[Row]
    revealed: Revealed
    decoys: list[str]


def reveal(
    resources: Resources,
    actor: Actor,
    texts: Sequence[object],
    purpose: str,
    view: View,
    field: str | None,
    metadata: bool,
    grounds: Grounds = NO_GROUNDS,
) -> Revealed:
    """Return the column of values, or what the view shows of them; see `Vault.reveal`."""
    wanted = seen(view)
    views: list[Seen] = [wanted, "full"] if metadata and wanted != "full" else [wanted]
    permits = [
        permit(resources, actor, "reveal", purpose=purpose, view=one, grounds=grounds) for one in views
    ]
    asked = _Asked(permits, texts, wanted, field, metadata)
    failed: VaultError | KeyProblem
    for attempt in range(ATTEMPTS):
        # In a long column somebody always gets a new key while an emergency is under way: then one state is read.
        state = resources.database.snapshot() if attempt else nullcontext()
        try:
            with state:
                answer = _reveal(asked)
            _settle(asked, answer)
            return answer.revealed
        except (UnreadableValue, UnknownKey) as error:
            failed = error
            resources.keyring.refresh(
                actor.tenant
            )  # it may be under a key that is newer than those held here
    raise asked.permit.refused(failed, field=field or "", refused=len(texts))


def describe(
    resources: Resources,
    actor: Actor,
    texts: Sequence[object],
    field: str | None,
    grounds: Grounds = NO_GROUNDS,
) -> Described:
    """Return what may be said of each token; see `Vault.describe`."""
    given = permit(resources, actor, "describe", grounds=grounds)
    reading = read([given], texts, field, Stored)
    told = {token: description(actor, row) for token, row in reading.rows.items()}
    facts = touched(reading.touched())
    row = given.row(reading.keys, resources.database.now(), facts, refused=len(reading.errors))
    settle(given, reading.keys, Cost(reading.misses()), row, len(texts))
    return Described([None if token is None else told[token] for token in reading.good()], reading.errors)


def _reveal(asked: _Asked) -> _Answer:
    """Read, judge and open."""
    given = asked.permit
    watched = any(one.kind is Watched for one in asked.permits)
    kind: type[Row] = Stored if asked.metadata else Watched if watched else Sealed
    reading: Reading[Row] = read(asked.permits, asked.texts, asked.field, kind)
    resources, actor, keys, rows = given.resources, given.actor, reading.keys, reading.rows
    held = [row for row in rows.values() if row.sealed is not None]
    opened = open_values(resources, keys, actor, "value", held, [row.sealed or b"" for row in held])
    names, route = [row.field for row in held], keys.primary(Purpose.ROUTE)
    texts = shown(asked.view, route, actor.tenant, names, opened.values)
    values = dict(zip([row.token for row in held], texts, strict=True))
    for at, place in enumerate(reading.places) if len(held) < len(rows) else ():
        if place is not None and at not in reading.errors and place[1] not in values:
            reading.errors[at] = NotRevealable("a one-way token keeps no value")
    good = reading.good()
    listed = None
    if asked.metadata:
        notes = _notes(asked, reading)
        listed = [None if token is None else notes.get(token) for token in good]
    shown_texts = [None if token is None else values[token] for token in good]
    revealed = Revealed(shown_texts, listed, reading.errors)
    return _Answer(reading, revealed, [held[at].field for at in opened.decoys])


def _notes(asked: _Asked, reading: Reading[Row]) -> Mapping[bytes, bytes]:
    noted = [row for row in reading.rows.values() if isinstance(row, Stored) and row.metadata is not None]
    sealed, given = [row.metadata or b"" for row in noted], asked.permit
    opened = open_values(given.resources, reading.keys, given.actor, "metadata", noted, sealed)
    return {row.token: note for row, note in zip(noted, opened.values, strict=True)}


def _settle(asked: _Asked, answer: _Answer) -> None:
    """Count and put on record what is about to be answered."""
    given, reading, rows = asked.permit, answer.reading, answer.reading.touched()
    facts = touched(rows)
    row = given.row(reading.keys, given.resources.database.now(), facts, refused=len(reading.errors))
    values = len(rows) if asked.view in SPENT or asked.metadata else 0
    limit, bulk = given.policy.bulk_limit, None
    if limit is not None and values > limit:
        purpose, named = given.situation.purpose, [row.field for row in rows]
        bulk = bound.bulk(asked.texts, named, purpose, asked.view, asked.field, asked.metadata, given.grounds)
    cost = Cost(reading.misses(), answer.decoys, values, bulk)
    settle(given, reading.keys, cost, row, len(asked.texts))
