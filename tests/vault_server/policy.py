"""The policy as docs/operations.md gives it to the reader: the tests give Vault that and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"


def policy_text(mount: str = "transit", without: str | None = None) -> str:
    """Return the HCL block of the document, for another mount, without one path of it."""
    (block,) = re.findall(r"^```hcl\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.M | re.S)
    if without is not None:
        block, left_out = re.subn(rf'^path "{re.escape(without)}" .*\n', "", block, flags=re.M)
        assert left_out == 1
    return re.sub(r'^path "transit/', f'path "{mount}/', block, flags=re.M)


def policy_paths() -> list[str]:
    """Return the paths that the document's policy has."""
    return re.findall(r'^path "([^"]+)"', policy_text(), re.M)
