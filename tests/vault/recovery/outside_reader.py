"""A reader of backups in a folder, written from docs/format.md alone: `age` and `zstd` open, cryptography verifies."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Block = tuple[str, list[str], list[list[Any]]]  # table, columns, rows
LENGTHS = {
    0xC4: 1,
    0xC5: 2,
    0xC6: 4,
    0xD9: 1,
    0xDA: 2,
    0xDB: 4,
    0xDC: 2,
    0xDD: 4,
}  # bytes, by MessagePack's tag


def read(root: Path, installation: str, vkey: str, identity: str) -> Iterator[tuple[str, int, Block]]:
    """Give stream, manifest's number and blocks of the newest keyring and then the newest data, in loading order."""
    keyring, data = (chain(root / installation / stream, vkey) for stream in ("keyring", "data"))
    assert keyring[-1]["number"] >= max(manifest["keyring"] for manifest in data)
    for manifest in keyring + data:
        for chunk in manifest["chunks"]:
            stored = (root / installation / manifest["stream"] / "chunks" / chunk["digest"]).read_bytes()
            assert (sha256(stored).hexdigest(), len(stored)) == (chunk["digest"], chunk["size"])
            content = opened(stored, identity)
            blocks, end = unpack(content, 0)
            assert end == len(content)
            for table, columns, rows in blocks:
                chunk["rows"][table] = chunk["rows"].get(table, 0) - len(rows)
                yield manifest["stream"], manifest["number"], (table, columns, rows)
            assert not any(chunk["rows"].values())


def chain(folder: Path, vkey: str) -> list[dict[str, Any]]:
    """Return the newest manifest and those that it builds on, the full one first."""
    found = [verified(max((folder / "manifests").iterdir()), vkey)]
    while base := found[0]["base"]:
        path = folder / "manifests" / f"{base['number']:010}.txt"
        assert sha256(path.read_bytes()).hexdigest() == base["digest"]
        found.insert(0, verified(path, vkey))
    return found


def verified(path: Path, vkey: str) -> dict[str, Any]:
    """Return a manifest that the key signed, in its place, canonical."""
    name, shown, material = vkey.split("+", 2)
    key = b64decode(material)
    assert (key[:1], sha256(name.encode() + b"\n" + key).hexdigest()[:8]) == (b"\1", shown)
    text, _, lines = path.read_text("utf-8").partition("\n\n")
    (signature,) = [b64decode(one.split()[2]) for one in lines.splitlines() if one.split()[1] == name]
    assert signature[:4].hex() == shown
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], f"{text}\n".encode())
    found: dict[str, Any] = json.loads(text)
    assert json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
    assert (found["format"], name) == ("strongroom-backup/1", f"strongroom/{found['installation']}/backups")
    assert str(path).endswith("/{installation}/{stream}/manifests/{number:010}.txt".format_map(found))
    return found


def opened(stored: bytes, identity: str) -> bytes:
    """Return what an age file of a zstd frame holds; the identity goes through a pipe, into no file."""
    reading, writing = os.pipe()
    os.write(writing, identity.encode())
    os.close(writing)
    age = ["age", "--decrypt", "--identity", f"/dev/fd/{reading}"]
    packed = subprocess.run(age, input=stored, pass_fds=[reading], capture_output=True, check=True)
    os.close(reading)
    return subprocess.run(["zstd", "-dc"], input=packed.stdout, capture_output=True, check=True).stdout


def unpack(data: bytes, at: int) -> tuple[Any, int]:
    """Return the MessagePack value at a place, and the place behind it."""
    tag, at = data[at], at + 1
    if tag < 0x80 or tag >= 0xE0 or tag == 0xC0:
        return None if tag == 0xC0 else tag - 256 * (tag >= 0xE0), at
    if 0xCC <= tag <= 0xD3:
        end = at + (1 << tag % 4)
        return int.from_bytes(data[at:end], "big", signed=tag >= 0xD0), end
    first = at + LENGTHS.get(tag, 0)
    length = int.from_bytes(data[at:first], "big") if first > at else tag & (0x1F if tag >= 0xA0 else 0x0F)
    if tag in (0xDC, 0xDD) or 0x90 <= tag < 0xA0:
        values, at = [], first
        for _ in range(length):
            value, at = unpack(data, at)
            values.append(value)
        return values, at
    piece = data[first : first + length]
    return piece if tag in (0xC4, 0xC5, 0xC6) else piece.decode(), first + length
