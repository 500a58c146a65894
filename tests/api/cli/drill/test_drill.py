"""`strongroom drill` against a real service and its backups: what it says, leaves behind, and never touches."""

from __future__ import annotations

import hashlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from strongroom_client import Client

from keys import shares
from tests.api.cli.conftest import clean
from tests.api.cli.drill.conftest import Site
from vault.recovery import reports
from vault.recovery.reports import CHECKS
from vault.store.tables import metadata

OWN = frozenset({
    "audit_record", "audit_leaf", "audit_tile", "audit_checkpoint", "audit_run", "audit_log", "audit_signer",
    "audit_health", "audit_sink", "spending", "drill", "idempotency",
    # what the service does all the time, whether anybody drills or not
    "process", "process_keys", "lease", "epoch", "backup", "backup_copy", "backup_target", "key_version",
})  # fmt: skip


def states(report: dict[str, object]) -> dict[str, str]:
    checks: list[dict[str, str]] = report["checks"]  # type: ignore[assignment]
    return {check["name"]: f"{check['state']} {check['code']}".strip() for check in checks}


def live(site: Site) -> dict[str, str]:
    """A digest of every table of the live service, but those that its own work and the comparison write to."""
    path = site.service.database_url.removeprefix("sqlite:///")
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        for table in sorted(metadata.tables.keys() - OWN):
            rows = sorted(map(repr, connection.execute(f"SELECT * FROM {table}")))
            found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def scratches(folder: Path) -> list[Path]:
    return list(folder.glob("strongroom-drill-*"))


def test_a_drill_passes_touches_nothing_and_is_kept_shown_and_handed_in(site: Site, tmp_path: Path) -> None:
    before = live(site)
    code, (report,) = site.drill("--scratch-dir", str(tmp_path))
    assert states(report) == dict.fromkeys(CHECKS, "passed")
    assert (code, report["passed"], report["keys"], report["scratch"]) == (0, True, "root", "sqlite")
    assert live(site) == before
    assert list(tmp_path.iterdir()) == []
    assert not Path(site.host.folder, "none.db").exists()
    (path,) = site.reports.glob(f"*{report['id']}.note")
    assert reports.unverified(path.read_text()).id == report["id"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert str(report["target"]) in (site.reports / "drills.html").read_text()
    assert str(report["id"]) in site.host("backup", "drills").stdout


def test_all_targets_are_drilled_one_after_the_other(site: Site, tmp_path: Path) -> None:
    code, made = site.drill("--scratch-dir", str(tmp_path), "--no-live", "--all-targets")
    assert code == 0
    assert [one["target"] for one in made] == [f"file:{one}" for one in site.targets]
    assert [states(one)["live"] for one in made] == ["skipped asked_not_to"] * 2


def test_custodians_drill_without_the_root(site: Site, tmp_path: Path) -> None:
    words = [share.expose() for share in shares.split(site.recovery, 2, 3)]
    site.host.write("shares.txt", b"\n".join(words[:2])).chmod(0o600)
    code, (report,) = site.drill(
        "--scratch-dir", str(tmp_path), "--without-vault", "--shares-file", "shares.txt",
        STRONGROOM_ROOT_KEY_FILE=f"{tmp_path}/none.key",
    )  # fmt: skip
    assert states(report) == dict.fromkeys(CHECKS, "passed")
    assert (code, report["keys"]) == (0, "shares")
    assert list(tmp_path.iterdir()) == []


def test_what_was_deleted_since_is_explained_by_the_audit(site: Site, tmp_path: Path) -> None:
    with Client(site.service.url, site.service.keys["live"]) as client:
        (token, *_) = [one for one in client.list() if one.field == "bank_card"]
        client.delete(token.token)
    code, (report,) = site.drill("--scratch-dir", str(tmp_path))
    assert (code, states(report)["live"]) == (0, "passed")


def test_a_bad_backup_fails_with_a_code_of_its_own(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    shutil.copytree(site.targets[0], target)
    bad = {"STRONGROOM_BACKUP_TARGETS": f"file:{target}"}
    for chunk in target.glob("*/data/chunks/*"):
        chunk.write_bytes(chunk.read_bytes()[:-1])
    code, (report,) = site.drill("--scratch-dir", str(tmp_path), "--no-live", **bad)
    assert (code, states(report)["restored"]) == (5, "failed backup_damaged")
    assert scratches(tmp_path) == []
    assert site.host("alarms", "list").stdout.count("drill_failed") == 1


def test_what_cannot_be_read_or_opened_has_codes_of_their_own(site: Site, tmp_path: Path) -> None:
    gone = {"STRONGROOM_BACKUP_TARGETS": f"file:{tmp_path}/nowhere"}
    code, _ = site.drill("--scratch-dir", str(tmp_path), "--no-live", **gone)
    assert code == 3
    code, (report,) = site.drill(
        "--scratch-dir", str(tmp_path), "--no-live", STRONGROOM_ROOT_KEY_FILE=f"{tmp_path}/none.key"
    )
    assert (code, states(report)["restored"]) == (7, "failed key_file_error")
    assert scratches(tmp_path) == []


def test_sigterm_leaves_nothing_behind(site: Site, tmp_path: Path) -> None:
    """A live service that never answers holds the drill up, with its scratch restored."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "drill", "--scratch-dir", str(tmp_path), "--url", url],
            cwd=site.host.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**clean(), "PYTHONPATH": str(Path(__file__).parents[4]), **site.host.environment},
        )  # fmt: skip
        held, _ = silent.accept()
        with held:
            assert len(scratches(tmp_path)) == 1
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (143, b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--target", "nobody"], "there is no target nobody"),
        (["--target", "x", "--all-targets"], "mean different things"),
        (["--shares-file", "/dev/null"], "--without-vault"),
        (["--scratch-url", "postgresql://u:p@h/d"], "everybody to see"),
        (["--scratch-url", "postgresql://u@h/d?sslmode=require&password=p"], "everybody to see"),
    ],
)
def test_what_cannot_be_meant_is_refused(site: Site, more: list[str], said: str) -> None:
    done = site.host("drill", *more)
    assert done.returncode == 2
    assert said in done.stderr
    assert "u:p" not in done.stderr


def test_a_drill_needs_its_files(site: Site) -> None:
    done = site.host("drill", STRONGROOM_DRILL_KEYS="")
    assert (done.returncode, "init" in done.stderr) == (2, True)
