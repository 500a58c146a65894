"""The local root: a 256-bit key in a file of mode 0600, sealed under a passphrase where one is given.

The file is JSON (docs/format.md): format, id, protection ("none" or "argon2id"), key, and for argon2id salt and
costs. A passphrase goes through Argon2id with RFC 9106's second choice, t=3, p=4, m=64 MiB (section 4).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keys.errors import KeyFileError, PassphraseError, UnwrapError
from keys.secret import KEY_BYTES, Secret
from keys.wrapping import AeadRoot, unwrap, wrap

FORMAT = "strongroom-root/1"
ITERATIONS, LANES, MEMORY_KIB = 3, 4, 65_536
MAX_MEMORY_KIB, MAX_ITERATIONS = 4_194_304, 100  # a damaged file must not take the machine with it


def create(path: Path, passphrase: Secret | None = None) -> None:
    """Write a new key file of mode 0600 and sync it with its folder; KeyFileError if one is already there."""
    root_id, key = secrets.token_hex(8), Secret.random().expose()
    entry: dict[str, Any] = {"format": FORMAT, "id": root_id, "protection": "none"}
    if passphrase is not None:
        salt = secrets.token_bytes(16)
        entry |= {
            "protection": "argon2id", "salt": _text(salt),
            "iterations": ITERATIONS, "lanes": LANES, "memory_kib": MEMORY_KIB,
        }  # fmt: skip
        key = wrap(_stretch(passphrase, entry), key, _context(root_id))
    entry["key"] = _text(key)
    _write(path, json.dumps(entry, indent=1).encode() + b"\n")


def load(path: Path, passphrase: Secret | None = None) -> AeadRoot:
    """Open the root of a key file.

    Raises:
        KeyFileError: missing, readable by group or others, damaged, or of an unknown format.
        PassphraseError: it needs a passphrase and none or a wrong one was given.
    """
    entry = _read(path)
    try:
        root_id, key = str(entry["id"]), base64.b64decode(entry["key"], validate=True)
        if entry["protection"] == "argon2id":
            if passphrase is None:
                raise PassphraseError("the key file needs its passphrase")
            key = unwrap(_stretch(passphrase, entry), key, _context(root_id))
        elif entry["protection"] != "none":
            raise KeyFileError("the key file has a protection this version does not know")
    except UnwrapError:
        raise PassphraseError(
            "the key file does not open: the passphrase is wrong, or the file damaged"
        ) from None
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise KeyFileError("the key file is damaged") from None
    if len(key) != KEY_BYTES:
        raise KeyFileError("the key file is damaged")
    return AeadRoot(f"local:{root_id}", Secret(key))


def _stretch(passphrase: Secret, entry: dict[str, Any]) -> AESGCM:
    iterations, lanes, memory = (int(entry[name]) for name in ("iterations", "lanes", "memory_kib"))
    if not (0 < iterations <= MAX_ITERATIONS and 0 < lanes <= 64 and 0 < memory <= MAX_MEMORY_KIB):
        raise KeyFileError("the key file asks for Argon2id costs out of range")
    if not len(passphrase):
        raise PassphraseError("the passphrase is empty")
    kdf = Argon2id(
        salt=base64.b64decode(entry["salt"], validate=True),
        length=KEY_BYTES, iterations=iterations, lanes=lanes, memory_cost=memory,
    )  # fmt: skip
    return AESGCM(kdf.derive(passphrase.expose()))


def _context(root_id: str) -> bytes:
    return FORMAT.encode() + b" " + root_id.encode()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
                raise KeyFileError(
                    "the key file must be a plain file that only its owner may read (mode 0600)"
                )
            entry = json.loads(file.read(65_536))
    except OSError as error:
        raise KeyFileError(f"the key file cannot be read ({error.strerror})") from None
    except ValueError:
        raise KeyFileError("the key file is damaged") from None
    if not isinstance(entry, dict) or entry.get("format") != FORMAT:
        raise KeyFileError("the key file has a format this version does not know")
    return entry


def _write(path: Path, content: bytes) -> None:
    """Write under a temporary name, sync, then link to the final one, which fails if that exists."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        raise KeyFileError("there is a key file already; it is never overwritten") from None
    except OSError as error:
        raise KeyFileError(f"the key file cannot be written ({error.strerror})") from None
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
