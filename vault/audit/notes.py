"""Signed notes (C2SP signed-note): text with Ed25519 signatures under named keys, read strictly.

A verifier key is `name+hash+base64(type || public key)`, the hash being the first 4 bytes of SHA-256(name, newline,
type, public key) in hex. Two types are known: 0x01 signs the text; 0x04 is a witness's cosignature (C2SP
tlog-cosignature), which signs the text behind a line with the time.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vault.audit.faults import BadSignature, KeyMalformed, NoteMalformed, UnknownKey

ED25519 = 0x01  # C2SP signed-note, "Signature types"
COSIGNATURE = 0x04
MAX_NOTE_BYTES = 131_072  # 16 signatures, which every reader must take, of 5 kB each, and as much again
MAX_SIGNATURES = 100
_DASH = "\u2014 "  # what a signature line begins with
_KEY_BYTES = 32
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name and the first 4 bytes that tell it from others, and what it signed."""

    name: str
    key: bytes
    blob: bytes

    def line(self) -> str:
        """Return the line, with its end."""
        return f"{_DASH}{self.name} {b64encode(self.key + self.blob).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and the signatures under it, none of them verified."""

    text: str
    signatures: tuple[Signature, ...]

    def whole(self) -> str:
        """Return the note as it was read."""
        return f"{self.text}\n{''.join(signature.line() for signature in self.signatures)}"


class Verifier:
    """One key that is trusted.

    Attributes:
        name: of the key.
        key: the 4 bytes that tell it from others of this name.
        vkey: the text that it was read from.
    """

    def __init__(self, vkey: str) -> None:
        """Read a verifier key; raise KeyMalformed."""
        name, _, rest = vkey.partition("+")
        shown, _, packed = rest.partition("+")
        material = decode64(packed)
        if not is_name(name) or material is None or len(material) != 1 + _KEY_BYTES:
            raise KeyMalformed("not a verifier key: name, hash and key, joined by +")
        if material[0] not in {ED25519, COSIGNATURE}:
            raise KeyMalformed("the verifier key is of a kind that is not known")
        if shown != _hash(name, material).hex():
            raise KeyMalformed("the verifier key's hash is not of its name and key")
        self.name, self.vkey, self.key = name, vkey, _hash(name, material)
        self.kind = material[0]
        self._public = Ed25519PublicKey.from_public_bytes(material[1:])

    def verify(self, text: str, blob: bytes) -> None:
        """Return if this key made the signature over the text; raise BadSignature."""
        message, signature = text.encode(), blob
        if self.kind == COSIGNATURE:
            message, signature = cosigned(text, int.from_bytes(blob[:_TIME_BYTES], "big")), blob[_TIME_BYTES:]
        try:
            self._public.verify(signature, message)
        except InvalidSignature:
            raise BadSignature("a key that is trusted did not make its signature under the note") from None


class Signer:
    """A key that signs notes.

    Attributes:
        name: of the key.
        public: 32 bytes.
        vkey: what others verify with.
    """

    kind = ED25519

    def __init__(self, name: str, seed: bytes) -> None:
        """Take a key's name and its seed of 32 random bytes (RFC 8032, section 5.1.5); raise KeyMalformed."""
        if not is_name(name):
            raise KeyMalformed("not a key's name: it is empty, or has a space or +")
        self.name = name
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()
        self.vkey = vkey(name, self.public, self.kind)
        self._key = bytes.fromhex(self.vkey.split("+")[1])

    def sign(self, text: str) -> str:
        """Return the note over a text that ends in a newline."""
        return f"{text}\n{self.signature(text).line()}"

    def signature(self, text: str) -> Signature:
        """Return the signature over a text; raise NoteMalformed if no note may have it."""
        _check(text)
        return Signature(self.name, self._key, self._sign(text.encode()))

    def _sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


class Cosigner(Signer):
    """A witness's key, which signs checkpoints with the time (C2SP tlog-cosignature, "Ed25519 signed message")."""

    kind = COSIGNATURE

    def cosignature(self, text: str, at: int) -> Signature:
        """Return the signature over a checkpoint's body; `at` is in seconds since 1970."""
        _check(text)
        return Signature(
            self.name, self._key, at.to_bytes(_TIME_BYTES, "big") + self._sign(cosigned(text, at))
        )


def vkey(name: str, public: bytes, kind: int = ED25519) -> str:
    """Return the verifier key of a name and a public key of 32 bytes."""
    material = bytes([kind]) + public
    return f"{name}+{_hash(name, material).hex()}+{b64encode(material).decode()}"


def cosigned(text: str, at: int) -> bytes:
    """Return what a cosignature of a checkpoint's body signs."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def parse(note: str | bytes, largest: int = MAX_NOTE_BYTES) -> Note:
    """Return a note's text and signatures; raise NoteMalformed if it is not one to the byte.

    Args:
        largest: bytes that are taken.
    """
    text, blank, lines = _text(note, largest).rpartition("\n\n")
    if not blank or not text:
        raise NoteMalformed("a note is text, an empty line and lines of signatures")
    return Note(text + "\n", _signatures(lines))


def signatures(lines: str | bytes) -> tuple[Signature, ...]:
    """Return the signatures that a witness answers with, a line each; raise NoteMalformed."""
    return _signatures(_text(lines))


def verified(note: Note, keys: Iterable[Verifier]) -> list[str]:
    """Return the names of the keys that signed the note, at least one.

    Signatures of other keys are passed over. Raises BadSignature if a key that is trusted did not make the signature
    that is under its name and hash, UnknownKey if none of them signed.
    """
    known = {(key.name, key.key): key for key in keys}
    signed = []
    for signature in note.signatures:
        if key := known.get((signature.name, signature.key)):
            key.verify(note.text, signature.blob)
            signed.append(key.name)
    if not signed:
        raise UnknownKey("no key that is trusted signed the note")
    return signed


def with_signatures(note: Note, more: Sequence[Signature]) -> Note:
    """Return the note with further signatures, each line once."""
    return Note(note.text, tuple(dict.fromkeys([*note.signatures, *more])))


def is_name(name: str) -> bool:
    """Whether a key may have this name: not empty, no Unicode space, no control character, no +."""
    return bool(name) and not any(
        c.isspace() or c == "+" or c < " " or "\ud800" <= c <= "\udfff" for c in name
    )


def decode64(text: str) -> bytes | None:
    """Return the bytes of standard, padded base64 (RFC 4648, section 4); None if it is not their one encoding."""
    try:
        found = b64decode(text, validate=True)
    except ValueError:
        return None
    return found if b64encode(found).decode() == text else None


def _hash(name: str, material: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + material).digest()[:4]


def _text(note: str | bytes, largest: int = MAX_NOTE_BYTES) -> str:
    if len(note) > largest:
        raise NoteMalformed(f"the note is longer than {largest} bytes")
    try:
        text = note.decode() if isinstance(note, bytes) else note.encode().decode()
    except UnicodeError:
        raise NoteMalformed("the note is not UTF-8") from None
    _check_characters(text)
    return text


def _check(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteMalformed("a note's text ends in a newline")
    _check_characters(text)


def _check_characters(text: str) -> None:
    if any(character < " " for character in text.replace("\n", "")):
        raise NoteMalformed("the note has a control character")


def _signatures(text: str) -> tuple[Signature, ...]:
    if not text.endswith("\n"):
        raise NoteMalformed("a line under the note does not end")
    lines = text[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteMalformed(f"the note has more than {MAX_SIGNATURES} signatures")
    return tuple(map(_signature, lines))


def _signature(line: str) -> Signature:
    name, space, packed = line.removeprefix(_DASH).partition(" ")
    found = decode64(packed)
    if not line.startswith(_DASH) or not space or not is_name(name) or found is None or len(found) < 5:
        raise NoteMalformed("a line under the note is no signature")
    return Signature(name, found[:4], found[4:])
