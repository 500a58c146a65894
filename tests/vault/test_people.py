"""Person keys under contention: whoever enters a subject first, every request gets its tokens, under the one key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

from tests.vault.conftest import Shop

PEOPLE = [f"customer-{number}" for number in range(4_000)]


def test_many_requests_may_enter_the_same_new_subjects_at_once(shop: Shop) -> None:
    rng = Random(1)
    columns = [rng.sample(PEOPLE, 200) for _ in range(60)]
    with ThreadPoolExecutor(12) as pool:
        made = list(pool.map(lambda one: shop.tokenize("text", *one, subjects=list(one)), columns))
    assert shop.count("subject") == len(set().union(*columns))
    for one, tokens in zip(columns, made, strict=True):
        assert shop.plain(*tokens) == one
