"""A new password: whether it may be had, and its verifier."""

from __future__ import annotations

from dataclasses import dataclass

from keys.openkeys import TenantKeys
from vault.accounts import Account, personal
from vault.columns import Actor
from vault.credentials import Chosen
from vault.errors import InvalidPassword
from vault.passwords import argon2text, rules
from vault.passwords.profiles import SALT_BYTES, TAG_BYTES
from vault.passwords.verifier import ARGON2ID, Verifier
from vault.resources import Resources


@dataclass(frozen=True, slots=True, repr=False)
class NewPassword:
    """A password that may be had: its verifier, and what is to be said of it."""

    verifier: Verifier
    chosen: Chosen


def choose(
    resources: Resources, keys: TenantKeys, actor: Actor, account: Account, password: str, pointer: str
) -> NewPassword:
    """Return a new password's verifier.

    Args:
        pointer: where the password stands in the request.
    Raises:
        InvalidPassword and its kinds: it may not be had.
        HashingBusy, HashingUnavailable: it cannot be hashed now.
    """
    rule = resources.passwords.rules
    try:
        text, normalized = rules.prepared(rule, password)
        judgement = resources.hashing().judge([text])[0]
        values = personal(resources, keys, actor, account) if rule.personal else []
        rules.check(rule, text, judgement, values)
    except InvalidPassword as error:
        error.pointer = pointer
        raise
    encoded = resources.hashing().hash([text.encode()], resources.passwords.profile)[0]
    verifier = Verifier(ARGON2ID, encoded, normalized=normalized)
    return NewPassword(verifier, Chosen(judgement.score, judgement.warning))


def kind_of(verifier: Verifier) -> str:
    """Return scheme and cost of a verifier in a few words, by which passwords are counted."""
    if not verifier.scheme.startswith("argon2"):
        return verifier.scheme
    found = argon2text.parse(verifier.encoded)
    lengths = "" if (len(found.salt), len(found.tag)) == (SALT_BYTES, TAG_BYTES) else " of other lengths"
    version = "" if found.version == argon2text.VERSION else f" v={found.version}"
    return f"{verifier.scheme} m={found.memory},t={found.passes},p={found.lanes}{version}{lengths}"
