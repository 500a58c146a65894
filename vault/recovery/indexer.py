"""The process beside a restore that opens values and works out their index; it ends with its input.

Both ways go frames: 8 bytes of length, big-endian, then as many of MessagePack. The keys come first, by the pipe alone.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any, BinaryIO

import msgspec

from keys.keyset import Purpose, State
from keys.openkeys import OpenKey, TenantKeys
from keys.secret import Secret
from vault.recovery.reindexing import Indexed, Persons, Reindexer
from vault.store.streams import Row
from vault.store.subjects import Wrapped

_Version = tuple[str, int, str, bytes]  # purpose, id, state, key
_keys = msgspec.msgpack.Decoder(list[tuple[int, list[_Version]]])
_work = msgspec.msgpack.Decoder(tuple[list[tuple[Any, ...]], list[tuple[int, bytes, Wrapped]]])
_done = msgspec.msgpack.Decoder(tuple[list[tuple[Any, ...]], dict[str, int]])


def send_keys(to: BinaryIO, keys: Mapping[int, TenantKeys]) -> None:
    """Send all keys that open anything; OSError if nobody reads."""
    _send(to, [
        (tenant, [
            (purpose.value, key.id, key.state.value, key.secret.expose())
            for purpose, versions in held.versions.items() for key in versions.values()
        ])
        for tenant, held in keys.items()
    ])  # fmt: skip


def ask(to: BinaryIO, back: BinaryIO, rows: list[Row], persons: Persons) -> Indexed:
    """Have rows worked on as `Reindexer.work` does; OSError if the process is no more."""
    _send(to, (rows, [(*place, wrapped) for place, wrapped in persons.items()]))
    answer = _received(back)
    if answer is None:
        raise BrokenPipeError
    done, unreadable = _done.decode(answer)
    return Indexed([*done], Counter(unreadable))


def serve(asked: BinaryIO, answered: BinaryIO) -> None:
    """Take the keys, then answer until there is nothing more."""
    first = _received(asked)
    if first is None:
        return
    reindexer = Reindexer({tenant: _opened(tenant, versions) for tenant, versions in _keys.decode(first)})
    while (frame := _received(asked)) is not None:
        rows, persons = _work.decode(frame)
        done = reindexer.work(rows, {(tenant, subject): wrapped for tenant, subject, wrapped in persons})
        _send(answered, (done.rows, done.unreadable))


def _opened(tenant: int, versions: list[_Version]) -> TenantKeys:
    opened: dict[Purpose, dict[int, OpenKey]] = {}
    for purpose, key_id, state, key in versions:
        opened.setdefault(Purpose(purpose), {})[key_id] = OpenKey(key_id, Secret(key), State(state))
    return TenantKeys(tenant, 0, opened, float("inf"))


def _send(to: BinaryIO, content: object) -> None:
    frame = msgspec.msgpack.encode(content)
    to.write(len(frame).to_bytes(8, "big"))
    to.write(frame)
    to.flush()


def _received(back: BinaryIO) -> bytes | None:
    """Return the next frame; None at the end, even in the middle of one."""
    head = back.read(8)
    frame = back.read(int.from_bytes(head, "big")) if len(head) == 8 else b""
    return frame if len(head) == 8 and len(frame) == int.from_bytes(head, "big") else None


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
