"""Argon2id gives the published tags, frees the interpreter, wipes its memory, and reads what others wrote."""

from __future__ import annotations

import sys
from threading import Event, Thread
from typing import Any

import pytest
from argon2.low_level import Type, hash_secret

from vault.errors import HashTooCostly, UnreadableHash
from vault.passwords import argon2id
from vault.passwords.arena import Arena
from vault.passwords.argon2text import Encoded
from vault.passwords.profiles import PROFILES, Profile
from vault.passwords.verifier import Verifier

PYCA, RFC = "pyca/argon2id.txt", "rfc/argon2id_rfc9106.json"
SMALL = Profile("small", 64, 2, 2)
SALT = bytes(range(16))

# printf 'correct horse' | argon2 somesalt -i -v 10 -t 2 -k 64 -p 2 -l 16 -e; then -i, -d and -id with -v 13, -id -v 10
REFERENCE = [
    "$argon2i$v=16$m=64,t=2,p=2$c29tZXNhbHQ$us99o+UcVjySLYRn2T0JXA",
    "$argon2i$v=19$m=64,t=2,p=2$c29tZXNhbHQ$20zmGxcFWB8ON8Zj/tMiQg",
    "$argon2d$v=19$m=64,t=2,p=2$c29tZXNhbHQ$Vn0YVAxZaZ8qOlaq+3/n2Q",
    "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHQ$H3SSKeOSMucVlBFKCMKEpA",
    "$argon2id$v=16$m=64,t=2,p=2$c29tZXNhbHQ$2nUKM3TJJ+zmUeliVu0Apw",
]


def like(memory: int, passes: int, lanes: int, salt: str, size: int) -> Encoded:
    return Encoded("argon2id", 19, memory, passes, lanes, bytes.fromhex(salt), bytes(size))


@pytest.mark.vectors(PYCA)
@pytest.mark.parametrize("arena", [None, Arena()], ids=["malloc", "arena"])
def test_the_published_tag(case: dict[str, str], arena: Arena | None) -> None:
    memory, passes, lanes, size = (int(case[key]) for key in ("memcost", "iter", "lanes", "length"))
    password, secret, associated = (bytes.fromhex(case.get(key, "")) for key in ("pass", "secret", "ad"))
    parts = like(memory, passes, lanes, case["salt"], size)
    found = argon2id.tag(parts, password, secret=secret, associated=associated, arena=arena)
    assert found.hex() == case["output"]


def test_the_tag_of_rfc_9106(vectors: Any) -> None:
    case = vectors(RFC)
    parts = like(case["memoryKiB"], case["passes"], case["parallelism"], case["salt"], case["tagLength"])
    password, secret, associated = (
        bytes.fromhex(case[key]) for key in ("password", "secret", "associatedData")
    )
    assert argon2id.tag(parts, password, secret=secret, associated=associated).hex() == case["tag"]


def test_no_case_was_lost(vectors: Any) -> None:
    assert len(vectors(PYCA)) == 6


@pytest.mark.parametrize("name", ["rfc9106-low-memory", "owasp", "owasp-7"])
def test_a_hash_is_what_argon2_cffi_makes_of_it(name: str) -> None:
    profile = PROFILES[name]
    theirs = hash_secret(b"pass", SALT, profile.passes, profile.memory, profile.lanes, 32, Type.ID).decode()
    assert argon2id.hash_one(b"pass", profile, SALT, Arena()) == theirs
    assert argon2id.hash_one(b"pass", profile, SALT) == theirs


def test_each_hash_has_a_salt_of_its_own() -> None:
    first, second = (argon2id.hash_password(b"pass", SMALL) for _ in range(2))
    assert first != second
    assert argon2id.parameters(first) == (64, 2, 2, 16)
    assert argon2id.memory(first) == 64


@pytest.mark.parametrize("text", REFERENCE)
def test_what_the_reference_command_wrote_is_read_and_verified(text: str) -> None:
    verifier = argon2id.read(text)
    assert verifier == Verifier(text.split("$")[1], text)
    assert argon2id.verify_one(b"correct horse", text)
    assert not argon2id.verify_one(b"correct horse ", text)


def test_a_text_of_the_first_version_does_not_name_it() -> None:
    assert argon2id.read(REFERENCE[0].replace("$v=16", "")).encoded == REFERENCE[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("$argon2id", "argon2id"),
        ("argon2id", "argon2ds"),
        ("argon2id", "ARGON2ID"),
        ("v=19", "v=18"),
        ("m=64", "m=064"),
        ("m=64", "m=15"),  # eight a lane are 16
        ("t=2", "t=0"),
        ("p=2", "p=0"),
        ("m=64,t=2", "t=2,m=64"),
        ("p=2", "p=2,keyid=AAAA"),
        ("m=64", "m=٦٤"),
        ("c29tZXNhbHQ", "c29tZXNhbHQ="),
        ("c29tZXNhbHQ", "c29tZXNhbHR"),  # a stray bit behind the last byte
        ("c29tZXNhbHQ", "c29tZXNhbA"),  # seven bytes
        ("c29tZXNhbHQ", "c29tZXNhbHQAA"),  # no number of bytes
        ("c29tZXNhbHQ", "c29t_XNhbHQ"),
        ("c29tZXNhbHQ", "A" * 87),
        ("H3SSKeOSMucVlBFKCMKEpA", "H3SSKeOSMucVlBFK$H3SS"),
        ("H3SSKeOSMucVlBFKCMKEpA", "H3SSKeOSMucVlBE"),  # eleven bytes
        ("H3SSKeOSMucVlBFKCMKEpA", "A" * 87),  # 65 bytes are 87 characters
        ("H3SSKeOSMucVlBFKCMKEpA", ""),
        ("KEpA", "KEpA\n"),
        ("KEpA", "KEpA "),
    ],
)
def test_what_nobody_writes_is_refused(old: str, new: str) -> None:
    text = REFERENCE[3].replace(old, new)
    assert text != REFERENCE[3]
    with pytest.raises(UnreadableHash) as raised:
        argon2id.read(text)
    assert "c29tZX" not in str(raised.value)


@pytest.mark.parametrize("size", range(len(REFERENCE[3]) - 8))
def test_a_text_that_is_cut_off_is_refused(size: int) -> None:
    with pytest.raises(UnreadableHash):
        argon2id.read(REFERENCE[3][:size])


@pytest.mark.parametrize(
    ("parameters", "costly"),
    [
        ("m=2097152,t=2,p=16", False),
        ("m=2097153,t=1,p=1", True),
        ("m=1048576,t=4,p=1", False),  # libsodium's SENSITIVE
        ("m=1048577,t=4,p=1", True),
        ("m=65536,t=64,p=1", False),
        ("m=512,t=65,p=1", True),
        ("m=4096,t=1,p=17", True),
        ("m=9999999999,t=9999999999,p=999", True),
    ],
)
def test_what_costs_more_than_a_log_in_may_is_refused_untried(parameters: str, costly: bool) -> None:
    text = REFERENCE[3].replace("m=64,t=2,p=2", parameters)
    if costly:
        with pytest.raises(HashTooCostly):
            argon2id.read(text)
    else:
        assert argon2id.read(text).encoded == text


@pytest.mark.parametrize(
    ("old", "new"),
    [("v=19", "v=16"), ("m=64", "m=65"), ("t=2", "t=3"), ("p=2", "p=1"), ("argon2id", "argon2i")],
)
def test_a_hash_of_other_parameters_is_behind(old: str, new: str) -> None:
    text = argon2id.hash_one(b"pass", SMALL, SALT)
    assert not argon2id.behind(Verifier("argon2id", text), SMALL)
    assert argon2id.behind(Verifier("argon2id", text.replace(old, new)), SMALL)


def test_a_hash_with_a_short_salt_or_tag_or_of_another_scheme_is_behind() -> None:
    text = argon2id.hash_one(b"pass", SMALL, SALT)
    short_salt = argon2id.hash_one(b"pass", SMALL, SALT[:8])
    for verifier in (
        Verifier("argon2id", short_salt),
        Verifier("argon2id", text[:-11]),  # 24 bytes of the tag
        Verifier("argon2i", text.replace("argon2id", "argon2i")),
        Verifier("argon2id+md5", text),
        Verifier("md5", "5f4dcc3b5aa765d61d8327deb882cf99"),
    ):
        assert argon2id.behind(verifier, SMALL)


class Telling(Arena):
    """Says when Argon2 has got its memory."""

    def __init__(self) -> None:
        self.placed = Event()
        super().__init__()

    def _place(self, where: Any, size: int) -> int:
        self.placed.set()
        return super()._place(where, size)


def test_other_threads_run_while_one_hashes() -> None:
    """No thread is interrupted here, so another one runs only if the hash has let the interpreter go."""
    arena, done = Telling(), Event()

    def work() -> None:
        argon2id.hash_password(b"pass", Profile("long", 131_072, 8, 1), arena)
        done.set()

    before = sys.getswitchinterval()
    thread = Thread(target=work)
    try:
        sys.setswitchinterval(1000)
        thread.start()
        arena.placed.wait()
        assert not done.is_set()
    finally:
        sys.setswitchinterval(before)
        thread.join()
    assert done.is_set()
