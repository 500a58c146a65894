"""Field types: what the vault can hold, one module each, and the way of a column through one of them.

>>> normalize_column("bank_card", ["4111 1111 1111 1111", 5], {})
(['4111111111111111', None], {1: InvalidValue('bank_card: must be a string')})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial

from vault.errors import InvalidOption, InvalidValue, UnknownField
from vault.fields import (
    address,
    bank_account,
    bank_card,
    company_name,
    email,
    forbidden,
    iban,
    login_name,
    login_record,
    passport,
    payment_account,
    person_name,
    phone,
    resident_id,
    text,
    uscc,
)
from vault.fields.protocol import Alphabets, Check, Classification, FieldType

__all__ = [
    "Alphabets",
    "Check",
    "Classification",
    "FieldType",
    "all",
    "get",
    "names",
    "never_stored",
    "normalize_column",
]

_ALL: tuple[FieldType, ...] = (
    bank_card, bank_account, iban, payment_account, resident_id, uscc, passport, phone, email,
    person_name, company_name, address, login_name, text, login_record,
)  # fmt: skip
_BY_NAME = {field.name: field for field in _ALL}


def get(name: str) -> FieldType:
    """Return the field type of that name; raise UnknownField, or ForbiddenField if it is never stored."""
    field = _BY_NAME.get(name)
    if field is None:
        forbidden.refuse(name)
        raise UnknownField("there is no such field type", "/field")
    return field


def all() -> tuple[FieldType, ...]:
    """Return the field types in the order of the documentation."""
    return _ALL


def names() -> tuple[str, ...]:
    """Return the field types' names, in the same order."""
    return tuple(_BY_NAME)


def never_stored() -> tuple[str, ...]:
    """Return the names that `get` refuses with ForbiddenField; it does so for any spelling of them."""
    return forbidden.NAMES


def normalize_column(
    field: FieldType | str, values: Sequence[object], options: Mapping[str, object], today: date | None = None
) -> tuple[list[str | None], dict[int, InvalidValue]]:
    """Bring a column of values of one field type into canonical form.

    Args:
        field: the field type or its name.
        values: the values as they came; anything but a str is refused.
        options: keyword arguments of the field type's `normalize`.
        today: the day, if identity numbers of people born after it are to be refused.
    Returns:
        the canonical values in order, None where refused, and the refusals by index.
    Raises:
        InvalidOption: the field type has no such option, or not with that value.
    """
    if isinstance(field, str):
        field = get(field)
    normalize = _with(field, options, today)
    canonical: list[str | None] = []
    refused: dict[int, InvalidValue] = {}
    for index, value in enumerate(values):
        try:
            if type(value) is not str:
                raise InvalidValue(field.name, "must be a string")
            canonical.append(normalize(value))
        except InvalidValue as error:
            canonical.append(None)
            # Without the traceback, whose frames hold the value.
            refused[index] = error.with_traceback(None)
    return canonical, refused


def _with(field: FieldType, options: Mapping[str, object], today: date | None) -> Callable[[str], str]:
    if not options.keys() <= field.options:
        raise InvalidOption("the field type has no such option", "/options")
    said = dict(options)
    if today is not None and field.name == resident_id.name:
        said["today"] = today
    return partial(field.normalize, **said) if said else field.normalize
