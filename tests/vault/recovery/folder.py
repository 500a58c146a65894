"""A folder as a target, with nothing that makes it durable: for tests that only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vault.recovery.targets.protocol import File, MissingFile


class Folder:
    """Files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, f"folder:{root}"

    def put(self, path: str, data: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)

    def get(self, path: str) -> bytes:
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            raise MissingFile from None

    def files(self, prefix: str) -> Iterator[File]:
        for found in sorted((self.root / prefix).rglob("*")):
            if found.is_file():
                yield File(found.relative_to(self.root).as_posix(), found.stat().st_size)

    def delete(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)

    def probe(self) -> None:
        """Always ready."""

    def close(self) -> None:
        """Nothing to let go of."""
