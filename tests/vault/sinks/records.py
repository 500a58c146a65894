"""Audit records, batches and signed checkpoints for tests of sinks."""

from __future__ import annotations

from collections.abc import Sequence

from vault.audit import checkpoints, merkle
from vault.audit.leaf import Record, encode
from vault.audit.notes import Signer
from vault.sinks.protocol import Batch, Entry

TENANT = 0x0123456789ABCDEF
HOSTILE = 'key"]\n<0>1 forged\r\0\x1b[2J\u202e\u2028 \\n"}'


def leaf(number: int, **parts: object) -> bytes:
    """Return the record of one request; no two numbers have the same."""
    made = Record(
        number.to_bytes(16, "big"), 1_800_000_000_000_000 + number, TENANT, "key_1", f"request-{number}", "reveal",
        "phone", "service", "masked", "ok", 1, 0, 7, bytes(16),
    )  # fmt: skip
    values = {name: getattr(made, name) for name in made.__dataclass_fields__} | parts
    return encode(Record(**values))  # type: ignore[arg-type]


class Log:
    """A log that grows, and gives batches of itself."""

    def __init__(self, number: int = 1, tenant: int = TENANT) -> None:
        self.tenant, self.number, self.leaves = tenant, number, list[bytes]()
        self.origin = checkpoints.log_name(tenant, number)
        self.signer = Signer(self.origin, bytes(32))

    def grow(self, *leaves: bytes) -> None:
        self.leaves += leaves or [leaf(len(self.leaves))]

    def batch(self, first: int = 0, end: int | None = None, *, note: bool = True) -> Batch:
        """Return the entries from `first` to before `end`, with the checkpoint of that many leaves."""
        end = len(self.leaves) if end is None else end
        entries = [Entry(first + at, one) for at, one in enumerate(self.leaves[first:end])]
        return Batch(self.tenant, self.number, self.origin, entries, end, self.note(end) if note else "")

    def note(self, size: int) -> str:
        return checkpoints.sign(self.signer, size, merkle.root_of(merkle.leaf_hashes(self.leaves[:size])))

    def proven(self, first: int, end: int) -> Batch:
        """Return the checkpoint of `end` leaves with its proof from `first`."""
        hashes = merkle.leaf_hashes(self.leaves[:end])

        def nodes(asked: Sequence[tuple[int, int]]) -> list[bytes]:
            return [merkle.root_of(hashes[at << level : (at + 1) << level]) for level, at in asked]

        proof = merkle.consistency_proof(first, end, nodes) if 0 < first < end else ()
        return Batch(self.tenant, self.number, self.origin, (), end, self.note(end), first, proof)
