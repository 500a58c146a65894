"""The tree: every published vector, and proofs that code which shares nothing with ours takes."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SHARED
from tests.vault.audit import outside
from vault.audit import merkle
from vault.audit.faults import ProofInvalid

FOLDER = "merkle-rfc6962"
LEAVES = [f"leaf {number}".encode() for number in range(200)]
HASHES = merkle.leaf_hashes(LEAVES)


def nodes(asked: Sequence[merkle.Node]) -> list[bytes]:
    return [merkle.root_of(HASHES[index << level : (index + 1) << level]) for level, index in asked]


def cases(kind: str) -> list[Any]:
    files = sorted((SHARED / "vectors" / FOLDER / kind).rglob("*.json")) if SHARED.is_dir() else []
    return [pytest.param(file, id=str(file.relative_to(SHARED / "vectors"))) for file in files] or [
        pytest.param(None, id="missing")
    ]


def published(file: Path | None, vectors: Any) -> dict[str, Any]:
    found = (
        vectors(f"{FOLDER}/inclusion/0/happy-path.json")
        if file is None
        else json.loads(file.read_text("utf-8"))
    )
    blobs = {
        name: base64.b64decode(found[name])
        for name in ("root", "leafHash", "root1", "root2")
        if name in found
    }
    return found | blobs | {"proof": [base64.b64decode(node) for node in found["proof"] or ()]}


def judge(wrong: bool, call: Any, *arguments: Any) -> None:
    if wrong:
        with pytest.raises(ProofInvalid):
            call(*arguments)
    else:
        call(*arguments)


@pytest.mark.parametrize("file", cases("inclusion"))
def test_a_published_inclusion(file: Path | None, vectors: Any) -> None:
    case = published(file, vectors)
    asked = case["leafHash"], case["leafIdx"], case["treeSize"], case["proof"], case["root"]
    judge(case["wantErr"], merkle.verify_inclusion, *asked)


@pytest.mark.parametrize("file", cases("subtreeinclusion"))
def test_a_published_inclusion_in_a_subtree(file: Path | None, vectors: Any) -> None:
    case = published(file, vectors)
    end = case.get("end", case.get("treeSize"))
    asked = case["leafHash"], case["leafIdx"], end, case["proof"], case["root"], case.get("start", 0)
    judge(case["wantErr"], merkle.verify_inclusion, *asked)


@pytest.mark.parametrize("file", cases("consistency"))
def test_a_published_consistency(file: Path, vectors: Any) -> None:
    case = published(file, vectors)
    asked = case["size1"], case["size2"], case["root1"], case["root2"], case["proof"]
    judge(case["wantErr"], merkle.verify_consistency, *asked)


@pytest.mark.parametrize("file", cases("subtreeconsistency"))
def test_a_published_consistency_of_a_subtree(file: Path, vectors: Any) -> None:
    case = published(file, vectors)
    asked = case["start"], case["end"], case["size"], case["root1"], case["root2"], case["proof"]
    judge(case["wantErr"], merkle.verify_subtree, *asked)


def test_no_published_case_was_lost(vectors: Any) -> None:
    vectors(f"{FOLDER}/inclusion/0/happy-path.json")
    files = list((SHARED / "vectors" / FOLDER).rglob("*.json"))
    assert len(files) == 518
    assert sum(json.loads(file.read_text("utf-8"))["wantErr"] for file in files) == 482


def test_an_empty_root_and_leaf_prove_nothing() -> None:
    with pytest.raises(ProofInvalid, match="32 bytes"):
        merkle.verify_inclusion(b"", 0, 1, [], b"")


def test_the_published_roots(vectors: Any) -> None:
    case = vectors("rfc/merkle_rfc6962_roots.json")
    leaves = [bytes.fromhex(leaf) for leaf in case["leaves_hex"]]
    for size, root in enumerate(case["root_hex_for_size_0_to_8"]):
        assert merkle.root_of(merkle.leaf_hashes(leaves[:size])).hex() == root


def test_a_tree_grown_by_columns_has_the_root_of_the_recursion() -> None:
    draw = random.Random(1)
    for _ in range(20):
        frontier, kept = merkle.Frontier(), []
        while frontier.size < 150:
            until = frontier.size + draw.randrange(40)
            frontier.extend(HASHES[frontier.size : until])
            kept.append((frontier.copy(), frontier.size))
        for copy, size in kept:
            assert copy.size == size
            assert copy.root() == outside.mth(LEAVES[:size])
            assert copy.hashes() == nodes(merkle.complete(0, size))
            again = merkle.Frontier(size, copy.hashes())
            again.extend(HASHES[size:])
            assert again.root() == merkle.root_of(HASHES)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_an_inclusion_proof_is_the_one_of_the_recursion(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    proof, root = merkle.inclusion_proof(index, size, nodes), outside.mth(LEAVES[:size])
    assert proof == outside.path(index, LEAVES[:size])
    assert outside.includes(LEAVES[index], index, size, proof, root)
    merkle.verify_inclusion(HASHES[index], index, size, proof, root)
    wrong = data.draw(st.sampled_from([at for at in range(len(LEAVES)) if at != index]))
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(HASHES[wrong], index, size, proof, root)
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(HASHES[index], wrong, size, proof, root)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_consistency_proof_is_the_one_of_the_recursion(data: st.DataObject) -> None:
    second = data.draw(st.integers(1, len(LEAVES)))
    first = data.draw(st.integers(1, second))
    old, new = outside.mth(LEAVES[:first]), outside.mth(LEAVES[:second])
    proof = merkle.consistency_proof(first, second, nodes)
    assert proof == outside.subproof(first, LEAVES[:second])
    assert outside.extends(first, second, proof, old, new)
    merkle.verify_consistency(first, second, old, new, proof)
    for at in range(len(proof)):
        with pytest.raises(ProofInvalid):
            merkle.verify_consistency(first, second, old, new, [*proof[:at], bytes(32), *proof[at + 1 :]])


@given(
    st.integers(0, 300),
    st.integers(0, 300),
    st.lists(st.binary(max_size=33), max_size=12),
    st.binary(max_size=33),
)
def test_what_nobody_made_proves_nothing_and_crashes_nothing(
    one: int, two: int, proof: list[bytes], root: bytes
) -> None:
    for call in (
        lambda: merkle.verify_inclusion(root, one, two, proof, bytes(32)),
        lambda: merkle.verify_consistency(one, two, root, bytes(32), proof),
    ):
        with pytest.raises(ProofInvalid):
            call()


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    with pytest.raises(ValueError, match="not in the tree"):
        merkle.inclusion_proof(5, 5, nodes)
    with pytest.raises(ValueError, match="larger"):
        merkle.consistency_proof(6, 5, nodes)
    assert merkle.consistency_proof(0, 5, nodes) == []
    with pytest.raises(ProofInvalid, match="empty tree"):
        merkle.verify_consistency(0, 5, merkle.EMPTY_ROOT, merkle.root_of(HASHES[:5]), [])
