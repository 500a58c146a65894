"""What is wrong with a proof, a tile, a note, a checkpoint or a file: one class a cause, with a stable code."""

from __future__ import annotations

from vault.errors import VaultError


class AuditFault(VaultError, ValueError):
    """Root of these; never raised itself. The text never holds what was read."""

    code = "audit_fault"


class ProofInvalid(AuditFault):
    """The proof does not show what it should."""

    code = "proof_invalid"


class TileDamaged(AuditFault):
    """A tile is missing, or has not the hashes that a tree of its size has."""

    code = "tile_damaged"


class NoteMalformed(AuditFault):
    """The text is no signed note, to the byte."""

    code = "note_malformed"


class KeyMalformed(AuditFault):
    """The text is no verifier key, or the name is none that a key may have."""

    code = "key_malformed"


class BadSignature(AuditFault):
    """The note names a key that is trusted, and that key did not sign it."""

    code = "bad_signature"


class UnknownKey(AuditFault):
    """No key that is trusted signed the note."""

    code = "unknown_key"


class CheckpointMalformed(AuditFault):
    """The note's text is no checkpoint, to the byte."""

    code = "checkpoint_malformed"


class OtherLog(AuditFault):
    """The checkpoint is of another log."""

    code = "other_log"


class FileDamaged(AuditFault):
    """The export or archive is cut off, altered, or none."""

    code = "file_damaged"
