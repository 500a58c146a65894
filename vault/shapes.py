"""Draw shaped tokens: random text of the value's length and alphabet that is never taken for a real number by its form.

At least 10**6 tokens must be reachable once kept characters and the check digit are counted, with no override
(SP 800-38G Rev. 1 2pd, section 5.1, asks it of FF1's domain; design, decision 3, of shaped tokens too).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from math import prod

from vault.columns import Spec
from vault.errors import DomainTooSmall, LookalikeRequired, NotShapable
from vault.fields.protocol import FieldType

MIN_DOMAIN = 10**6
ATTEMPTS = 200  # draws for one value: all are taken once in 10**9 where the space is 90 % full


def template(field: FieldType, value: str, spec: Spec) -> tuple[str, ...]:
    """Return the alphabet of each position of this value's token; a fixed position has one character.

    Raises:
        NotShapable: the field has no shape, or this form of value has none.
        LookalikeRequired: no check digit and no reserved prefix would tell the token from a real number.
        DomainTooSmall: fewer than 10**6 tokens are reachable.
    """
    alphabets = field.shape(value)
    if alphabets is None:
        raise NotShapable(f"{field.name}: values of this form have no shape that a token could keep", "/kind")
    places = list(alphabets)
    if not _tells(field, spec) and not spec.lookalike:
        _reserve(field, places, spec.keep_first)
    _keep(places, value, spec)
    if reachable(field, places, spec) < MIN_DOMAIN:
        raise DomainTooSmall(
            f"{field.name}: fewer than 1,000,000 tokens are left after the kept parts; keep less", "/keep"
        )
    return tuple(places)


def reachable(field: FieldType, places: Sequence[str], spec: Spec) -> int:
    """Return about how many texts fit the template and pass, or fail, the check digit as `spec` says."""
    total = prod(len(set(alphabet)) for alphabet in places)
    if field.check is None:
        return total
    modulus = field.check.modulus
    return total // modulus if spec.check == "valid" else total * (modulus - 1) // modulus


def draw(field: FieldType, places: Sequence[str], spec: Spec, count: int) -> list[str]:
    """Return up to `count` random texts of the template whose check digit is as `spec` says.

    A draw whose check digit is the other way is mended or dropped, so fewer may come back, never more.
    """
    drawn = []
    choice = secrets.choice
    attempts = 40 * field.check.modulus if field.check else 1  # 1 in `modulus` passes: e**-40 miss
    for _ in range(count):
        for _ in range(attempts):
            text = "".join([alphabet if len(alphabet) == 1 else choice(alphabet) for alphabet in places])
            if field.check is None or field.check.ok(text) == (spec.check == "valid"):
                drawn.append(text)
                break
    return drawn


def _tells(field: FieldType, spec: Spec) -> bool:
    """Whether the check digit tells a token from a real number: not where the caller's numbers need not follow it."""
    return field.check is not None and dict(spec.options).get("luhn") is not False


def _reserve(field: FieldType, places: list[str], keep_first: int) -> None:
    at = next((at for at, alphabet in enumerate(places) if len(alphabet) > 1), len(places))
    if field.reserved is None or keep_first > at:
        raise LookalikeRequired(
            f"{field.name}: its shaped tokens would look real; say lookalike to have them", "/lookalike"
        )
    if at + len(field.reserved) > len(places):
        raise NotShapable(f"{field.name}: the value is too short for the reserved prefix", "/kind")
    places[at : at + len(field.reserved)] = list(field.reserved)


def _keep(places: list[str], value: str, spec: Spec) -> None:
    first, last = spec.keep_first, spec.keep_last
    if first + last >= len(places):
        raise DomainTooSmall("the kept parts leave nothing to draw", "/keep")
    places[:first] = list(value[:first])
    if last:
        places[-last:] = list(value[-last:])
