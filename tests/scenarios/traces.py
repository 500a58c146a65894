"""Where a service may have left what a caller sent, and every form in which it may lie there."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import psutil

from tests.scenarios import records
from tests.service import Service

TABLES = (
    "tenant", "key_version", "api_key", "token", "index_entry", "subject", "erasure", "tombstone",
    "audit_record", "audit_log", "audit_leaf", "audit_tile", "audit_checkpoint", "audit_run", "audit_signer",
    "audit_sink", "audit_health", "idempotency", "epoch", "lease",
)  # fmt: skip


def forms(text: str) -> set[bytes]:
    """Return `text` raw, as UTF-16, in hex, in base64 at each of its three places, as URLs, JSON and Python have it."""
    raw, found = text.encode(), set[bytes]()
    for content in (raw, text.encode("utf-16-le"), text.encode("utf-16-be")):
        found |= {content, content.hex().encode(), content.hex().upper().encode()}
        for encode in (b64encode, urlsafe_b64encode):
            for at in range(3):  # how many bytes of something else stand before it in its group of three
                encoded = encode(bytes(at) + content)
                found.add(encoded[4 if at else 0 : len(encoded) // 4 * 4 - 4])
    for quoted in (quote(text, safe=""), quote(text), quote_plus(text)):
        found |= {quoted.encode(), quoted.lower().encode()}
    return found | {json.dumps(text)[1:-1].encode(), repr(text)[1:-1].encode(), ascii(text)[1:-1].encode()}


def held(secrets: Iterable[str], content: bytes) -> set[str]:
    """Return which secrets lie in `content`, in any form."""
    return {text for text in secrets if any(form in content for form in forms(text))}


def places(service: Service, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all that a service wrote or shows of itself: files, PostgreSQL's rows and files, its processes, metrics."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()
    if service.database_url.startswith("postgresql"):
        for table in TABLES:
            for (row,) in records.rows(service.database_url, f"SELECT t::text FROM {table} t"):
                yield f"table {table}", row.encode()
        yield from _server_files(service.database_url)
    if service.process is not None:
        head = psutil.Process(service.process.pid)
        for process in (head, *head.children(recursive=True)):
            for name in ("cmdline", "environ"):
                yield f"process {name}", Path(f"/proc/{process.pid}/{name}").read_bytes()


def _server_files(url: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a PostgreSQL server of our own: the database's tables and indexes, WAL, log."""
    folder = Path(parse_qs(urlsplit(url).query).get("host", ["/nowhere"])[0])
    (number,) = records.rows(url, "SELECT oid FROM pg_database WHERE datname = current_database()")[0]
    for name in (f"base/{number}", "base/pgsql_tmp", "pg_wal", "log"):
        part = folder / name
        for path in [part] if part.is_file() else part.rglob("*"):
            if path.is_file():
                yield f"server {path.relative_to(folder)}", path.read_bytes().rstrip(b"\0")
