"""Settings of sinks and hooks: opened, or refused by name and never by value."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.config import Settings, load
from api.errors import SettingsError
from api.outside import open_gate, open_hooks, open_sinks
from vault.gatekeeping import AuditGate, OpenGate

SECRET = "whsec_" + "c2VjcmV0" * 6


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "access").write_text("AKIA0\n")
    (tmp_path / "secret").write_text("hunter2\n")
    (tmp_path / "hook").write_text(SECRET + "\n")
    return tmp_path


def test_sinks_and_hooks_are_opened(files: Path) -> None:
    settings = Settings(
        audit_sinks=f"file:{files}/audit.ndjson  s3://bucket/x?region=r",
        audit_s3_access_key_file=files / "access", audit_s3_secret_key_file=files / "secret",
        alarm_webhooks="https://a.example/x http://127.0.0.1:9/y", alarm_webhook_secret_file=files / "hook",
        alarm_mail_to="security@shop.example", alarm_mail_from="vault@shop.example",
    )  # fmt: skip
    assert [sink.name for sink in open_sinks(settings)] == [f"file:{files}/audit.ndjson", "s3://bucket/x"]
    assert [hook.name.split(":")[0] for hook in open_hooks(settings)] == ["webhook", "webhook", "mail"]
    assert open_sinks(Settings()) == open_hooks(Settings()) == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"audit_sinks": "file:/a ftp://hunter2"}, "AUDIT_SINKS: number 2"),
        ({"audit_sinks": "file:/a file:/a?rotate=1M"}, "twice"),
        ({"audit_sinks": "s3://bucket/x?region=r"}, "access key"),
        ({"audit_sinks": "s3://bucket/x?region=r", "audit_s3_access_key_file": "access"}, "SECRET_KEY_FILE"),
        ({"alarm_webhooks": "https://a.example"}, "SECRET_FILE is missing"),
        ({"alarm_webhooks": "https://a.example", "alarm_webhook_secret_file": "secret"}, "whsec_"),
        ({"alarm_webhooks": "ftp://hunter2", "alarm_webhook_secret_file": "hook"}, "https"),
        ({"alarm_mail_to": "security@shop.example"}, "MAIL_FROM"),
    ],
)
def test_what_cannot_be_meant_is_refused(files: Path, given: dict[str, str], why: str) -> None:
    settings = Settings(
        **{name: files / text if name.endswith("_file") else text for name, text in given.items()}  # type: ignore[arg-type]
    )
    with pytest.raises(SettingsError, match=why) as refused:
        open_hooks(settings) if "alarm" in next(iter(given)) else open_sinks(settings)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["AUDIT_S3_SECRET_KEY", "ALARM_WEBHOOK_SECRET"])
def test_no_secret_is_taken_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"STRONGROOM_{name}", "hunter2")
    with pytest.raises(SettingsError, match=f"STRONGROOM_{name}_FILE") as refused:
        load()
    assert "hunter2" not in str(refused.value)


def test_only_a_place_that_holds_records_shuts_the_gate(tmp_path: Path) -> None:
    from api.wiring import open_database

    database = open_database(Settings(database_url=f"sqlite:///{tmp_path}/vault.db"))
    assert isinstance(open_gate(Settings(audit_sinks="file:/a"), database), AuditGate)
    for sinks in ("", "witness+https://w.example?key=k"):
        assert isinstance(open_gate(Settings(audit_sinks=sinks), database), OpenGate)
    database.close()
