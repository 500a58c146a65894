"""URLs of sinks: what is meant is opened, what cannot be is refused in words without the URL."""

from __future__ import annotations

import time

import pytest

from vault.audit.notes import Cosigner
from vault.errors import InvalidRequest
from vault.sinks.opening import Surroundings, open_sink

KEYS = Surroundings(time.time, time.monotonic, ("access", "secret"))
KEY = Cosigner("witness.example", bytes(32)).vkey


@pytest.mark.parametrize(
    ("url", "name", "holds"),
    [
        ("file:/var/log/audit%20copy.ndjson?rotate=64M", "file:/var/log/audit copy.ndjson", True),
        ("file:///var/log/audit.ndjson", "file:/var/log/audit.ndjson", True),
        ("syslog+tcp://[::1]:601?longest=65536", "syslog+tcp://[::1]:601", True),
        ("syslog+tls://logs.example:6514", "syslog+tls://logs.example:6514", True),
        ("syslog+unix:/dev/log", "syslog+unix:/dev/log", True),
        ("s3://bucket/a/b?region=eu-north-1", "s3://bucket/a/b", True),
        (f"witness+https://w.example/x/?key={KEY}", "witness+https://w.example/x", False),
        (f"witness+http://127.0.0.1:8710?key={KEY}", "witness+http://127.0.0.1:8710", False),
    ],
)
def test_a_good_one_is_opened_and_named_without_its_options(url: str, name: str, holds: bool) -> None:
    sink = open_sink(url, KEYS)
    assert (sink.name, sink.holds_records) == (name, holds)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "begins with"),
        ("ftp://host/x", "begins with"),
        ("file:relative", "absolute"),
        ("file://host/path", "absolute"),
        ("file:/", "absolute"),
        ("file:/x?rotate=1", "rotate"),
        ("file:/x?rotate=1T", "rotate"),
        ("file:/x?mode=0644", "nothing else"),
        ("syslog+tcp://host", "port"),
        ("syslog+tcp://host:99999", "cannot be read"),
        ("syslog+tcp://host:1/path", "port"),
        ("syslog+tcp://user:hunter2@host:1", "user, password"),
        ("syslog+tcp://host:1?longest=100", "longest"),
        ("syslog+tls://host:1?ca=/nowhere", "ca="),
        ("s3://bucket/x", "region"),
        ("s3:///x?region=r", "bucket"),
        ("s3://bucket?region=r&endpoint=http://example.org", "endpoint"),
        ("witness+http://example.org?key=" + KEY, "https"),
        ("witness+https://example.org", "key="),
        ("witness+https://example.org?key=nonsense", "key="),
    ],
)
def test_a_bad_one_is_refused_in_our_own_words(url: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        open_sink(url, KEYS)
    assert "hunter2" not in str(refused.value)


def test_credentials_come_from_files_and_show_nowhere() -> None:
    with pytest.raises(InvalidRequest, match="in a file"):
        open_sink("s3://bucket?region=r", Surroundings(time.time, time.monotonic))
    assert "secret" not in repr(KEYS).replace("s3_keys", "")
