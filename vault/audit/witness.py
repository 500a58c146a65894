"""The core of a witness (C2SP tlog-witness): state and request in, state and cosignature out; and its client's side.

A witness keeps the last checkpoint of each log that it cosigned, and cosigns another only if the log's key signed it
and a proof shows that the tree has only grown. Whoever runs one keeps the new state before it answers, and lets no
other request for the same log in between.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vault.audit import checkpoints
from vault.audit.checkpoints import Checkpoint
from vault.audit.faults import AuditFault, NoteMalformed, ProofInvalid, WitnessRefused
from vault.audit.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from vault.audit.notes import (
    MAX_NOTE_BYTES,
    Cosigner,
    Note,
    Verifier,
    decode64,
    parse,
    signatures,
    verified,
    with_signatures,
)

SIZE_TYPE = "text/x.tlog.size"  # of the reply that tells the size which the witness has
MAX_PROOF = 63  # lines
MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 4_096
_OLD = re.compile("old (0|[1-9][0-9]{0,18})", re.ASCII)
_SIZE = re.compile("(0|[1-9][0-9]{0,18})\n", re.ASCII)


@dataclass(frozen=True, slots=True)
class State:
    """The last checkpoint of a log that was cosigned; as it stands, that of a log never seen."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What `add-checkpoint` is sent: the size the witness has, the proof from there, and the checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def body(self) -> bytes:
        """Return the bytes to send."""
        proof = "".join(f"{b64encode(node).decode()}\n" for node in self.proof)
        return f"old {self.old}\n{proof}\n{self.note.whole()}".encode()


def read_request(body: bytes) -> Request:
    """Return what a request asks; raise NoteMalformed if it is none to the byte."""
    if len(body) > MAX_REQUEST_BYTES:
        raise NoteMalformed(f"the request is longer than {MAX_REQUEST_BYTES} bytes")
    head, blank, note = body.partition(b"\n\n")
    old, *lines = head.decode("utf-8", "replace").split("\n")
    size, proof = _OLD.fullmatch(old), [decode64(line) for line in lines]
    if not blank or not size or len(lines) > MAX_PROOF:
        raise NoteMalformed(
            f"a request is `old` and a size, at most {MAX_PROOF} lines of a proof, an empty one, a note"
        )
    nodes = tuple(node for node in proof if node is not None and len(node) == HASH_BYTES)
    if len(nodes) != len(proof):
        raise NoteMalformed("a line of the proof is no hash")
    return Request(int(size[1]), nodes, parse(note))


def answer(
    body: bytes,
    logs: Mapping[str, Sequence[Verifier]],
    states: Mapping[str, State],
    cosigner: Cosigner,
    now: int,
) -> tuple[str, State, str]:
    """Return the log's name, its new state, which is to be kept first, and the reply's body.

    Args:
        body: of the request.
        logs: the keys that are trusted for each log, by its name.
        states: of the logs that were seen.
        now: seconds since 1970.
    Raises:
        WitnessRefused: with status 400, 403, 404, 409 or 422.
    """
    try:
        request = read_request(body)
        checkpoint = checkpoints.read(request.note.text)
    except AuditFault as fault:
        raise WitnessRefused(400, str(fault)) from fault
    if checkpoint.origin not in logs:
        raise WitnessRefused(404, "the log is not known here")
    try:
        verified(request.note, logs[checkpoint.origin])
    except AuditFault as fault:
        raise WitnessRefused(403, str(fault)) from fault
    state = states.get(checkpoint.origin, State())
    _grown(request, checkpoint, state)
    reply = cosigner.cosignature(request.note.text, now)
    kept = with_signatures(request.note, [reply])
    return checkpoint.origin, State(checkpoint.size, checkpoint.root, kept.whole()), reply.line()


def _grown(request: Request, checkpoint: Checkpoint, state: State) -> None:
    """Return if the checkpoint is of the tree that the witness has, or of one that has grown from it."""
    if request.old > checkpoint.size:
        raise WitnessRefused(400, "the old size is larger than the checkpoint's")
    if request.old != state.size:
        raise WitnessRefused(409, "the old size is not the one known here", f"{state.size}\n", SIZE_TYPE)
    if request.old == checkpoint.size and checkpoint.root != state.root:
        raise WitnessRefused(409, "the log has two roots of one size")
    try:
        if request.old:
            verify_consistency(request.old, checkpoint.size, state.root, checkpoint.root, request.proof)
        elif request.proof:
            raise ProofInvalid("from an empty tree there is nothing to prove")
    except ProofInvalid as fault:
        raise WitnessRefused(422, str(fault)) from fault


def request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """Return the body to send to a witness whose last checkpoint has `old` leaves (0: never seen)."""
    return Request(old, tuple(proof), parse(note)).body()


def cosigned_note(note: str, reply: bytes, witnesses: Sequence[Verifier]) -> str:
    """Return the note with those cosignatures of a witness's reply that keys which are trusted made.

    Raises NoteMalformed if the reply is none, BadSignature or UnknownKey if no cosignature counts.
    """
    parsed = parse(note)
    known = {(key.name, key.key) for key in witnesses}
    theirs = [found for found in signatures(reply) if (found.name, found.key) in known]
    verified(Note(parsed.text, tuple(theirs)), witnesses)
    return with_signatures(parsed, theirs).whole()


def known_size(reply: bytes) -> int:
    """Return the size that a witness says, in a reply of 409, that it has; raise NoteMalformed if it says none."""
    size = _SIZE.fullmatch(reply.decode("utf-8", "replace"))
    if not size:
        raise NoteMalformed("the witness does not say which size it has")
    return int(size[1])
