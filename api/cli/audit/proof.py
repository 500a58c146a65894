"""A proof that a record is in a log, as a file that an outsider can check by RFC 6962 alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from api.cli.failure import Failure
from vault.audit import checkpoints, merkle
from vault.audit.checkpoints import Checkpoint
from vault.audit.faults import ProofInvalid
from vault.audit.notes import Verifier

if TYPE_CHECKING:
    from strongroom_client import InclusionProof

FORMAT = "strongroom-audit-proof/1"
LONGEST = 4 * 1_048_576  # bytes of such a file


class ProofFile(msgspec.Struct, kw_only=True, tag_field="format", tag=FORMAT):
    """The file.

    Attributes:
        log: its name: the first line of the checkpoint, and the key's name.
        leaf: the record, in base64.
        hashes: in hex, 32 bytes each; from the leaf's sibling upwards (RFC 6962, section 2.1.1).
        checkpoint: the signed note (C2SP tlog-checkpoint) of the tree of `size` records.
        vkey: verifies it (C2SP signed-note).
    """

    log: str
    position: int
    size: int
    leaf: bytes
    hashes: list[str]
    checkpoint: str
    vkey: str

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.log


def of_service(proof: InclusionProof) -> ProofFile:
    """Return the file of a proof that the service gave."""
    return ProofFile(
        log=proof.origin,
        position=proof.position,
        size=proof.size,
        leaf=proof.leaf,
        hashes=proof.hashes,
        checkpoint=proof.checkpoint,
        vkey=proof.vkey,
    )


def encoded(proof: ProofFile) -> bytes:
    """Return the bytes of a file."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=2) + b"\n"


def read(raw: bytes, name: str) -> ProofFile:
    """Return what a file holds; raise Failure if it is no proof."""
    try:
        return msgspec.json.decode(raw, type=ProofFile)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    raise Failure(f"{name} is no proof that `strongroom audit prove` wrote")


def checked(proof: ProofFile | InclusionProof, keys: Sequence[Verifier]) -> Checkpoint:
    """Return the checkpoint whose tree has the record at its position.

    Raises AuditFault: what is wrong with the note, its signature, or the proof.
    """
    found = checkpoints.opened(proof.checkpoint, proof.origin, keys)
    if found.size != proof.size:
        raise ProofInvalid("the checkpoint is of another size than the proof")
    try:
        hashes = [bytes.fromhex(one) for one in proof.hashes]
    except ValueError:
        raise ProofInvalid("a hash is not in hexadecimal digits") from None
    (leaf,) = merkle.leaf_hashes([proof.leaf])
    merkle.verify_inclusion(leaf, proof.position, proof.size, hashes, found.root)
    return found


def record_of(leaf: bytes) -> dict[str, object]:
    """Return a record's readable parts; of one that cannot be read, its bytes."""
    from vault.audit.readable import members

    return members(leaf) or {"leaf": b64encode(leaf).decode()}
