"""The quick look at a column of leaves says what decoding each of them says."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.vault.audit.logs import TENANT, record
from vault.audit import leaf
from vault.audit.canon import Canon


def decoded(leaves: list[bytes]) -> list[int]:
    """The slow way."""
    odd = []
    for place, blob in enumerate(leaves):
        try:
            if leaf.decode(blob).tenant != TENANT:
                odd.append(place)
        except ValueError:
            odd.append(place)
    return odd


def test_every_changed_byte_is_seen_as_decoding_sees_it() -> None:
    draw, canon = random.Random(4), Canon(TENANT)
    plain = record(1, draw)
    assert canon.odd([plain]) == []
    changed = [
        plain[:at] + bytes([plain[at] ^ flip]) + plain[at + 1 :]
        for at in range(len(plain))
        for flip in (0x80, 1 << draw.randrange(7))
    ]
    assert canon.odd(changed) == decoded(changed)
    cut = [plain[:at] for at in range(len(plain))] + [plain + b"\0", b""]
    assert canon.odd(cut) == decoded(cut) == list(range(len(cut)))


def test_records_of_every_kind_are_records() -> None:
    draw = random.Random(5)
    kept = leaf.decode(record(1, draw))
    kinds = [
        leaf.encode(kept),
        leaf.encode(kept, leaf.FIRST_FORMAT),
        leaf.encode(replace(kept, actor="oidc:张三", origin="é")),
        leaf.encode(replace(kept, actor="x" * 200)),
        leaf.encode(replace(kept, tokens=b"", whose=b"", persons=b"")),
        leaf.encode(replace(kept, tokens=bytes(16 * 500), whose=bytes(1_000))),
    ]
    canon = Canon(TENANT)
    for _ in range(3):
        assert canon.odd(kinds) == []
    moved = [leaf.encode(replace(leaf.decode(kind), tenant=TENANT + 1), kind[:1]) for kind in kinds]
    assert canon.odd(moved) == list(range(len(kinds)))


def test_shapes_of_one_length_do_not_hide_each_other() -> None:
    draw, canon = random.Random(6), Canon(TENANT)
    kept = leaf.decode(record(1, draw))
    same = [leaf.encode(replace(kept, actor="a" * at, request_id="b" * (40 - at))) for at in range(40)]
    assert canon.odd(same * 2) == []
    fake = bytearray(same[7])
    fake[45 + 3] ^= 1  # the actor is said to be one longer or shorter
    assert canon.odd([bytes(fake), *same]) == decoded([bytes(fake), *same]) == [0]
