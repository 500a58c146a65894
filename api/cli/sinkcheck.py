"""The check of `doctor` on the places outside that take the audit's records: what the worker says, or a look."""

from __future__ import annotations

from collections.abc import Iterator

from api.cli.findings import Finding, fail, ok, warn
from api.config import Settings
from vault.errors import VaultError
from vault.gatekeeping import is_fresh
from vault.sinks.protocol import Sink, SinkFailed
from vault.store import audithealth
from vault.store.audithealth import OK

SINKS = "STRONGROOM_AUDIT_SINKS"


def sinks(settings: Settings) -> Iterator[Finding]:
    """Tell how every sink is; warn where none holds records, and where nobody is told of alarms."""
    from api.outside import open_hooks, open_sinks

    found, states = open_sinks(settings), _states(settings)
    for sink in found:
        state = states.get(sink.name) or _probed(sink)
        if state == OK:
            yield ok("sink", f"{sink.name} takes records")
        else:
            yield fail("sink", f"{sink.name}: {state}", "mend it, or the service refuses every request")
    if not any(sink.holds_records for sink in found):
        hint = f"set {SINKS}, such as file:/var/log/strongroom/audit.ndjson"
        yield warn("sinks", "nothing outside of the database holds the audit's records", hint)
    if not open_hooks(settings):
        yield warn("alarms", "nobody is told", "set STRONGROOM_ALARM_WEBHOOKS or STRONGROOM_ALARM_MAIL_TO")


def _states(settings: Settings) -> dict[str, str]:
    """Return what a worker that runs says of its sinks: two must not write to one file."""
    from api.wiring import open_database

    database = open_database(settings)
    try:
        with database.read() as connection:
            known, now = audithealth.states(connection), database.now()
    except VaultError:
        return {}
    finally:
        database.close()
    return {one.name: one.state for one in known if is_fresh(one.seen_at, now)}


def _probed(sink: Sink) -> str:
    try:
        sink.probe()
    except SinkFailed as failure:
        return failure.code
    finally:
        sink.close()
    return OK
