"""Names of what no field may hold: authentication data of cards (PCI DSS v4.0.1, 3.3.1), and passwords.

>>> refuse("CVV-2")
Traceback (most recent call last):
vault.errors.ForbiddenField: verification codes, PINs, passwords of cards and track data are never stored
>>> refuse("loginPassword")
Traceback (most recent call last):
vault.errors.ForbiddenField: passwords are kept as hashes that nothing reveals, so no field holds one

A password is hashed by the passwords of this service and only ever verified. A field could be revealed, and so could
whatever somebody named `password` and sent as one.
"""

from __future__ import annotations

from vault.errors import ForbiddenField

CARD_DATA = (
    "cvv", "cvv2", "cvc", "cvc2", "cvn", "cvn2", "cid", "csc", "cav", "cav2", "cvd", "cve",
    "card_verification_code", "card_verification_value", "card_security_code", "security_code",
    "pin", "pin_block", "card_pin", "card_password",
    "track", "track1", "track2", "track3", "track_data", "track1_data", "track2_data", "track3_data",
    "magstripe", "magnetic_stripe", "full_track", "chip_data",
)  # fmt: skip
PASSWORDS = (
    "password", "passwd", "pwd", "passcode", "passphrase", "password_hash", "hashed_password",
    "login_password", "login_pwd", "user_password", "user_pwd", "account_password", "admin_password",
    "old_password", "new_password", "payment_password", "pay_password", "pay_pwd",
    "transaction_password", "trade_password", "trading_password", "withdrawal_password", "query_password",
)  # fmt: skip
NAMES = CARD_DATA + PASSWORDS


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


_BARE_CARD_DATA = frozenset(map(_bare, CARD_DATA))
_BARE_PASSWORDS = frozenset(map(_bare, PASSWORDS))


def is_password(name: str) -> bool:
    """Tell whether `name`, however it is written, names a password."""
    return _bare(name) in _BARE_PASSWORDS


def refuse(name: str) -> None:
    """Raise ForbiddenField if `name`, however it is written, names such data."""
    if is_password(name):
        raise ForbiddenField(
            "passwords are kept as hashes that nothing reveals, so no field holds one", "/field"
        )
    if _bare(name) in _BARE_CARD_DATA:
        raise ForbiddenField(
            "verification codes, PINs, passwords of cards and track data are never stored", "/field"
        )
