"""Exports and archives as files: a header, a line for each record, and a last line with a signature over all before it.

A record's leaf, in base64, is what counts; its parts beside it are for readers. The last line has the newest checkpoint
and a signed note over the SHA-256 of every byte before that line, under the log's key. The note's text has the log's
name in its second line, where a checkpoint has a number, so neither can stand for the other.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from vault.audit.faults import BadSignature, FileDamaged
from vault.audit.forms import FORMAT, Csv, Form, Header, Ndjson
from vault.audit.notes import Signer, Verifier, parse, verified

NDJSON: Form = Ndjson()
CSV: Form = Csv()
_LONGEST_LINE = (
    16 * 1_048_576
)  # bytes; a leaf has 1 MiB at most, twice that in base64 and as much again in hex
_BATCH = 1_000

Entry = tuple[int, bytes]  # position and leaf


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file held, its signature being verified; the checkpoint's note may be "" and is not verified here."""

    header: Header
    records: int
    checkpoint: str


def write(
    form: Form, header: Header, batches: Iterable[Sequence[Entry]], checkpoint: str, signer: Signer
) -> Iterator[bytes]:
    """Yield the bytes of a file, a piece for each batch; entries come in order of position."""
    head = form.head(header)
    digest, records = sha256(head), 0
    yield head
    for batch in batches:
        piece = b"".join([form.entry(position, leaf) for position, leaf in batch])
        digest.update(piece)
        records += len(batch)
        yield piece
    statement = _statement(header.log, records, digest.digest(), checkpoint)
    yield form.last(records, checkpoint, signer.sign(statement))


class Reader:
    """Reads a file in bounded memory, and verifies it.

    Attributes:
        header: what it says of itself; like the records, not verified before the end.
        summary: what it held; None before the end was reached and verified.
    """

    def __init__(self, pieces: Iterable[bytes], keys: Sequence[Verifier]) -> None:
        """Begin to read; raise FileDamaged if that is no audit file.

        Args:
            pieces: the file's bytes, cut anywhere.
            keys: those that are trusted; only keys of the log's own name count.
        """
        self._lines, self._keys, self._digest = _lines(pieces), keys, sha256()
        first = next(self._lines, b"")
        self._form = CSV if first.startswith(b'"') else NDJSON
        head = [first, *(next(self._lines, b"") for _ in range(1, self._form.head_lines))]
        self.header = self._form.read_head([self._text(line) for line in head])
        self._digest.update(b"".join(head))
        self.summary: Summary | None = None

    def __iter__(self) -> Iterator[list[Entry]]:
        """Yield batches of entries, which count only once the end was reached without an error.

        Raises FileDamaged, and what is wrong with the signature: NoteMalformed, BadSignature or UnknownKey.
        """
        batch: list[Entry] = []
        records, next_one, held = 0, self.header.first, next(self._lines, b"")
        for line in self._lines:
            position, leaf = self._form.read_entry(self._text(held))
            if not next_one <= position < self.header.end:
                raise FileDamaged("a position is out of order, or not between those of the first line")
            batch.append((position, leaf))
            self._digest.update(held)
            records, next_one, held = records + 1, position + 1, line
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch
        self._verify(held, records)

    def _verify(self, last: bytes, records: int) -> None:
        told, checkpoint, signature = self._form.read_last(self._text(last))
        note = parse(signature)
        verified(note, [key for key in self._keys if key.name == self.header.log])
        if (
            note.text != _statement(self.header.log, records, self._digest.digest(), checkpoint)
            or told != records
        ):
            raise BadSignature("the signature is over another file")
        self.summary = Summary(self.header, records, checkpoint)

    def _text(self, line: bytes) -> str:
        if not line.endswith(self._form.end):
            raise FileDamaged("a line does not end, or not as lines do here")
        try:
            return line[: -len(self._form.end)].decode()
        except UnicodeDecodeError:
            raise FileDamaged("a line is not UTF-8") from None


def _statement(log: str, records: int, digest: bytes, checkpoint: str) -> str:
    """Return what is signed of a file."""
    hashes = (b64encode(found).decode() for found in (digest, sha256(checkpoint.encode()).digest()))
    return "".join(f"{line}\n" for line in (FORMAT, log, records, *hashes))


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines with their ends, whatever the pieces are."""
    rest = b""
    for piece in pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if len(rest) > _LONGEST_LINE:
            raise FileDamaged("a line is too long")
        yield from (line + b"\n" for line in lines)
    if rest:
        yield rest
