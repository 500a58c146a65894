"""The vault's own steps without HTTP or database, beside the simplest code that does the same a value at a time."""

from __future__ import annotations

import hmac
import os
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import email_validator
import phonenumbers
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from stdnum import iban, luhn
from stdnum.cn import ric, uscc

from bench import values
from bench.lines import Line
from bench.plan import Plan
from bench.rounds import interleave
from keys.openkeys import OpenKey
from keys.secret import Secret
from vault import cipher, fields, index, tokens

TENANT = 7
_TOKEN = re.compile("tok_live_[0-9a-f]{35}")


def run(plan: Plan) -> list[Line]:
    """Measure sealing, opening, indexing, parsing, and normalizing each field type."""
    return [*_crypto(plan), *_fields(plan)]


def _crypto(plan: Plan) -> list[Line]:
    cards = values.cards(0, plan.values)
    texts, stored = [card.encode() for card in cards], tokens.draw(plan.values)
    key, alone = OpenKey(5, Secret.random()), _Alone()
    names, sealed = ["bank_card"] * plan.values, cipher.seal(key, TENANT, "bank_card", "value", stored, texts)
    blobs = [*map(alone.seal, stored, texts)]
    public = tokens.texts("live", [9] * plan.values, stored)
    by_value, search = "AESGCM, a new object a value", "a regular expression a token"
    seal = partial(cipher.seal, key, TENANT, "bank_card", "value", stored, texts)
    unseal = partial(cipher.open_column, TENANT, "value", names, stored, sealed, lambda _: key, {})
    digest = partial(index.digests, key, TENANT, "bank_card", "bank_card", cards)
    parse = partial(tokens.parse_opaque, "live", public)
    return [
        _beside(plan, "cipher.seal", seal, by_value, lambda: [*map(alone.seal, stored, texts)]),
        _beside(plan, "cipher.open_column", unseal, by_value, lambda: [*map(alone.open, stored, blobs)]),
        _beside(plan, "index.digests", digest, "hmac.digest a value", lambda: [*map(alone.digest, cards)]),
        _beside(plan, "tokens.parse_opaque", parse, search, lambda: [*map(_parsed, public)]),
    ]


class _Alone:
    """One value after another, as one writes it first."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def seal(self, token: bytes, text: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + AESGCM(self._key).encrypt(nonce, text, token)

    def open(self, token: bytes, blob: bytes) -> bytes:
        return AESGCM(self._key).decrypt(blob[:12], blob[12:], token)

    def digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), "sha256")[:16]


def _fields(plan: Plan) -> list[Line]:
    lines = []
    for name, column in values.columns(plan.values).items():
        against, peer = _PEERS.get(name, ("", None))
        ours = partial(fields.normalize_column, name, column, {})
        theirs = None if peer is None else partial(_each, peer, column)
        lines.append(_beside(plan, f"normalize_column, {name}", ours, against, theirs))
    return lines


def _each(peer: Callable[[str], object], column: Sequence[str]) -> list[object]:
    return [peer(value) for value in column]


def _beside(
    plan: Plan, what: str, ours: Callable[[], Any], against: str, theirs: Callable[[], Any] | None
) -> Line:
    """Return one line; the target is to be no slower than the peer."""
    measures = {what: lambda: _rate(ours, plan.values)}
    if theirs is not None:
        measures[against] = lambda: _rate(theirs, plan.values)
    rates = interleave(measures, plan.rounds)
    target = None if theirs is None else 1.0
    return Line("core", "", what, rates[what], "values", against, rates.get(against), target)


def _rate(call: Callable[[], Sequence[object]], size: int) -> float:
    start = time.perf_counter()
    call()
    return size / (time.perf_counter() - start)


def _parsed(text: str) -> tuple[int, bytes]:
    assert _TOKEN.fullmatch(text)
    return int(text[9:12], 16), bytes.fromhex(text[12:])


def _phone(text: str) -> str:
    number = phonenumbers.parse(text, "CN")
    assert phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_PEERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "bank_card": ("stdnum.luhn", luhn.validate),
    "iban": ("stdnum.iban", iban.validate),
    "resident_id": ("stdnum.cn.ric", ric.is_valid),
    "uscc": ("stdnum.cn.uscc", uscc.validate),
    "phone": ("phonenumbers", _phone),
    "email": ("email_validator", partial(email_validator.validate_email, check_deliverability=False)),
}
