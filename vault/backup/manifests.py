"""Manifests written, signed, read and verified: canonical JSON in a signed note (C2SP signed-note)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec

from keys.keyset import SERVICE
from keys.openkeys import OpenKey
from vault.audit import notes
from vault.audit.faults import AuditFault
from vault.audit.notes import Signer, Verifier
from vault.backup import layout
from vault.backup.model import FORMAT, Manifest
from vault.context import derivation
from vault.errors import BackupDamaged, BackupFromNewer, BackupUntrusted
from vault.keyed import expand
from vault.store import revision
from vault.store.streams import ESCROW, TABLES

LARGEST = 16 * 1_024 * 1_024  # bytes of a manifest that a reader takes


def key_name(installation: str) -> str:
    """Return the name of the keys that sign an installation's manifests."""
    return f"strongroom/{installation}/backups"


def signer(key: OpenKey, installation: str) -> Signer:
    """Return what signs under a version of the service's keyset `manifest`."""
    seed = key.derived(
        b"backup manifest signer", lambda secret: expand(secret, derivation("backup manifest", SERVICE))
    )
    return Signer(key_name(installation), seed)


def digest_key(key: OpenKey) -> bytes:
    """Return the key of the digests in manifests, 32 bytes, of a version of the service's keyset `manifest`."""
    return key.derived(
        b"backup digests", lambda secret: expand(secret, derivation("backup digests", SERVICE))
    )


def signed(manifest: Manifest, signers: Sequence[Signer]) -> str:
    """Return the note of a manifest under all of the keys; ValueError if no reader would take it."""
    text = _text(manifest)
    try:
        _require_sense(_Whole.decode(text))
    except msgspec.DecodeError as error:
        raise ValueError(f"not a manifest: {error}") from None
    return f"{text}\n{''.join(signer.signature(text).line() for signer in signers)}"


def digest(note: str) -> str:
    """Return the SHA-256 of a whole note, in hex."""
    return sha256(note.encode()).hexdigest()


def read(note: bytes, path: str, verifiers: Iterable[Verifier]) -> Manifest:
    """Return the manifest of a note that lies at `path`.

    Raises:
        BackupUntrusted: none of the keys signed it, or it belongs elsewhere.
        BackupFromNewer: its format is not known.
        BackupDamaged: it is no manifest to the byte.
    """
    try:
        parsed = notes.parse(note, LARGEST)
        signed_by = notes.verified(parsed, verifiers)
    except AuditFault as fault:
        raise BackupUntrusted(f"the manifest is not signed by a key that is trusted: {fault}", path) from None
    try:
        if (form := _Form.decode(parsed.text).format) != FORMAT:
            raise BackupFromNewer(f"the backup's format is {form[:40]!r}, which this version does not know")
        manifest = _Whole.decode(parsed.text)
        _require_sense(manifest)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise BackupDamaged("the manifest cannot be read, or contradicts itself", path) from None
    if _text(manifest) != parsed.text:
        raise BackupDamaged("the manifest is not written canonically", path)
    if layout.parsed(path) != (manifest.installation, manifest.stream, manifest.number):
        raise BackupUntrusted("the manifest is of another place", path)
    if key_name(manifest.installation) not in signed_by:
        raise BackupUntrusted("the manifest is signed by the key of another installation", path)
    return manifest


def unverified(note: str) -> Manifest:
    """Return the manifest of a note that this service keeps itself, in its catalogue; ValueError if it holds none."""
    return _Whole.decode(note.partition("\n\n")[0])


def _require_sense(manifest: Manifest) -> None:
    """Return if the members fit each other; raise ValueError."""
    full, data = manifest.kind == "full", manifest.stream == "data"
    before = manifest.previous.number if manifest.previous else 0
    base = manifest.base.number if manifest.base else 0
    named = {
        *manifest.counts,
        *manifest.digests,
        *(table for chunk in manifest.chunks for table in chunk.rows),
    }
    unknown = named - {*TABLES[manifest.stream], *(() if data else (ESCROW,))}
    for wrong, why in (
        (full is not (manifest.base is None), "a full one has no base, and every other one has"),
        (not base <= before < manifest.number, "a base is not made after the one before, nor that after it"),
        (manifest.since > manifest.until, "it ends before it begins"),
        (data is not bool(manifest.keyring), "data need a keyring, and a keyring needs none"),
        (unknown and manifest.schema <= revision.head(), "a table is not of the stream"),
    ):
        if wrong:
            raise ValueError(why)


def _text(manifest: Manifest) -> str:
    return msgspec.json.encode(manifest, order="sorted").decode() + "\n"


class _Format(msgspec.Struct, frozen=True):
    format: str


_Form, _Whole = msgspec.json.Decoder(_Format), msgspec.json.Decoder(Manifest)
