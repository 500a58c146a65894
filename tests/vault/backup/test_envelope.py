"""A chunk: what is sealed opens for its recipients alone and to the byte; a bomb takes no memory."""

from __future__ import annotations

import tracemalloc

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import identity
from keys.secret import Secret
from vault.backup import age, envelope

ONE, OTHER = Secret(bytes(range(32))), Secret(bytes(range(1, 33)))
TO = [identity.recipient(ONE)]


@given(st.binary(max_size=5_000))
@settings(max_examples=40, deadline=None)
def test_what_was_sealed_opens(rows: bytes) -> None:
    assert envelope.opened(envelope.seal(rows, TO), [ONE]) == rows


def test_each_of_several_recipients_opens_it_and_nobody_else() -> None:
    stored = envelope.seal(b"rows", [identity.recipient(OTHER), *TO])
    for keys in ([ONE], [OTHER], [Secret.random(), ONE]):
        assert envelope.opened(stored, keys) == b"rows"
    for keys in ([Secret.random()], []):
        with pytest.raises(envelope.NoIdentity):
            envelope.opened(stored, keys)


def test_the_same_rows_are_never_sealed_to_the_same_bytes() -> None:
    assert envelope.seal(b"rows", TO) != envelope.seal(b"rows", TO)


@pytest.mark.parametrize("to", [[], ["age1"], [TO[0], "AGE-SECRET-KEY-1"]])
def test_only_recipients_are_sealed_to(to: list[str]) -> None:
    with pytest.raises(ValueError, match="recipient"):
        envelope.seal(b"rows", to)


def test_a_longer_chunk_than_a_reader_takes_is_not_written() -> None:
    with pytest.raises(ValueError, match="at most"):
        envelope.seal(bytes(envelope.LARGEST + 1), TO)


def bomb(size: int, told: int | None) -> bytes:
    """A frame of zeros: the size that it says, if any, and the size that it has."""
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.content_size_flag: int(told is not None)})
    if told is not None:
        packer.set_pledged_input_size(told)
    return packer.compress(bytes(size), zstd.ZstdCompressor.FLUSH_FRAME)


def pretending(size: int, told: int) -> bytes:
    """A frame of zeros that says another size than it has: 4 bytes behind the magic and the descriptor."""
    frame = bytearray(bomb(size, size))
    at = frame.index(size.to_bytes(4, "little"))
    frame[at : at + 4] = told.to_bytes(4, "little")
    return bytes(frame)


BOMBS = {
    "says its size": bomb(2 * envelope.LARGEST, 2 * envelope.LARGEST),
    "says no size": bomb(2 * envelope.LARGEST, None),
    "says a size that is too small": pretending(2 * envelope.LARGEST, 300_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory(name: str) -> None:
    stored = age.sealed(BOMBS[name], TO)
    tracemalloc.start()
    try:
        with pytest.raises(envelope.NotOpened):
            envelope.opened(stored, [ONE])
        assert tracemalloc.get_traced_memory()[1] < 2 * 1_024 * 1_024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"rows",
        zstd.compress(b"rows")[:-1],
        zstd.compress(b"rows") + b"more",
        zstd.compress(b"rows") * 2,
        pretending(300_000, 300_001),
        pretending(300_000, 299_999),
        b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip" + zstd.compress(b"rows"),  # RFC 8878, section 3.1.2
    ],
    ids=["nothing", "none", "cut", "followed", "two", "says more", "says less", "skippable first"],
)
def test_what_is_not_one_whole_frame_is_refused(packed: bytes) -> None:
    with pytest.raises(envelope.NotOpened):
        envelope.opened(age.sealed(packed, TO), [ONE])


def test_no_bit_of_a_chunk_may_be_another_and_no_byte_missing() -> None:
    stored = envelope.seal(b"rows", TO)
    for at in range(len(stored)):
        altered = stored[:at] + bytes([stored[at] ^ 1 << at % 8]) + stored[at + 1 :]
        for wrong in (altered, stored[:at]):
            with pytest.raises(envelope.NotOpened):
                envelope.opened(wrong, [ONE])
    with pytest.raises(envelope.NotOpened):
        envelope.opened(stored + b"\0", [ONE])


@given(st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_rubbish_is_refused(stored: bytes) -> None:
    for start in (b"", b"age-encryption.org/v1\n", b"age-encryption.org/v1\n-> X25519 "):
        with pytest.raises(envelope.NotOpened):
            envelope.opened(start + stored, [ONE])
