"""Made-up values in canonical form, as many as a scenario wants, drawn from a seed."""

from __future__ import annotations

from random import Random


def phone(draw: Random) -> str:
    return f"+86138{draw.randrange(10**8):08}"


def bank_account(draw: Random) -> str:
    return str(draw.randrange(10**17, 10**18))


def email(draw: Random) -> str:
    return f"{draw.randbytes(8).hex()}@example.com"


def bank_card(draw: Random) -> str:
    """Return a number of 16 digits that follows Luhn, under an issuer number of UnionPay's."""
    digits = f"622200{draw.randrange(10**9):09}"
    doubled = sum(sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(digits))
    return digits + str(-doubled % 10)


KINDS = {"phone": phone, "bank_account": bank_account, "email": email, "bank_card": bank_card}


def column(draw: Random, count: int) -> tuple[str, list[str]]:
    """Return a field type and values of it."""
    name = draw.choice(sorted(KINDS))
    return name, [KINDS[name](draw) for _ in range(count)]
