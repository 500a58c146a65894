"""A drill whose root is in a real Vault, by an AppRole of its own that may open and wrap keys, and nothing else."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from api.config import Settings
from api.drills.hostkeys import HostKeys
from api.wiring import open_resources
from keys.secret import Secret
from tests.api.cli.conftest import Command
from tests.vault.recovery.maker import Maker
from tests.vault_server import Transit
from vault.columns import Actor, Column
from vault.recovery import ownkeys
from vault.recovery.reports import CHECKS
from vault.service import Vault
from vault.store import migrate

LEAST = """
path "{mount}/encrypt/{key}" {{ capabilities = ["update"] }}
path "{mount}/decrypt/{key}" {{ capabilities = ["update"] }}
path "{mount}/keys/{key}" {{ capabilities = ["read"] }}
path "auth/token/renew-self" {{ capabilities = ["update"] }}
"""


def test_a_drill_needs_to_open_and_to_wrap_keys_alone(transit: Transit, tmp_path: Path) -> None:
    (tmp_path / "secret-id").write_text(transit.secret_id)
    root = {
        "vault_addr": transit.server.url, "vault_ca": str(transit.server.ca), "vault_mount": transit.mount,
        "vault_role_id": transit.role_id, "vault_secret_id_file": str(tmp_path / "secret-id"),
        "root_key_file": str(tmp_path / "none.key"),
    }  # fmt: skip
    for folder in ("keys", "reports", "backups"):
        (tmp_path / folder).mkdir()
    host = HostKeys(tmp_path / "keys")
    host.make()
    _back_up(Settings(database_url=f"sqlite:///{tmp_path}/vault.db", **root), host.identity(), tmp_path)
    transit.set_policy(LEAST.format(mount=transit.mount, key=transit.place.key))
    command = Command(tmp_path, {f"STRONGROOM_{name.upper()}": value for name, value in root.items()})
    done = command(
        "drill", "--json", "--no-live", "--keys", "keys", "--reports", "reports", "--trust", "trust.txt",
        "--scratch-dir", str(tmp_path), STRONGROOM_BACKUP_TARGETS=f"file:{tmp_path}/backups",
    )  # fmt: skip
    (report,) = json.loads(done.stdout)["drills"]
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert states == dict.fromkeys(CHECKS, "passed") | {"live": "skipped", "canary": "skipped"}
    assert done.returncode == 0


def _back_up(settings: Settings, drill: Secret, folder: Path) -> None:
    """Make a business, store a value, and back it up."""
    with closing(open_resources(settings)) as resources:
        migrate.upgrade(resources.database)
        vault = Vault(resources)
        record, _ = vault.bootstrap("shop")["live"]
        actor = Actor(record.tenant, "live", "key_0", "request-1")
        vault.tokenize(actor, [Column("phone", ["+8613800138000"], subjects=["somebody"])])
        maker = Maker(resources, folder / "backups", drill, Secret.random())
        maker.make()
        (installation,) = [path.name for path in (folder / "backups").iterdir()]
        keys = "\n".join(one.vkey for one in ownkeys.verifiers(resources, installation))
        (folder / "trust.txt").write_text(keys)
