"""Names of what nobody may store after authorisation, even encrypted (PCI DSS v4.0.1, 3.3.1).

>>> refuse("CVV-2")
Traceback (most recent call last):
vault.errors.ForbiddenField: verification codes, PINs, passwords of cards and track data are never stored
"""

from __future__ import annotations

from vault.errors import ForbiddenField

NAMES = (
    "cvv", "cvv2", "cvc", "cvc2", "cvn", "cvn2", "cid", "csc", "cav", "cav2", "cvd", "cve",
    "card_verification_code", "card_verification_value", "card_security_code", "security_code",
    "pin", "pin_block", "card_pin", "card_password", "payment_password", "transaction_password",
    "track", "track1", "track2", "track3", "track_data", "track1_data", "track2_data", "track3_data",
    "magstripe", "magnetic_stripe", "full_track", "chip_data",
)  # fmt: skip


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


_BARE_NAMES = frozenset(map(_bare, NAMES))


def refuse(name: str) -> None:
    """Raise ForbiddenField if `name`, however it is written, names such data."""
    if _bare(name) in _BARE_NAMES:
        raise ForbiddenField(
            "verification codes, PINs, passwords of cards and track data are never stored", "/field"
        )
