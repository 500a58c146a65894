"""Targets for tests: folders of this machine, which may be made to fail as disks do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from vault.errors import TargetFailed
from vault.recovery.targets.protocol import File, MissingFile


class Folder:
    """A folder; without one, or with a file in its place, nothing works."""

    def __init__(self, root: Path, before: Callable[[str, str], None] = lambda _call, _path: None) -> None:
        """Args: `before` is called with the name of each call and its path."""
        self.root, self._before = root, before

    @property
    def name(self) -> str:
        return f"file:{self.root.name}"

    def put(self, path: str, data: bytes) -> None:
        self._there("put", path)
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():
            if place.read_bytes() != data:
                raise TargetFailed("target_differs", "another file has this name")
            return
        draft = place.with_name(f".{os.urandom(4).hex()}")
        draft.write_bytes(data)
        draft.rename(place)

    def get(self, path: str) -> bytes:
        self._there("get", path)
        try:
            return (self.root / path).read_bytes()
        except FileNotFoundError:
            raise MissingFile from None

    def files(self, prefix: str) -> Iterator[File]:
        self._there("files", prefix)
        found = [one for one in (self.root / prefix).rglob("*") if one.is_file() and one.name[0] != "."]
        for one in sorted(found):
            yield File(str(one.relative_to(self.root)), one.stat().st_size)

    def delete(self, path: str) -> None:
        self._there("delete", path)
        (self.root / path).unlink(missing_ok=True)

    def probe(self) -> None:
        self._there("probe", "")

    def close(self) -> None:
        self._before("close", "")

    def _there(self, call: str, path: str) -> None:
        self._before(call, path)
        if not self.root.is_dir():
            raise TargetFailed("target_removed", "the folder is not there")
