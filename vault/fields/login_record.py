"""Record of one log-in, which the service itself writes: a JSON object with sorted members and no spaces.

>>> record(result="ok", ip="2001:DB8:1::7", device="7f00-9a3c41d8", latitude=39.9042, longitude=116.4074)
'{"device":"7f00-9a3c41d8","ip":"2001:db8:1::7","latitude":39.9,"longitude":116.41,"result":"ok"}'
>>> mask(record(result="refused", ip="203.0.113.77", device="7f00-9a3c41d8", latitude=39.9042, longitude=116.4074))
'{"device":"*********41d8","ip":"203.0.113.*","latitude":40,"longitude":116,"result":"refused"}'

| member | is |
|---|---|
| `result` | "ok" or "refused" |
| `ip` | IPv4 or IPv6 address as Python's ipaddress writes it; an IPv4 address mapped into IPv6 is that IPv4 address |
| `device` | the caller's id of the device, 1 to 128 printable characters |
| `agent` | the client as it calls itself, 1 to 256 printable characters |
| `latitude`, `longitude` | both or neither, degrees, two decimals: about a kilometre |
| `new_device`, `impossible_travel` | what was noticed, true or false |
| `login` | token of the name that was given |

`result` is always there, the others may be missing. Where somebody was, and with what, is personal: it is
sealed like any other value, and not looked up by value.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Literal

from vault.errors import InvalidValue
from vault.fields import track
from vault.fields.characters import refuse
from vault.fields.masking import nothing, stars
from vault.fields.protocol import Check, Classification
from vault.fields.shapes import unshapable

name = "login_record"
sample = '{"result": "ok", "ip": "203.0.113.77", "device": "7f00-9a3c41d8"}'  # an address of RFC 5737
classification: Classification = "C2"
lookup = False
max_length = 1280
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = nothing
reserved: str | None = None
shape = unshapable

Member = str | float | bool
DEVICE, AGENT, DECIMALS = 128, 256, 2

_unfit = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]").search
_token = re.compile("[!-~]{1,64}").fullmatch


def record(
    *,
    result: Literal["ok", "refused"],
    ip: str | None = None,
    device: str | None = None,
    agent: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    new_device: bool | None = None,
    impossible_travel: bool | None = None,
    login: str | None = None,
) -> str:
    """Return the canonical record of one log-in, None leaving a member out; raise InvalidValue if one is wrong."""
    members = {
        "result": result, "ip": ip, "device": device, "agent": agent, "latitude": latitude, "longitude": longitude,
        "new_device": new_device, "impossible_travel": impossible_travel, "login": login,
    }  # fmt: skip
    return _written({member: value for member, value in members.items() if value is not None})


def normalize(value: str) -> str:
    """Return the record in its canonical form; raise InvalidValue if the text is none."""
    if len(value) > 4 * max_length:
        raise InvalidValue(name, "is too long")
    if _unfit(value):
        raise InvalidValue(name, "has control characters or half a character")
    members = _read(value)
    if not isinstance(members, dict):
        raise InvalidValue(name, "is no JSON object with each member once")
    return _written(members)


def mask(canonical: str) -> str:
    """Show the network of the address (IPv4 /24, IPv6 /48), whole degrees, of the device at most the last 4."""
    members = json.loads(canonical).items()
    return _compact({member: _MASKS.get(member, _shown)(value) for member, value in members})


def _written(members: Mapping[str, object]) -> str:
    if not members.keys() <= _MEMBERS.keys():
        raise InvalidValue(name, "has a member that no record has")
    if "result" not in members:
        raise InvalidValue(name, "lacks its result")
    if ("latitude" in members) != ("longitude" in members):
        raise InvalidValue(name, "has half a place")
    checked = {member: _MEMBERS[member](value) for member, value in members.items()}
    if (wrong := next((member for member, value in checked.items() if value is None), None)) is not None:
        raise InvalidValue(name, f"has a wrong {wrong}")
    return _compact(checked)


def _compact(members: Mapping[str, Member | None]) -> str:
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _read(text: str) -> object:
    """Return what the JSON text says, None if it is none or if an object has a member twice."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object] | None:
    members = dict(pairs)
    return members if len(members) == len(pairs) else None


def _result(value: object) -> str | None:
    return value if isinstance(value, str) and value in {"ok", "refused"} else None


def _address(value: object) -> str | None:
    if not isinstance(value, str) or "%" in value:  # behind it comes the name of this machine's interface
        return None
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def _device(value: object) -> str | None:
    """Return the id; ids in hex may look like what chips give (digits, a D, digits), so that form is not asked for."""
    device = _printable(value, DEVICE)
    track.refuse(name, re.sub("[Dd]", "", device or ""))
    return device


def _agent(value: object) -> str | None:
    agent = _printable(value, AGENT)
    refuse(name, agent or "")
    return agent


def _printable(value: object, limit: int) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= limit and value.isprintable() else None


def _login(value: object) -> str | None:
    return value if isinstance(value, str) and _token(value) else None


def _degrees(value: object, limit: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
        return None
    return round(float(value), DECIMALS) + 0.0  # of -0.0 too


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _network(address: str) -> str:
    if "." in address:
        return address.rpartition(".")[0] + ".*"
    groups = ipaddress.IPv6Address(address).exploded.split(":")[:3]
    return ":".join(f"{int(group, 16):x}" for group in groups) + ":*"


def _shown(value: Member) -> Member:
    return value


_MEMBERS: Mapping[str, Callable[[object], Member | None]] = {
    "result": _result,
    "ip": _address,
    "device": _device,
    "agent": _agent,
    "latitude": lambda value: _degrees(value, 90),
    "longitude": lambda value: _degrees(value, 180),
    "new_device": _flag,
    "impossible_travel": _flag,
    "login": _login,
}
_MASKS: Mapping[str, Callable[..., Member]] = {
    "ip": _network,
    "device": lambda device: stars(device, 0, 4, 4),
    "agent": lambda agent: "*" * 8,
    "latitude": round,
    "longitude": round,
}
