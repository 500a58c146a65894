"""A drill host's own files: the identity that opens backups, the key that signs reports, and the login it tries.

Each is for its owner alone, whole or not there, and never in the place of another.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from api.drills import durable
from api.errors import SettingsError
from keys import identity
from keys.errors import KeyFileError
from keys.secret import Secret
from vault.audit.notes import Signer
from vault.recovery import reports
from vault.recovery.checks.canary import Canary

IDENTITY, REPORT_KEY, CANARY = "identity", "report.key", "canary.json"
SUBJECT = "strongroom-drill"  # whose password the canary is, unless it is said otherwise
SEED_BYTES = 32  # RFC 8032, section 5.1.5
LARGEST = 65_536  # bytes of such a file


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    subject: str
    password: str
    key: str  # SHA-256 of the API key that stored it, in hex


@dataclass(frozen=True, slots=True)
class HostKeys:
    """The files in one folder; systemd's credentials are such a folder, too."""

    folder: Path

    def make(self) -> bool:
        """Make the identity and the report key where they are missing; return whether either was."""
        made = not self._path(IDENTITY).exists() or not self._path(REPORT_KEY).exists()
        if not self._path(IDENTITY).exists():
            secret = Secret.random()
            remark = f"# the identity of a drill host; its recipient: {identity.recipient(secret)}\n"
            durable.write(self._path(IDENTITY), remark.encode() + identity.text(secret).expose() + b"\n")
        if not self._path(REPORT_KEY).exists():
            durable.write(self._path(REPORT_KEY), b64encode(secrets.token_bytes(SEED_BYTES)) + b"\n")
        return made

    def make_canary(self, subject: str, api_key: str) -> Canary:
        """Return the canary, made with a random password where there is none yet."""
        found = self.canary()
        if found is None:
            owner = sha256(api_key.encode())
            written = _Written(subject, secrets.token_urlsafe(24), owner.hexdigest())
            durable.write(self._path(CANARY), msgspec.json.encode(written) + b"\n")
            found = Canary(written.subject, written.password, owner.digest())
        return found

    def identity(self) -> Secret:
        """Return the identity; SettingsError if the file is none, or others may read it."""
        try:
            return identity.read(_read(self._path(IDENTITY)))
        except KeyFileError as error:
            raise SettingsError(f"{self._path(IDENTITY)}: {error}") from None

    def signer(self) -> Signer:
        """Return what signs reports; SettingsError."""
        try:
            seed = b64decode(_read(self._path(REPORT_KEY)).strip(), validate=True)
        except ValueError:
            seed = b""
        if len(seed) != SEED_BYTES:
            raise SettingsError(f"{self._path(REPORT_KEY)} does not hold a key")
        return reports.signer(seed)

    def canary(self) -> Canary | None:
        """Return the canary, None where none was made; SettingsError."""
        path = self._path(CANARY)
        if not path.exists():
            return None
        try:
            found = _CANARY.decode(_read(path))
            return Canary(found.subject, found.password, bytes.fromhex(found.key))
        except (msgspec.DecodeError, ValueError):
            raise SettingsError(f"{path} does not hold a login") from None

    def lines(self) -> tuple[str, str]:
        """Return the two lines of the recipients' file that name this host."""
        return f"drill {identity.recipient(self.identity())}", f"report {self.signer().vkey}"

    def _path(self, name: str) -> Path:
        return self.folder / name


def _read(path: Path) -> bytes:
    reason = None
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _others(path.parent):
                reason = "other users can read it: chmod 600"
            data = file.read(LARGEST)
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise SettingsError(f"{path} cannot be used: {reason}")
    return data


def _others(folder: Path) -> int:
    """Return the bits of a mode that let others read; systemd gives its credentials to a user by an access list.

    Such a list shows in the bits of the group (acl(5), "Correspondence between ACL entries and file permission bits").
    """
    return 0o007 if str(folder) == os.environ.get("CREDENTIALS_DIRECTORY") else 0o077


_CANARY = msgspec.json.Decoder(_Written)
