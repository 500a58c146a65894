"""How much one request may carry, checked a column at a time; what is too much has its own error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from ipaddress import IPv4Address, IPv6Address, ip_address

import msgspec

from api.errors import TooManyValues
from api.schema import asks
from vault.columns import MAX_ITEMS, MAX_METADATA_BYTES
from vault.credentials import NOWHERE, Origin
from vault.errors import InvalidRequest

MAX_SUBJECT = 128  # characters
MAX_IDEMPOTENCY_KEY = 255  # characters


def count(column: Sized, pointer: str, most: int = MAX_ITEMS) -> None:
    """Raise TooManyValues if `column` is longer than `most`."""
    if len(column) > most:
        raise TooManyValues(f"at most {most:,} a request", pointer)


def same_length(column: Sized, beside: Sized, pointer: str) -> None:
    """Raise InvalidRequest unless two columns that belong together are equally long."""
    if len(column) != len(beside):
        raise InvalidRequest("must be as long as values", pointer)


def subjects(column: Sequence[str | None], pointer: str) -> None:
    """Raise InvalidRequest unless every subject is None or 1 to 128 printable characters."""
    for index, subject in enumerate(column):
        if subject is not None and not (0 < len(subject) <= MAX_SUBJECT and subject.isprintable()):
            raise InvalidRequest(
                f"a subject is 1 to {MAX_SUBJECT} printable characters", pointer.format(index)
            )


def metadata(column: Sequence[Mapping[str, str] | None], pointer: str) -> list[bytes | None]:
    """Return each metadata as JSON; raise InvalidRequest if one is longer than 4,096 bytes."""
    encoded = [None if one is None else msgspec.json.encode(one) for one in column]
    for index, text in enumerate(encoded):
        if text is not None and len(text) > MAX_METADATA_BYTES:
            raise InvalidRequest(
                f"metadata is at most {MAX_METADATA_BYTES:,} bytes as JSON", pointer.format(index)
            )
    return encoded


def origin(ask: asks.Origin | None) -> Origin:
    """Return where a log-in comes from; raise InvalidRequest if a part of it is none."""
    if ask is None:
        return NOWHERE
    address: IPv4Address | IPv6Address | None = None
    if ask.ip is not None:
        try:
            address = ip_address(ask.ip)
        except ValueError:
            raise InvalidRequest("is no IPv4 or IPv6 address", "/origin/ip") from None
        if isinstance(address, IPv6Address):
            if address.scope_id is not None:
                raise InvalidRequest("is an address with a zone of one machine", "/origin/ip")
            address = address.ipv4_mapped or address
    for name, text in (("device", ask.device), ("agent", ask.agent)):
        if text is not None and not text.isprintable():
            raise InvalidRequest("has characters that cannot be printed", f"/origin/{name}")
    if (ask.latitude is None) != (ask.longitude is None):
        raise InvalidRequest("has latitude or longitude without the other", "/origin")
    return Origin(
        None if address is None else str(address), ask.device, ask.agent, ask.latitude, ask.longitude
    )


def idempotency_key(text: str) -> str:
    """Return an Idempotency-Key; raise InvalidRequest unless it is 1 to 255 printable ASCII characters."""
    if not (0 < len(text) <= MAX_IDEMPOTENCY_KEY and text.isascii() and text.isprintable()):
        raise InvalidRequest(f"Idempotency-Key is 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters")
    return text
