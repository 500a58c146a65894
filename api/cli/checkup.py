"""The checks of `doctor`, in the order in which one rests on another; each tells, none raises."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli import surroundings
from api.cli.callerscheck import callers
from api.cli.failure import Failure, explain
from api.cli.findings import Finding, fail, ok, warn
from api.cli.hashcheck import hashing
from api.cli.port import listens
from api.cli.sinkcheck import sinks
from api.cli.targetcheck import targets
from api.cli.vaultcheck import vault_root
from api.config import Settings

if TYPE_CHECKING:
    from vault.resources import Resources

DISTRIBUTION = "strongroom"
BUILT = 1_767_225_600  # 2026-01-01: a clock before that is wrong
LITTLE_SPACE, NO_SPACE = 2 << 30, 200 << 20  # bytes free
SKEW_SECONDS = 5.0
_WORN = {
    "due": "nine tenths of the key's time or messages are used up",
    "over": "the key's time or messages are used up",
}
SOON_SECONDS = 30 * 86_400  # a certificate's end


def findings() -> list[Finding]:
    """Return what all checks find; without readable settings only those that need none."""
    found = [*_python(), *_libraries(), *_clock()]
    try:
        settings = surroundings.settings()
    except Exception as error:  # noqa: BLE001
        return [*found, _failed("settings", error)]
    found.append(ok("settings", "the environment can be read"))
    for name, check in CHECKS:
        try:
            found += check(settings)
        except Exception as error:  # noqa: BLE001 - the next check may still say more
            found.append(_failed(name, error))
    return found


def _failed(name: str, error: Exception) -> Finding:
    failure = explain(error)
    if isinstance(failure, Failure):
        return fail(name, failure.format_message(), failure.hint or "see docs/operations.md")
    return fail(name, "the check did not end", "see docs/operations.md")


def _python() -> Iterator[Finding]:
    yield ok("python", ".".join(map(str, sys.version_info[:3])))


def _libraries() -> Iterator[Finding]:
    wrong = []
    try:
        needed = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        yield warn("libraries", "strongroom runs without being installed", "pip install the distribution")
        return
    for text in needed:
        name, least = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?(?:>=([0-9.]+))?", text).groups()  # type: ignore[union-attr]
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if least and _numbers(version) < _numbers(least):
            wrong.append(f"{name} is {version}, older than {least}")
    if wrong:
        yield fail("libraries", "; ".join(wrong), "pip install -r requirements.txt")
    else:
        yield ok(
            "libraries", f"{len(needed)} as needed, strongroom {importlib.metadata.version(DISTRIBUTION)}"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _clock() -> Iterator[Finding]:
    now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    if time.time() < BUILT:
        yield fail(
            "clock",
            f"{now} is in the past",
            "set the clock, and keep it set with chrony or systemd-timesyncd",
        )
    else:
        yield ok("clock", now)


def _key_file(settings: Settings) -> Iterator[Finding]:
    from api.roots import listed, open_local

    if "local" not in listed(settings):
        return
    file = settings.root_key_file
    if not file.exists():
        hint = "`strongroom bootstrap` makes it the first time; later, put it back from the copy kept apart"
        yield fail("key file", f"{file}: No such file", hint)
        return
    if file.stat().st_mode & 0o077:
        yield fail("key file", f"{file}: only its owner may read it", f"chmod 600 {file}")
        return
    open_local(settings).check()
    yield ok("key file", f"{file} opens")


def _database(settings: Settings) -> Iterator[Finding]:
    from api.wiring import open_database
    from vault.store import inspection, migrate, revision

    file = surroundings.database_file(settings)
    if file is not None and not file.exists():
        yield fail("database", f"{file} does not exist", "run `strongroom db upgrade`")
        return
    database = open_database(settings)
    try:
        durable = inspection.durability(database)
        kind, version = inspection.version(database)
        text = f"{kind} {'.'.join(map(str, version))}" + (f", {file}" if file else "")
        if version < inspection.LEAST[kind]:
            yield fail(
                "database", text, f"{kind} {'.'.join(map(str, inspection.LEAST[kind]))} or newer is needed"
            )
        else:
            yield ok("database", text)
        weak = [
            f"{name} is {state}" for name, state in durable.items() if state not in inspection.DURABLE[name]
        ]
        if weak:
            yield fail(
                "durability", ", ".join(weak), "a commit could be lost: turn it on, or use another server"
            )
        else:
            yield ok("durability", ", ".join(f"{name} {state}" for name, state in durable.items()))
        differences = migrate.check(database)
        if differences:
            yield fail("schema", "; ".join(differences[:3]), "run `strongroom db upgrade`")
            return
        yield ok("schema", f"revision {revision.head()}")
        yield from _stored_keys(settings, inspection.tenants(database))
        skew = inspection.skew(database)
        if abs(skew) > SKEW_SECONDS:
            text = f"this clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the database's"
            yield warn("skew", text, "keep both set with chrony or systemd-timesyncd")
    finally:
        database.close()


def _stored_keys(settings: Settings, tenants: list[int]) -> Iterator[Finding]:
    """Open every tenant's keysets; a key file that is not theirs is found here."""
    from api.wiring import open_resources
    from keys.errors import KeyProblem
    from keys.keyset import SERVICE

    businesses = [tenant for tenant in tenants if tenant != SERVICE]
    if not businesses:
        yield warn("tenants", "there is none yet", "run `strongroom bootstrap --tenant NAME`")
        return
    if settings.vault_addr is not None and settings.vault_secret_id_wrapped:
        yield warn("keysets", "were not opened: that would use the wrapped secret id up", "see `vault`")
        return
    resources, closed = open_resources(settings), set[int]()
    for tenant in tenants:
        try:
            resources.keyring.keys(tenant)
        except KeyProblem:
            closed.add(tenant)
    worn = _worn(resources, businesses)
    resources.close()
    hint = "put the key file back, or list the Vault, that they were made under; no other opens them"
    if closed - {SERVICE}:
        text = f"those of {len(closed - {SERVICE})} of {len(businesses)} tenants do not open"
        yield fail("keysets", text, hint)
    else:
        yield ok("keysets", f"those of {len(businesses)} tenants open")
    if SERVICE in closed:
        yield fail("backup keys", "the service's own, which sign backups, do not open", hint)
    for (purpose, condition), names in worn.items():
        text = f"{_WORN[condition]}: {', '.join(names)}"
        yield warn(f"{purpose} key", text, f"run `strongroom keys rotate {purpose}` with an API key of each")


def _worn(resources: Resources, tenants: list[int]) -> dict[tuple[str, str], list[str]]:
    """Return the tenants whose keysets should be turned, or should have been, by purpose and condition."""
    from vault.columns import Actor
    from vault.service import Vault
    from vault.store import inspection

    names, vault = inspection.tenant_names(resources.database), Vault(resources)
    found: dict[tuple[str, str], list[str]] = {}
    for tenant in tenants:
        for keyset in vault.keysets(Actor(tenant, "live", "doctor", "doctor", kind="local")):
            for version in keyset.versions:
                if version.condition != "ok":
                    found.setdefault((keyset.purpose, version.condition), []).append(names[tenant])
    return found


def _disk(settings: Settings) -> Iterator[Finding]:
    file = surroundings.database_file(settings)
    if file is None:
        return
    folder = file.parent if file.parent.exists() else Path.cwd()
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB free in {folder}"
    if free < NO_SPACE:
        yield fail("disk", text, "make room: SQLite needs some to commit at all")
    elif free < LITTLE_SPACE:
        yield warn("disk", text, "make room before it runs out")
    else:
        yield ok("disk", text)
    if file.exists() and file.stat().st_mode & 0o077:
        yield warn("file mode", f"{file} can be read by other users", f"chmod 600 {file}")
    if file.exists() and file.stat().st_mtime > time.time() + SKEW_SECONDS:
        yield warn("clock", f"{file} was written in the future", "the clock has gone back: set it")


def _tls(settings: Settings) -> Iterator[Finding]:
    from api.cli import certificate

    surroundings.check_address(settings)
    if settings.tls_certificate is None or settings.tls_key is None:
        yield ok("tls", f"none, and {settings.host} is loopback")
        return
    ends = certificate.end(settings.tls_certificate, settings.tls_key)
    left, day = ends - time.time(), time.strftime("%Y-%m-%d", time.gmtime(ends))
    if left < SOON_SECONDS:
        yield warn("tls", f"the certificate ends on {day}", "renew it")
    else:
        yield ok("tls", f"certificate and key fit, until {day}")
    if settings.tls_key.stat().st_mode & 0o077:
        yield warn(
            "tls key", f"{settings.tls_key} can be read by other users", f"chmod 600 {settings.tls_key}"
        )


def _port(settings: Settings) -> Iterator[Finding]:
    from api.cli import unixsocket

    at = surroundings.url(settings)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    there = (
        listens(settings.host, settings.port)
        if settings.socket is None
        else unixsocket.listens(settings.socket)
    )
    if not there:
        yield ok("port", f"{at} is free: the service does not run")
        return
    status = _readyz(settings, host)
    if status == 200:
        yield ok("port", f"the service at {at} is ready")
    elif status == 503:
        yield fail("port", f"the service at {at} runs and is not ready", f"see {at}/readyz")
    else:
        yield fail(
            "port", f"something else listens at {at}", "end it, or choose another with STRONGROOM_PORT"
        )


def _readyz(settings: Settings, host: str) -> int | None:
    """Return the status of /readyz; None from what is no strongroom."""
    import http.client

    from api.cli import unixsocket

    if settings.socket is not None:
        return unixsocket.status(settings.socket, "/readyz")
    connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    if settings.tls_certificate is not None:
        context = ssl._create_unverified_context()  # noqa: S323 - our own port
        connection = http.client.HTTPSConnection(host, settings.port, timeout=5, context=context)
    try:
        connection.request("GET", "/readyz")
        reply = connection.getresponse()
        return reply.status if reply.getheader("X-Request-Id") else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


CHECKS: tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...] = (
    ("key file", _key_file),
    ("vault", vault_root),
    ("disk", _disk),
    ("database", _database),
    ("hashing", hashing),
    ("sinks", sinks),
    ("backups", targets),
    ("callers", callers),
    ("tls", _tls),
    ("port", _port),
)
