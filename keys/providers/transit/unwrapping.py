"""A response-wrapped secret id: opened once, or only looked at."""

from __future__ import annotations

from keys.errors import RootLoginRefused
from keys.providers.transit.calls import Line, Refused
from keys.providers.transit.deadline import within
from keys.providers.transit.login import unwrap_secret_id
from keys.providers.transit.place import Place
from keys.secret import Secret

SECONDS = 1.5


def open_wrapped(place: Place, wrapping_token: str) -> Secret:
    """Return the secret id; RootLoginRefused if it was opened before, RootUnavailable, RootUntrusted."""
    line = Line(place)
    try:
        with within(SECONDS):
            return unwrap_secret_id(line, wrapping_token)
    finally:
        line.close()


def look_at_wrapped(place: Place, wrapping_token: str) -> None:
    """Raise what `open_wrapped` would, and leave the wrapping token unused."""
    line = Line(place)
    client, refused = line.client(""), False
    try:
        with within(SECONDS):
            line.ask(lambda: client.adapter.post("/v1/sys/wrapping/lookup", json={"token": wrapping_token}))
    except Refused:
        refused = True
    finally:
        line.close()
    if refused:
        raise RootLoginRefused("the wrapped secret id has ended or was unwrapped before: wrap a new one")
