"""`make vault`: a real Vault for development with all that strongroom needs in it; data stay in var/vault."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType

from tests.vault_server.binary import NoVault
from tests.vault_server.server import VaultServer
from tests.vault_server.transit import fresh_transit

FOLDER = Path(__file__).resolve().parents[2] / "var" / "vault"
NAME = "strongroom"

WELCOME = """
Vault is ready at {url}; its root token is in {folder}/operator.json, its audit log in {folder}/audit.log

export STRONGROOM_VAULT_ADDR={url} STRONGROOM_VAULT_CA={folder}/ca.pem
export STRONGROOM_VAULT_ROLE_ID_FILE={folder}/role-id STRONGROOM_VAULT_SECRET_ID_FILE={folder}/secret-id
export STRONGROOM_ROOT=vault

Data stay in {folder}; remove that folder to begin again. Ctrl-C ends Vault.
"""


def main() -> int:
    """Return 0 after Ctrl-C or SIGTERM, 1 if there is no Vault."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with VaultServer(FOLDER, int(os.environ.get("STRONGROOM_VAULT_PORT", "8200"))) as server:
            _set_up(server)
            print(WELCOME.format(url=server.url, folder=FOLDER), flush=True)  # noqa: T201
            return server.wait()
    except NoVault as error:
        sys.exit(f"there is no Vault: {error}")
    except RuntimeError as error:
        sys.exit(f"{error}\nhint: if the port is taken, STRONGROOM_VAULT_PORT=8300 make vault")
    except KeyboardInterrupt:
        print("Vault has ended")  # noqa: T201
        return 0


def _set_up(server: VaultServer) -> None:
    if (FOLDER / "secret-id").exists():
        return
    made = fresh_transit(server, mount="transit", role=NAME)
    for name, text in (("role-id", made.role_id), ("secret-id", made.secret_id)):
        with os.fdopen(os.open(FOLDER / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
