"""A folder of the test's as a target: the real one."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from vault.recovery.targets.bounded import Bounded
from vault.recovery.targets.directory import Directory
from vault.recovery.targets.patience import Patience


class Folder(Bounded):
    """Files below a folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(Directory(root), monotonic, Patience())
        self.root = root
