"""Files of old audit records, which are in no backup any more: copied to the targets beside the backups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vault.backup import layout
from vault.errors import TargetFailed
from vault.recovery.line import Line
from vault.recovery.targets.protocol import Target

SUFFIX = ".ndjson"  # of a file that is whole; see `audit.archiving`
LOOK_SECONDS = 60.0  # between two looks at the folder


class Archives:
    """Remembers which target has which file. For one thread at a time."""

    def __init__(self) -> None:
        self._there: dict[str, set[str]] = {}
        self._looked = float("-inf")

    def copy(self, line: Line, targets: Sequence[Target]) -> None:
        """Give each target one file that it lacks, and further ones with the next call."""
        folder, now = line.resources.records.archive, line.resources.monotonic()
        if folder is None or now - self._looked < LOOK_SECONDS:
            return
        wanted = sorted(path for path in folder.glob(f"*{SUFFIX}") if path.is_file())
        lacking = False
        for target in targets if wanted else ():
            try:
                lacking |= self._give(line, target, wanted)
            except TargetFailed as failure:
                line.health.say(target.name, failure.problem)
        if not lacking:
            self._looked = now

    def _give(self, line: Line, target: Target, wanted: Sequence[Path]) -> bool:
        """Give a target the first file that it lacks; return whether it lacked one."""
        prefix = layout.archived(line.installation, "")
        if target.name not in self._there:
            self._there[target.name] = {file.path.removeprefix(prefix) for file in target.files(prefix)}
        for path in wanted:
            if path.name not in self._there[target.name]:
                target.put(layout.archived(line.installation, path.name), path.read_bytes())
                self._there[target.name].add(path.name)
                return True
        return False
