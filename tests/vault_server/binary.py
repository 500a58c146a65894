"""The `vault` command: the one on PATH, or one built from its Go module, once for this user."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "1.21.1"
MODULE = Path(__file__).parent
GET_GO = "install Go 1.21 or newer (it fetches the toolchain that Vault needs), or a vault command 1.21"
LOG = "build.log"


class NoVault(Exception):
    """There is no `vault`, and it cannot be built here; says how to get it."""


def vault_command() -> Path:
    """Return the command; build it if need be, which takes a quarter of an hour the first time.

    Raises:
        NoVault: there is neither a `vault` of the right version nor Go, or the build failed.
    """
    found = shutil.which("vault")
    if found is not None and _version(Path(found)).rpartition(".")[0] == VERSION.rpartition(".")[0]:
        return Path(found)
    built = _cache() / "vault"
    if built.exists():
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    with (built.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others wait here for the one that builds
        if not built.exists():
            _build(built)
    return built


def _build(target: Path) -> None:
    """Build under a temporary name and rename, so that nobody runs half a command."""
    if shutil.which("go") is None:
        raise NoVault(GET_GO)
    draft = target.with_name(f"vault.{secrets.token_hex(4)}")
    print(f"building Vault {VERSION}, a quarter of an hour the first time", file=sys.stderr)  # noqa: T201
    log = target.with_name(LOG)
    with log.open("wb") as output:
        done = subprocess.run(
            ["go", "build", "-ldflags", "-s -w", "-o", draft, "github.com/hashicorp/vault"],
            cwd=MODULE, env=_environment(), stdout=output, stderr=output, check=False,
        )  # fmt: skip
    if done.returncode:
        draft.unlink(missing_ok=True)
        raise NoVault(f"{GET_GO}; the build failed, {log} says why")
    draft.rename(target)


def _environment() -> dict[str, str]:
    """Let Go fetch the toolchain that go.mod names, unless the environment says otherwise."""
    return {"GOTOOLCHAIN": "auto", **os.environ, "GOFLAGS": "-buildvcs=false"}


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "strongroom", f"vault-{VERSION}")


def _version(command: Path) -> str:
    """Return the version that a command tells, "" if it tells none."""
    done = subprocess.run([command, "version"], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return words[1].removeprefix("v").partition("+")[0] if done.returncode == 0 and len(words) > 1 else ""
