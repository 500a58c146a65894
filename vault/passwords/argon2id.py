"""Argon2id (RFC 9106): hashes made, verified and read; the one home of argon2-cffi."""

from __future__ import annotations

import os
from dataclasses import replace
from hmac import compare_digest
from typing import Any

from argon2.low_level import Type, core, error_to_str, ffi, lib  # type: ignore[attr-defined]

from vault.errors import HashingUnavailable, HashTooCostly
from vault.passwords.arena import Arena
from vault.passwords.argon2text import VERSION, Encoded, parse
from vault.passwords.profiles import MOST_LANES, MOST_MEMORY, MOST_PASSES, SALT_BYTES, TAG_BYTES, Profile
from vault.passwords.verifier import ARGON2ID, Verifier

MOST_WORK = 4_194_304  # kibibytes times passes: libsodium's SENSITIVE, the costliest in common use; some 4 s

SCHEMES = {ARGON2ID: Type.ID, "argon2i": Type.I, "argon2d": Type.D}


def hash_password(password: bytes, profile: Profile, arena: Arena | None = None) -> str:
    """Return the encoded Argon2id hash of a password under a new random salt.

    Args:
        password: 0 to 2**32 - 1 bytes.
        arena: holds the memory; without, it comes from malloc, and goes.
    Raises:
        HashingUnavailable: there is no memory.
    """
    return hash_one(password, profile, os.urandom(SALT_BYTES), arena)


def hash_one(password: bytes, profile: Profile, salt: bytes, arena: Arena | None = None) -> str:
    """Return the encoded hash under a given salt of 16 bytes, with a tag of 32; see hash_password."""
    like = _like(profile, salt)
    return replace(like, tag=tag(like, password, arena=arena)).text


def verify_one(password: bytes, encoded: str, arena: Arena | None = None) -> bool:
    """Return whether the hash is the password's; UnreadableHash if it is none.

    Its cost is not looked at: what comes from outside went through `read`.
    """
    like = parse(encoded)
    return compare_digest(tag(like, password, arena=arena), like.tag)


def tag(
    like: Encoded,
    password: bytes,
    *,
    secret: bytes = b"",
    associated: bytes = b"",
    arena: Arena | None = None,
) -> bytes:
    """Return the tag of a password under the scheme, version, parameters, salt and tag length of `like`.

    One thread fills the lanes in turn, so the processors are shared out by who calls this; the result is the same
    (RFC 9106, section 3.2). Other threads run meanwhile. Argon2 wipes its memory and the copy of the password.

    Args:
        secret, associated: the optional inputs K and X (section 3.1), which no hash here has.
    """
    out = ffi.new("uint8_t[]", len(like.tag))
    inputs = {"out": out, "pwd": password, "salt": like.salt, "secret": secret, "ad": associated}
    context, kept = _context(like, inputs)
    if arena is not None and arena.place:
        arena.fit(like.memory)
        context.allocate_cbk = ffi.cast("int (*)(uint8_t **, size_t)", arena.place)
        context.free_cbk = ffi.cast("void (*)(uint8_t *, size_t)", arena.leave)
    code = core(context, SCHEMES[like.scheme].value)
    del kept
    if code == lib.ARGON2_MEMORY_ALLOCATION_ERROR:
        raise HashingUnavailable("there is no memory left for a hash")
    if code != lib.ARGON2_OK:
        raise ValueError(error_to_str(code))
    return bytes(ffi.buffer(out))


def _context(like: Encoded, inputs: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Return what Argon2 is told, and the buffers that it points to."""
    buffers = {name: one if name == "out" else ffi.new("uint8_t[]", one) for name, one in inputs.items()}
    context = ffi.new("argon2_context *", {
        "t_cost": like.passes, "m_cost": like.memory, "lanes": like.lanes, "threads": 1, "version": like.version,
        "flags": lib.ARGON2_FLAG_CLEAR_PASSWORD, **buffers,
        **{f"{name}len": len(one) for name, one in inputs.items()},
    })  # fmt: skip
    return context, list(buffers.values())


def read(text: str) -> Verifier:
    """Return the verifier of an Argon2 hash that another system kept, its text in the canonical form.

    Raises:
        UnreadableHash: it is cut off or altered, or has a secret key.
        HashTooCostly: more than 2 GiB, 64 passes, 16 lanes, or 4 GiB in one pass, are more than one log-in may cost.
    """
    found = parse(text)
    if found.memory > MOST_MEMORY or found.passes > MOST_PASSES or found.lanes > MOST_LANES:
        raise HashTooCostly("an Argon2 hash may take 2 GiB, 64 passes and 16 lanes at most")
    if found.memory * found.passes > MOST_WORK:
        raise HashTooCostly("the memory of an Argon2 hash times its passes may be 4 GiB at most")
    return Verifier(found.scheme, found.text)


def parameters(encoded: str) -> tuple[int, int, int, int]:
    """Return memory (kibibytes), passes, lanes and salt length (bytes) of an encoded hash."""
    found = parse(encoded)
    return found.memory, found.passes, found.lanes, len(found.salt)


def memory(encoded: str) -> int:
    """Return the kibibytes that verifying takes."""
    return parse(encoded).memory


def behind(verifier: Verifier, profile: Profile) -> bool:
    """Return whether a hash made now under `profile` would be of another kind, cost, salt length or tag length."""
    if verifier.scheme != ARGON2ID:
        return True
    found = parse(verifier.encoded)
    sizes = len(found.salt), len(found.tag)
    return sizes != (SALT_BYTES, TAG_BYTES) or replace(_like(profile, found.salt), tag=found.tag) != found


def _like(profile: Profile, salt: bytes) -> Encoded:
    """Return the parts of a hash made now, but for its tag."""
    return Encoded(ARGON2ID, VERSION, profile.memory, profile.passes, profile.lanes, salt, bytes(TAG_BYTES))
