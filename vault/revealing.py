"""Tokens back into values or masks, and what else may be read of them; answered once the audit record is durable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TypeVar

from keys.errors import KeyProblem, UnknownKey
from keys.openkeys import TenantKeys
from vault import fields
from vault.columns import MAX_ITEMS, PURPOSES, Actor, Described, Revealed, View
from vault.errors import (
    ExpiredToken,
    FieldNotGranted,
    InvalidRequest,
    NotRevealable,
    UnknownToken,
    UnreadableValue,
    VaultError,
)
from vault.resources import Resources, description, look_up, open_values, parse_column, record, strays
from vault.store.tokens import Sealed, Stored

Readable = TypeVar("Readable", bound=Stored | Sealed)

ATTEMPTS = 3  # a person may be erased, or get a new key, after the row was read and before the key was


def reveal(
    resources: Resources,
    actor: Actor,
    texts: Sequence[object],
    purpose: str,
    view: View,
    field: str | None,
    metadata: bool,
) -> Revealed:
    """Return the column of values or masks; see `Vault.reveal`."""
    if purpose not in PURPOSES:
        raise InvalidRequest("purpose must be one of the purposes in the documentation", "/purpose")
    if view not in {"masked", "plain"}:
        raise InvalidRequest("view must be masked or plain", "/view")
    failed: VaultError | KeyProblem
    for attempt in range(ATTEMPTS):
        # In a long column somebody always gets a new key while an emergency is under way: then one state is read.
        state = resources.database.snapshot() if attempt else nullcontext()
        try:
            with state:
                keys, revealed, named, touched = _reveal(resources, actor, texts, view, field, metadata)
            record(
                resources, actor, keys, "reveal",
                field=named, purpose=purpose, view=view, tokens=touched, refused=len(revealed.errors),
            )  # fmt: skip
            return revealed
        except (UnreadableValue, UnknownKey) as error:
            failed = error
            resources.keyring.refresh(
                actor.tenant
            )  # it may be under a key that is newer than those held here
    record(
        resources, actor, resources.keyring.keys(actor.tenant), "reveal",
        field=field or "", purpose=purpose, view=view, tokens=(), refused=len(texts), result=failed.code,
    )  # fmt: skip
    raise failed


def _reveal(
    resources: Resources,
    actor: Actor,
    texts: Sequence[object],
    view: View,
    field: str | None,
    metadata: bool,
) -> tuple[TenantKeys, Revealed, str, list[bytes]]:
    """Return what is revealed, with the keys, the field and the tokens for its audit record."""
    kind: type[Sealed] | type[Stored] = Stored if metadata else Sealed
    keys, places, rows, errors = _readable(resources, actor, texts, field, kind)
    held = [row for row in rows.values() if row.sealed is not None]
    opened = open_values(resources, keys, actor, "value", held, [row.sealed or b"" for row in held])
    shown = dict(zip([row.token for row in held], _shown(view, held, opened), strict=True))
    notes = _notes(resources, keys, actor, rows) if metadata else {}
    for at, place in enumerate(places) if len(held) < len(rows) else ():
        if place is not None and at not in errors and place[1] not in shown:
            errors[at] = NotRevealable("a one-way token keeps no value")
    good = [None if place is None or at in errors else place[1] for at, place in enumerate(places)]
    values = [None if token is None else shown[token] for token in good]
    touched = [token for token in good if token is not None]
    listed = [None if token is None else notes.get(token) for token in good] if metadata else None
    return keys, Revealed(values, listed, errors), _one_field(held), touched


def describe(resources: Resources, actor: Actor, texts: Sequence[object], field: str | None) -> Described:
    """Return what may be said of each token; see `Vault.describe`."""
    keys, places, rows, errors = _readable(resources, actor, texts, field, Stored)
    told = {token: description(actor, row) for token, row in rows.items()}
    good = [place[1] for at, place in enumerate(places) if place is not None and at not in errors]
    record(
        resources,
        actor,
        keys,
        "describe",
        field=_one_field(list(rows.values())),
        tokens=good,
        refused=len(errors),
    )
    return Described(
        [None if at in errors or place is None else told[place[1]] for at, place in enumerate(places)], errors
    )


def _readable(
    resources: Resources, actor: Actor, texts: Sequence[object], field: str | None, kind: type[Readable]
) -> tuple[TenantKeys, list[tuple[int, bytes] | None], dict[bytes, Readable], dict[int, VaultError]]:
    """Return the rows that the caller may read, and the error of each item that has none."""
    if len(texts) > MAX_ITEMS:
        raise InvalidRequest(f"at most {MAX_ITEMS} tokens go into one request", "/tokens")
    if field is not None:
        fields.get(field)
    keys = resources.keyring.keys(actor.tenant)
    places, errors = parse_column(keys, actor, texts, field)
    rows = look_up(resources, actor, places, kind)
    refused = _refused(actor, rows, resources.database.now())
    wrong = strays(resources, actor, places, len(rows))
    for at, place in enumerate(places):
        if place is not None and (place[1] not in rows or place in wrong):
            errors[at] = UnknownToken("no such token")
        elif place is not None and place[1] in refused:
            errors[at] = refused[place[1]]
    for token in refused:
        del rows[token]
    return keys, places, rows, errors


def _refused(actor: Actor, rows: Mapping[bytes, Stored | Sealed], now: int) -> dict[bytes, VaultError]:
    """Return why the caller may not read some of the tokens."""
    refused: dict[bytes, VaultError] = {}
    for token, row in rows.items():
        if row.expires_at is not None and row.expires_at <= now:
            refused[token] = ExpiredToken("the token's time to live is over")
        elif actor.fields is not None and row.field not in actor.fields:
            refused[token] = FieldNotGranted("the key does not reach this token's field")
    return refused


def _shown(view: View, rows: Sequence[Stored | Sealed], opened: Sequence[bytes]) -> list[str]:
    if view == "plain":
        return [value.decode() for value in opened]
    masks = {name: fields.get(name).mask for name in {row.field for row in rows}}
    return [masks[row.field](value.decode()) for row, value in zip(rows, opened, strict=True)]


def _notes(
    resources: Resources, keys: TenantKeys, actor: Actor, rows: Mapping[bytes, Stored | Sealed]
) -> dict[bytes, bytes]:
    noted = [row for row in rows.values() if isinstance(row, Stored) and row.metadata is not None]
    opened = open_values(resources, keys, actor, "metadata", noted, [row.metadata or b"" for row in noted])
    return {row.token: note for row, note in zip(noted, opened, strict=True)}


def _one_field(rows: Sequence[Stored | Sealed]) -> str:
    named = {row.field for row in rows}
    return named.pop() if len(named) == 1 else ""
