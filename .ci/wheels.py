"""Check what each wheel holds: the server's api, keys and vault; the client's only itself."""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile

PACKAGES = {"strongroom": {"api", "keys", "vault"}, "strongroom_client": {"strongroom_client"}}


def check(wheel: Path) -> None:
    """Raise SystemExit if `wheel` holds another package than its own, or misses a file of them."""
    name = wheel.name.split("-")[0]
    root = Path("client" if name == "strongroom_client" else ".")
    held = {entry for entry in ZipFile(wheel).namelist() if ".dist-info/" not in entry}
    wanted = {
        path.relative_to(root).as_posix()
        for package in PACKAGES[name]
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    if held != wanted:
        raise SystemExit(f"{wheel.name}: too much {sorted(held - wanted)}, missing {sorted(wanted - held)}")
    print(f"{wheel.name}: {len(held)} files of {', '.join(sorted(PACKAGES[name]))}")


def main(folder: Path) -> None:
    """Check both wheels in `folder`."""
    wheels = sorted(folder.glob("*.whl"))
    if {wheel.name.split("-")[0] for wheel in wheels} != set(PACKAGES):
        raise SystemExit(f"{folder} holds {len(wheels)} wheels, not one of each distribution")
    for wheel in wheels:
        check(wheel)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
