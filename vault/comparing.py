"""Whether tokens stand for values that the caller has: yes or no, and nothing of the value."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from keys.errors import KeyProblem, UnknownKey
from vault import fields
from vault.columns import NO_GROUNDS, Actor, Compared, Grounds
from vault.counting import Cost, settle
from vault.errors import InvalidRequest, NotRevealable, UnreadableValue, VaultError
from vault.permitting import Permit, permit, touched
from vault.reading import Reading, read
from vault.resources import Resources, open_values
from vault.store.tokens import Sealed, Watched

Row = Sealed | Watched

ATTEMPTS = 3  # a person may get a new key after the row was read and before the key was


@dataclass(frozen=True, slots=True, repr=False)
class _Answer:
    """What is about to be answered, and the field of each decoy in it."""

    reading: Reading[Row]
    compared: Compared
    decoys: list[str]


def compare(
    resources: Resources,
    actor: Actor,
    texts: Sequence[object],
    values: Sequence[object],
    purpose: str,
    field: str | None = None,
    options: Mapping[str, object] | None = None,
    grounds: Grounds = NO_GROUNDS,
) -> Compared:
    """Return whether each token stands for the value beside it; see `Vault.compare`."""
    if len(texts) != len(values):
        raise InvalidRequest("must be as long as tokens", "/values")
    given = permit(resources, actor, "compare", purpose=purpose, view="match", grounds=grounds)
    failed: VaultError | KeyProblem
    for attempt in range(ATTEMPTS):
        state = resources.database.snapshot() if attempt else nullcontext()
        try:
            with state:
                answer = _compare(given, texts, values, field, options or {})
            _settle(given, answer)
            return answer.compared
        except (UnreadableValue, UnknownKey) as error:
            failed = error
            resources.keyring.refresh(actor.tenant)
    raise given.refused(failed, field=field or "", refused=len(texts))


def _compare(
    given: Permit,
    texts: Sequence[object],
    values: Sequence[object],
    field: str | None,
    options: Mapping[str, object],
) -> _Answer:
    reading: Reading[Row] = read([given], texts, field, given.kind)
    held = [row for row in reading.rows.values() if row.sealed is not None]
    sealed = [row.sealed or b"" for row in held]
    opened = open_values(given.resources, reading.keys, given.actor, "value", held, sealed)
    plain = {row.token: value for row, value in zip(held, opened.values, strict=True)}
    normal = _normal(reading, values, options)
    matches: list[bool | None] = []
    for at, token in enumerate(reading.good()):
        if token is not None and token not in plain:
            reading.errors[at] = NotRevealable("a one-way token keeps no value; look for it by value")
        known = at in normal and at not in reading.errors and token is not None
        matches.append(hmac.compare_digest(plain[token or b""], normal[at]) if known else None)
    return _Answer(reading, Compared(matches, reading.errors), [held[at].field for at in opened.decoys])


def _normal(
    reading: Reading[Row], values: Sequence[object], options: Mapping[str, object]
) -> dict[int, bytes]:
    """Return the values beside readable tokens as their fields write them; what is none of the field is refused."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, token in enumerate(reading.good()):
        if token is not None:
            places[reading.rows[token].field].append(at)
    normal: dict[int, bytes] = {}
    for name, column in places.items():
        texts, refused = fields.normalize_column(name, [values[at] for at in column], options)
        reading.errors |= {column[number]: error for number, error in refused.items()}
        normal |= {at: text.encode() for at, text in zip(column, texts, strict=True) if text is not None}
    return normal


def _settle(given: Permit, answer: _Answer) -> None:
    """Count and put on record what is about to be answered; a value that is not the token's is a guess."""
    reading, matches = answer.reading, answer.compared.matches
    facts, now = touched(reading.touched()), given.resources.database.now()
    row = given.row(reading.keys, now, facts, refused=len(reading.errors))
    cost = Cost(reading.misses() + matches.count(False), answer.decoys)
    settle(given, reading.keys, cost, row, len(matches))
