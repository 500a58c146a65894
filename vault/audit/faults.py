"""What is wrong with a proof, a tile, a note, a checkpoint or a file: one class a cause, with a stable code."""

from __future__ import annotations


class AuditFault(ValueError):
    """Root of these; never raised itself, never holds what was read. What comes to a door is translated before it."""

    code = "audit_fault"


class ProofInvalid(AuditFault):
    """The proof does not show what it should."""

    code = "proof_invalid"


class TileDamaged(AuditFault):
    """A tile is missing, or has not the hashes that a tree of its size has."""

    code = "tile_damaged"


class LogDamaged(AuditFault):
    """The tiles of a log do not make the tree that its newest checkpoint was signed over."""

    code = "log_damaged"


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


class WitnessRefused(AuditFault):
    """A witness does not cosign.

    Attributes:
        status: of HTTP, as C2SP tlog-witness has it: 400, 403, 404, 409 or 422.
        body: of the reply: the size that the witness has, where that was wrong.
        media_type: of the body.
    """

    code = "witness_refused"

    def __init__(self, status: int, reason: str, body: str = "", media_type: str = "text/plain") -> None:
        super().__init__(reason)
        self.status, self.body, self.media_type = status, body, media_type
