"""What can go wrong with keys, one class a cause; each has a stable code and never holds a key."""

from __future__ import annotations


class KeyProblem(Exception):
    """Root of this package's errors; never raised itself, never holds a key."""

    code = "key_error"


class KeyFileError(KeyProblem):
    """The local key file is missing, readable by others, damaged, or of a format this version does not know."""

    code = "key_file_error"


class PassphraseError(KeyFileError):
    """The key file's passphrase is missing or wrong."""

    code = "key_file_passphrase"


class UnwrapError(KeyProblem):
    """A wrapped key does not open: it was altered, moved to another place, or wrapped by another root."""

    code = "unwrap_failed"


class UnknownRoot(KeyProblem):
    """A key version names a root key that the settings do not list."""

    code = "unknown_root"


class RootUnavailable(KeyProblem):
    """The root key's Vault cannot be reached, is sealed or standing by, too slow, or refuses for now."""

    code = "root_unavailable"


class RootForbidden(KeyProblem):
    """Vault's policy does not let this service do it; names the API path, which is no secret."""

    code = "root_forbidden"


class RootLoginRefused(KeyProblem):
    """Vault does not let this service log in, or does not know its token."""

    code = "root_login_refused"


class RootUntrusted(KeyProblem):
    """Whoever answers at Vault's address does not show a certificate that is trusted."""

    code = "root_untrusted"


class RootUnfit(KeyProblem):
    """Vault's key is missing, or of a kind that would not bind what it wraps to its place."""

    code = "root_unfit"


class UnknownKey(KeyProblem):
    """No key version of that id may be used here: there is none, or it was destroyed."""

    code = "unknown_key"


class KeyExhausted(KeyProblem):
    """The key has sealed as many messages as it may; rotate its keyset (SP 800-38D, section 8.3)."""

    code = "key_exhausted"


class KeyExpired(KeyProblem):
    """The key's cryptoperiod is over: it seals no more (SP 800-57 Part 1 Rev. 5, 5.3; PCI DSS v4.0.1, 3.7.4)."""

    code = "key_expired"


class KeyStateError(KeyProblem):
    """A key version cannot go from its state to that one (SP 800-57 Part 1 Rev. 5, section 7)."""

    code = "key_state"


class RootCannotTurn(KeyProblem):
    """The root has no versions of its own; a local key file is replaced by moving to another root."""

    code = "root_cannot_turn"


class KeysetChanged(KeyProblem):
    """Somebody else changed the keyset first; load it again."""

    code = "keyset_changed"


class ShareInvalid(KeyProblem):
    """The words are no share: one is not of the list, some are missing, or their check words do not fit.

    Attributes:
        number: which of those given it is, from 1.
        word: which of its words is not of the list, from 1; 0 where it is not one word alone.
    """

    code = "share_invalid"

    def __init__(self, reason: str, number: int, word: int = 0) -> None:
        super().__init__(f"share {number}: {reason}")
        self.reason, self.number, self.word = reason, number, word


class ShareOfAnotherSet(ShareInvalid):
    """The share is whole, but was made with other shares than those beside it."""

    code = "share_of_another_set"


class ShareRepeated(ShareInvalid):
    """The same share was given before."""

    code = "share_repeated"


class TooFewShares(KeyProblem):
    """The shares are good, but more of them are needed; `missing` is how many."""

    code = "too_few_shares"

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} more {'share is' if missing == 1 else 'shares are'} needed")
        self.missing = missing


class SharesDoNotFit(KeyProblem):
    """Each share is whole, but together they make no key: one of them was forged (SLIP-39, "Digest")."""

    code = "shares_do_not_fit"


class WrongRecoveryKey(KeyProblem):
    """The shares make a key, but not the one that is expected."""

    code = "wrong_recovery_key"
