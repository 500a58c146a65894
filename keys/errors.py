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
