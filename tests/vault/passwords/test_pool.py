"""The pool hashes and verifies what every kind of verifier holds, and keeps to its ceiling."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from types import ModuleType

import pytest

import vault.passwords
from vault.errors import HashingUnavailable, HashTooCostly, UnreadableHash
from vault.passwords import argon2id
from vault.passwords import legacy as real
from vault.passwords.arena import Arena
from vault.passwords.hasher import Judgement, Load
from vault.passwords.pool import Pool
from vault.passwords.profiles import Profile
from vault.passwords.verifier import Verifier

SMALL = Profile("small", 64, 2, 2)
CEILING = 10_000
# printf 'correct horse' | argon2 somesalt -t 2 -k 64 -p 2 -l 16 -e, with -i -v 10 and -d
ARGON2I = "$argon2i$v=16$m=64,t=2,p=2$c29tZXNhbHQ$us99o+UcVjySLYRn2T0JXA"
ARGON2D = "$argon2d$v=19$m=64,t=2,p=2$c29tZXNhbHQ$Vn0YVAxZaZ8qOlaq+3/n2Q"


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(CEILING, 60)
    yield made
    made.close()


def digest(scheme: str, setting: str, password: bytes) -> str:
    """Hash as `$sha$salt$digest`, given that or `$sha$salt$`; the scheme is in it, so that it must be right."""
    salt = setting.split("$")[2]
    return f"$sha${salt}${sha256(scheme.encode() + salt.encode() + password).hexdigest()}"


@pytest.fixture
def legacy(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("vault.passwords.legacy")
    module.digest = digest  # type: ignore[attr-defined]
    module.memory = lambda _, setting: int(setting.split("$")[2])  # type: ignore[attr-defined]
    use(monkeypatch, "legacy", module)


def use(monkeypatch: pytest.MonkeyPatch, name: str, module: ModuleType) -> None:
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(vault.passwords, name, module, raising=False)


def test_hashes_come_in_the_order_of_their_passwords(pool: Pool) -> None:
    passwords = [b"one", b"two", b"", b"three"]
    hashes = pool.hash(passwords, SMALL)
    assert all(argon2id.parameters(one) == (64, 2, 2, 16) for one in hashes)
    verifiers = [Verifier("argon2id", one) for one in hashes]
    assert pool.verify(passwords, verifiers) == [True] * 4
    assert pool.verify(passwords[::-1], verifiers) == [False] * 4
    assert pool.hash(passwords, SMALL, urgent=False) != hashes
    assert pool.hash([], SMALL) == []


def test_the_other_kinds_of_argon2_are_verified(pool: Pool) -> None:
    verifiers = [Verifier("argon2i", ARGON2I), Verifier("argon2d", ARGON2D)]
    assert pool.verify([b"correct horse"] * 2, verifiers) == [True, True]
    assert pool.verify([b"correct horst"] * 2, verifiers) == [False, False]


@pytest.mark.usefixtures("legacy")
def test_a_legacy_hash_is_verified_by_its_own_scheme(pool: Pool) -> None:
    verifier = Verifier("sha", digest("sha", "$sha$8$", b"pass"))
    assert pool.verify([b"pass", b"past"], [verifier] * 2) == [True, False]
    assert pool.verify([b"pass"], [Verifier("other", verifier.encoded)]) == [False]


@pytest.mark.usefixtures("legacy")
def test_argon2id_over_a_legacy_hash_is_verified(pool: Pool) -> None:
    inner = digest("sha", "$sha$8$", b"pass").encode()
    verifier = Verifier("argon2id+sha", pool.hash([inner], SMALL)[0], "$sha$8$")
    assert pool.verify([b"pass", b"past", inner], [verifier] * 3) == [True, False, False]


def test_every_real_scheme_goes_through_the_pool(pool: Pool) -> None:
    """The password is `password`; the first hash is that of crypt(3), made by `openssl passwd -5 -salt saltstring`."""
    for text, layout in (
        ("$5$saltstring$OH4IDuTlsuTYPdED1gsuiRMyTAwNlRWyA6Xr3I4/dQ5", None),
        (sha256(b"password").hexdigest(), "sha256(password)"),
    ):
        kept = real.read(text, None, layout)
        over = pool.hash([kept.encoded.encode()], SMALL)[0]
        wrapped = Verifier("argon2id+" + kept.scheme, over, real.setting(kept.scheme, kept.encoded))
        for verifier in (kept, wrapped):
            assert pool.verify([b"password", b"Password"], [verifier] * 2) == [True, False]


def test_what_needs_more_than_the_ceiling_is_too_costly(pool: Pool) -> None:
    large = Profile("large", CEILING + 1, 1, 1)
    with pytest.raises(HashTooCostly):
        pool.hash([b"pass"], large)
    with pytest.raises(HashTooCostly):
        pool.verify([b"pass"], [Verifier("argon2id", argon2id.hash_one(b"pass", large, bytes(16)))])


@pytest.mark.usefixtures("legacy")
def test_the_memory_of_a_legacy_hash_counts(pool: Pool) -> None:
    costly = f"$sha${CEILING + 1}$"
    encoded = pool.hash([b"pass"], SMALL)[0]
    for verifier in (Verifier("sha", costly), Verifier("argon2id+sha", encoded, costly)):
        with pytest.raises(HashTooCostly):
            pool.verify([b"pass"], [verifier])


def test_kept_memory_makes_room_for_a_legacy_hash_under_argon2(
    pool: Pool, legacy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    others = {id(one) for one in gc.get_objects() if isinstance(one, Arena)}  # of pools of other tests
    verifier = Verifier("argon2id+sha", argon2id.hash_one(b"pass", SMALL, bytes(16)), f"$sha${CEILING}$")

    def before(scheme: str, setting: str, password: bytes) -> str:
        arenas = (one for one in gc.get_objects() if isinstance(one, Arena))
        kept.extend(one.kept for one in arenas if id(one) not in others)
        return digest(scheme, setting, password)

    monkeypatch.setattr(sys.modules["vault.passwords.legacy"], "digest", before)
    pool.hash([b"pass"], Profile("large", CEILING, 1, 1))
    assert pool.verify([b"pass"], [verifier]) == [False]
    assert kept
    assert sum(kept) == 0


def test_an_unreadable_hash_is_told_of(pool: Pool) -> None:
    with pytest.raises(UnreadableHash):
        pool.verify([b"pass"], [Verifier("argon2id", "$argon2id$")])


def test_passwords_are_judged_beside_the_caller(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    module, asked = ModuleType("vault.passwords.judging"), []

    def judge(password: str) -> Judgement:
        asked.append(threading.current_thread())
        return Judgement(password == "password", len(password), "")

    module.judge = judge  # type: ignore[attr-defined]
    use(monkeypatch, "judging", module)
    assert pool.judge(["password", "ßö"]) == [Judgement(True, 8, ""), Judgement(False, 2, "")]
    assert threading.current_thread() not in asked


def test_it_says_how_busy_it_is(pool: Pool) -> None:
    assert pool.load() == Load(0, 0, 0, CEILING)


ASKS: dict[str, Callable[[Pool], object]] = {
    "hash": lambda pool: pool.hash([b"pass"], SMALL),
    "verify": lambda pool: pool.verify([b"pass"], [Verifier("argon2i", ARGON2I)]),
    "judge": lambda pool: pool.judge(["pass"]),
}


@pytest.mark.parametrize("name", ASKS)
def test_a_closed_pool_refuses(pool: Pool, name: str) -> None:
    pool.close()
    with pytest.raises(HashingUnavailable):
        ASKS[name](pool)
