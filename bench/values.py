"""Made-up values, valid for their field types: as many cards as are wanted, and typical columns of every type."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from vault import fields
from vault.fields import luhn, mod97

SEED = 20261101  # of every draw in a bench
CUSTOMERS = Path(__file__).parents[1] / "examples" / "customers.csv"


def cards(first: int, count: int) -> list[str]:
    """Return the cards numbered `first` and on, all different: 16 digits behind UnionPay's sandbox prefix."""
    return [card(number) for number in range(first, first + count)]


def card(number: int) -> str:
    """Return the card of a number below 10^9."""
    body = f"620000{number:09d}"
    return next(body + digit for digit in "0123456789" if luhn.ok(body + digit))


def parts(column: Sequence[str], size: int) -> list[Sequence[str]]:
    """Cut a column into columns of `size`."""
    return [column[at : at + size] for at in range(0, len(column), size)]


def columns(count: int) -> dict[str, list[str]]:
    """Return `count` clean values of every field type; those of `customers.csv` where it has the type."""
    with CUSTOMERS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: _clean(name, rows, count) for name in fields.names()}


_FORMS = {
    "iban": "GB00WEST123456{:08d}",
    "payment_account": "2088{:012d}",
    "passport": "E{:08d}",
    "company_name": "深圳市第{}商贸有限公司",
    "login_name": "customer_{}",
    "text": "order {} was paid by transfer",
    "login_record": '{{"device":"{0}","ip":"203.0.113.7","result":"ok"}}',
}


def _clean(name: str, rows: Sequence[Mapping[str, str]], count: int) -> list[str]:
    """Return canonical forms: nine in ten values come like that."""
    if name in _FORMS:
        return [_made(name, number) for number in range(count)]
    typed = [row[name] for row in rows if row[name]]
    clean = [value for value in fields.normalize_column(name, typed, {})[0] if value is not None]
    return [clean[at % len(clean)] for at in range(count)]


def _made(name: str, number: int) -> str:
    text = _FORMS[name].format(number)
    return f"GB{mod97.digits(text)}{text[4:]}" if name == "iban" else text
