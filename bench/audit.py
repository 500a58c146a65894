"""Examining an audit log on one core, beside the least that hashing it takes; and proofs read from tiles."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from bench.lines import Line
from bench.plan import Plan
from bench.rounds import interleave
from tests.vault.audit.logs import KEYS, ORIGIN, TENANT, Log, Store, whole
from vault.audit import merkle, tiles
from vault.audit.evidence import Batch, Evidence
from vault.audit.verifying import verify

AIM, LEAST = 500_000, 100_000  # records a second, of which LEAST is a target
BATCH = 8_192
PROOFS = 200


def run(plan: Plan) -> Iterator[Line]:
    """Measure the examination of a log in memory, and inclusion and consistency proofs."""
    log = whole(plan.records, plan.records // 20)
    yield from _examined(plan, log)
    yield from _proved(plan, log)


def _examined(plan: Plan, log: Log) -> Iterator[Line]:
    """Ours hashes leaves and tree, compares tiles, verifies 20 checkpoints and looks at every record's form."""
    batches, leaves = list(log.batches(BATCH)), [leaf for leaf in log.leaves if leaf is not None]
    bare = "hashlib loop"
    measures = {
        "ours": lambda: _rate(lambda: _intact(log, batches), plan.records),
        bare: lambda: _rate(lambda: _hashed(leaves), plan.records),
    }
    rates = interleave(measures, plan.rounds)
    note = f"aim {AIM:,} a second; the loop hashes leaves and nodes, and compares nothing"
    yield Line("audit", "", "verify", rates["ours"], "records", "records a second at least", LEAST, 1.0, note)
    yield Line("audit", "", "verify, beside hashing", rates["ours"], "records", bare, rates[bare])


def _proved(plan: Plan, log: Log) -> Iterator[Line]:
    """An inclusion and a consistency proof each, made from tiles and verified."""
    store, size = Store(), plan.records
    store.grow(0, log.hashes)
    read, root, draw = tiles.nodes(size, store.read), merkle.root_of(log.hashes), random.Random(1)
    asked = [draw.randrange(1, size) for _ in range(PROOFS)]
    olds = {first: tiles.frontier(first, store.read).root() for first in asked}

    def proofs() -> None:
        for at in asked:
            merkle.verify_inclusion(log.hashes[at], at, size, merkle.inclusion_proof(at, size, read), root)
            merkle.verify_consistency(at, size, olds[at], root, merkle.consistency_proof(at, size, read))

    rates = interleave({"ours": lambda: _rate(proofs, 2 * PROOFS)}, plan.rounds)
    yield Line("audit", "", "proofs from tiles, made and verified", rates["ours"], "proofs")


def _intact(log: Log, batches: Sequence[Batch]) -> None:
    report = verify(Evidence(ORIGIN, TENANT, KEYS, log.inside), batches)
    assert report.intact


def _hashed(leaves: Sequence[bytes]) -> bytes:
    """Return a root as the shortest loop makes it."""
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        odd = level[len(level) // 2 * 2 :]
        level = [
            sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)
        ] + odd
    return level[0]


def _rate(call: Callable[[], object], count: int) -> float:
    start = time.process_time()
    call()
    return count / (time.process_time() - start)
