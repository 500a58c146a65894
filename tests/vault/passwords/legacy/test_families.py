"""What holds for the families together: their names, their beginnings, first use by many threads, a quiet import."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import permutations
from pathlib import Path

from vault.passwords import legacy
from vault.passwords.legacy import bcrypt, crypt, digests, pbkdf2, phpass, scrypt, spring
from vault.passwords.legacy.family import Family
from vault.passwords.verifier import ARGON2ID

FAMILIES: tuple[Family, ...] = (bcrypt, pbkdf2, scrypt, crypt, phpass, digests, spring)


def test_every_family_is_known_and_no_two_have_a_scheme_of_one_name() -> None:
    names = [scheme for family in FAMILIES for scheme in family.schemes]
    assert tuple(names) == legacy.schemes()
    assert len(names) == len(set(names))
    assert not any(name == ARGON2ID or "+" in name for name in names)
    others = {path.stem for path in Path(legacy.__path__[0]).glob("*.py")} - {
        "__init__",
        "family",
        "parts",
        "expression",
    }
    assert others == {family.__name__.rpartition(".")[2] for family in FAMILIES}  # type: ignore[attr-defined]


def test_no_beginning_is_the_beginning_of_another() -> None:
    prefixes = [prefix for family in FAMILIES for prefix in family.prefixes]
    assert not [pair for pair in permutations(prefixes, 2) if pair[1].startswith(pair[0])]


FIRST_USE = """
import sys, threading
from vault.passwords import legacy

settings = {
    "bcrypt": "$2b$04$" + "." * 22,
    "pbkdf2_sha1": "$pbkdf2-sha1$i=10,l=20$c2FsdA",
    "scrypt": "$scrypt$ln=4,r=1,p=1,l=32$c2FsdA",
    "md5_crypt": "$1$salt",
    "sha256_crypt": "$5$rounds=1000$salt",
    "sha512_crypt": "$6$rounds=1000$salt",
    "phpass": "$P$5IQRaTwmf",
    "layout": "$layout$sm3(password+salt)$c2FsdA",
    "spring_sha256": "{sha256}0123456789abcdef",
}
sys.setswitchinterval(1e-6)
start, made = threading.Barrier(8), []

def run():
    start.wait()
    made.append(tuple(legacy.digest(scheme, setting, b"password") for scheme, setting in settings.items()))

threads = [threading.Thread(target=run) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(made) == 8 and len(set(made)) == 1, made
print("done")
"""


def test_the_first_use_may_be_by_many_threads_and_no_import_warns() -> None:
    """In a process of its own: there the libraries are not loaded yet, and every warning is an error."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", FIRST_USE],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
