"""Documents at random and damaged ones: a policy, or PolicyInvalid with a line that there is, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

from tests.scenarios.campaign import FULL
from tests.vault.policy.test_positions import mutated
from vault.errors import PolicyInvalid
from vault.policy.document import read
from vault.policy.policy import Policy

SHOP = (Path(__file__).parent / "shop.toml").read_text("utf-8")
REFUSED = (Path(__file__).parent / "refused.txt").read_text("utf-8").split("== ")[1:]
WORDS = [
    "format = 1", "[roles.a]", "[[roles.a.allow]]", "[[deny]]", "[callers]", "[[cases]]", "[[claims]]", "[networks]",
    'operations = ["*"]', 'fields = ["*"]', 'purposes = ["*"]', 'view = "full"', 'reason = "x"',
    "when = { own = true }", '"*" = ["a"]', 'includes = ["a"]', "budget = { day = 1 }", "limit = 99999999999999999999",
    "misses = -1", "pause = 1e400", "freeze = nan", "a = [[[[[[]]]]]]", "max_age = 5", 'n = ["0.0.0.0/0", "::/0"]',
    'tags = ["\\ud7ff\\U0010ffff"]', "at = 9999-12-31T23:59:59-23:59", "at = 0001-01-01T00:00:00+23:59",
    "\u202e", "\x00", "'''", '"""', "{", "}", "[", "]", "=", ",", "\ud800", "=" * 500,
]  # fmt: skip


def attempt(text: str) -> Policy | None:
    found: PolicyInvalid
    try:
        return read(text)
    except PolicyInvalid as refused:
        found = refused
    assert 0 <= found.line <= text.count("\n") + 1
    assert found.reason.isprintable()
    assert len(found.reason) < 500
    return None


def test_damaged_documents_are_policies_or_refused() -> None:
    pick = random.Random(7)
    whole = 0
    for _ in range(5_000 if FULL else 250):
        text = SHOP if pick.random() < 0.3 else "".join(pick.choice(REFUSED).split("\n", 2)[2:])
        whole += attempt(mutated(text, pick)) is not None
    assert whole > 0


def test_documents_of_random_words_are_policies_or_refused() -> None:
    pick = random.Random(8)
    for _ in range(5_000 if FULL else 400):
        lines = pick.choices(WORDS, k=pick.randrange(12))
        attempt("\n".join(["format = 1"] * pick.randrange(2) + lines))


def test_anything_else_is_refused() -> None:
    pick = random.Random(9)
    for _ in range(500 if FULL else 50):
        assert (
            attempt(
                "".join(
                    chr(pick.choice([pick.randrange(128), pick.randrange(0x11_0000)])) for _ in range(200)
                )
            )
            is None
        )
