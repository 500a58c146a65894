"""A chunk as it lies at a target: rows, compressed with zstd (RFC 8878), sealed in the age format (C2SP age)."""

from __future__ import annotations

from collections.abc import Sequence

from backports import zstd

from keys.secret import Secret
from vault.backup import age
from vault.backup.age import NoIdentity, NotOpened

LEVEL = 1  # sealed values do not compress, and what does hardly gains from more
LARGEST = 64 * 1_024 * 1_024  # bytes of a chunk's rows that a reader takes; a writer ends chunks at an eighth

__all__ = ["LARGEST", "LEVEL", "NoIdentity", "NotOpened", "opened", "seal"]


def seal(rows: bytes, recipients: Sequence[str]) -> bytes:
    """Return what a target stores, for age X25519 recipients, `age1…`.

    ValueError if one is none, or `rows` has more than LARGEST bytes.
    """
    if len(rows) > LARGEST:
        raise ValueError(f"a chunk has at most {LARGEST} bytes of rows")
    return age.sealed(zstd.compress(rows, LEVEL), recipients)


def opened(stored: bytes, identities: Sequence[Secret]) -> bytes:
    """Return the rows of a stored chunk; NoIdentity, NotOpened. `identities` are of 32 bytes each."""
    packed = age.opened(stored, identities)
    try:
        # what the frame says of its size is known before any memory is taken, and holds (RFC 8878, section 3.1.1.1.4)
        size = zstd.get_frame_info(packed).decompressed_size
        if size is None or size > LARGEST:
            raise NotOpened("its zstd frame is too long, or does not say how long it is")
        reader = zstd.ZstdDecompressor()
        rows = reader.decompress(packed, size)
    except zstd.ZstdError:
        raise NotOpened("it holds no zstd frame") from None
    if not reader.eof or reader.unused_data:
        raise NotOpened("its zstd frame is cut, too long, or followed by something")
    return rows
