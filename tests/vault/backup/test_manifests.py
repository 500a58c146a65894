"""Manifests: one encoding, signed by keys of their installation, of one place; what contradicts itself is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from keys.openkeys import OpenKey
from keys.secret import Secret
from vault.audit.notes import Signer, Verifier
from vault.backup import layout, manifests
from vault.backup.model import FORMAT, Chunk, Link, Manifest, Origin, RootWrapped
from vault.errors import BackupDamaged, BackupFromNewer, BackupUntrusted

INSTALLATION = "00000000000000a1"
KEYS = [OpenKey(1, Secret(bytes(range(32)))), OpenKey(2, Secret(bytes(range(1, 33))))]
SIGNERS = [manifests.signer(key, INSTALLATION) for key in KEYS]
VERIFIERS = [Verifier(signer.vkey) for signer in SIGNERS]
DIGEST = "ab" * 32
PATH = f"{INSTALLATION}/data/manifests/0000000003.txt"
SAMPLE = Manifest(
    format=FORMAT, installation=INSTALLATION, stream="data", number=3, kind="incremental", taken_at=1, since=4, until=5,
    schema="0005", software="0.1.0", keyring=2, recipients={"root": ["age1"]},
    chunks=[Chunk(DIGEST, 7, {"token": 1})], base=Link(1, DIGEST), previous=Link(2, DIGEST),
)  # fmt: skip


def signed(text: bytes, *signers: Signer) -> bytes:
    """A note over any text."""
    lines = "".join(signer.signature(text.decode()).line() for signer in signers or SIGNERS)
    return text + b"\n" + lines.encode()


def text(manifest: Manifest = SAMPLE, **more: object) -> bytes:
    """A manifest's text, canonical, with members put in or, as None, left out."""
    members = {**msgspec.to_builtins(manifest), **more}
    return msgspec.json.encode({k: v for k, v in members.items() if v != ...}, order="sorted") + b"\n"


def read(note: bytes, path: str = PATH) -> Manifest:
    return manifests.read(note, path, VERIFIERS)


link = st.builds(Link, st.integers(1, 9), st.just(DIGEST))
counts = st.dictionaries(st.sampled_from(["token", "password"]), st.integers(0, 2**63), max_size=2)
some = st.builds(
    Manifest,
    format=st.just(FORMAT), installation=st.integers(0, 2**64 - 1).map(layout.installation), stream=st.just("data"),
    number=st.integers(20, 9_999_999_999), kind=st.just("journal"), taken_at=st.integers(0, 2**53),
    since=st.integers(-1, 50), until=st.integers(50, 99), schema=st.just("0005"), software=st.text(max_size=9),
    keyring=st.integers(1, 9), recipients=st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5))),
    chunks=st.lists(st.builds(Chunk, st.just(DIGEST), st.integers(0, 2**40), counts), max_size=3),
    base=st.just(Link(9, DIGEST)), previous=st.builds(Link, st.integers(9, 19), st.just(DIGEST)),
    follows=st.none() | st.just(Origin(INSTALLATION, 7, DIGEST)), counts=counts,
    keys=st.dictionaries(st.integers(1, 2**63).map(layout.installation), st.integers(0, 9), max_size=2),
    checkpoints=st.lists(st.text(max_size=20), max_size=2),
    roots=st.lists(st.just(RootWrapped(INSTALLATION, "local:x", "AA==", "age1")), max_size=1),
)  # fmt: skip


@given(some)
@settings(max_examples=30, deadline=None)
def test_what_was_signed_is_read(manifest: Manifest) -> None:
    signer = manifests.signer(KEYS[0], manifest.installation)
    note = manifests.signed(manifest, [signer])
    path = layout.manifest(manifest.installation, "data", manifest.number)
    assert manifests.read(note.encode(), path, [Verifier(signer.vkey)]) == manifest


def test_a_manifest_is_one_line_and_a_line_for_each_signature() -> None:
    lines = manifests.signed(SAMPLE, SIGNERS).split("\n")
    assert lines[0] == text().decode().rstrip("\n")
    assert [line[:2] for line in lines[1:]] == ["", "— ", "— ", ""]


@pytest.mark.parametrize("trusted", [VERIFIERS[:1], VERIFIERS[1:], VERIFIERS])
def test_one_signature_that_is_trusted_is_enough(trusted: list[Verifier]) -> None:
    assert manifests.read(manifests.signed(SAMPLE, SIGNERS).encode(), PATH, trusted) == SAMPLE


def test_a_manifest_of_nobody_that_is_trusted_is_refused() -> None:
    stranger = manifests.signer(OpenKey(3, Secret.random()), INSTALLATION)
    for signer in (stranger, Signer("somebody", bytes(32))):
        with pytest.raises(BackupUntrusted) as raised:
            read(signed(text(), signer))
        assert raised.value.file == PATH
        assert raised.value.chunk is None


def test_a_key_that_is_trusted_signs_for_its_own_installation_alone() -> None:
    other = manifests.signer(KEYS[0], "00000000000000b2")
    with pytest.raises(BackupUntrusted, match="another installation"):
        manifests.read(signed(text(), other), PATH, [Verifier(other.vkey)])


@pytest.mark.parametrize(
    "path",
    [
        PATH.replace("data", "keyring"),
        PATH.replace("3", "4"),
        PATH.replace("a1", "a2"),
        PATH.replace("0000000003", "3"),
        f"{PATH}.txt",
    ],
)
def test_a_manifest_is_good_at_its_place_alone(path: str) -> None:
    with pytest.raises(BackupUntrusted, match="another place"):
        read(signed(text()), path)


def test_another_format_is_for_another_version() -> None:
    for more in (
        {"format": "strongroom-backup/2"},
        {"format": "strongroom-backup/2", "stream": "other", "x": 1},
    ):
        with pytest.raises(BackupFromNewer):
            read(signed(text(**more)))


@pytest.mark.parametrize(
    "written",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        text().replace(b'"number":3', b'"number": 3'),
        text().replace(b'"number":3', b'"number":3.0'),
        text().replace(b'"number":3', b'"number":3,"number":3'),
        text().replace(b'"since":4', b'"since":4,"sincere":4'),
        text().replace(b'"roots":[],', b""),
        text()[:-1] + b" \n",
        text() + b"\n",
        b"[" * 5_000 + b"\n",
        b'{"format":"strongroom-backup/1","a":' + b"[" * 5_000 + b"\n",
    ],
)
def test_a_manifest_has_one_encoding(written: bytes) -> None:
    with pytest.raises(BackupDamaged) as raised:
        read(signed(written))
    assert raised.value.file == PATH


WRONG: list[dict[str, Any]] = [
    {"kind": "full"},
    {"base": None},
    {"base": Link(3, DIGEST)},
    {"previous": None},
    {"previous": Link(3, DIGEST)},
    {"base": Link(2, DIGEST), "previous": Link(1, DIGEST)},
    {"since": 6},
    {"keyring": 0},
    {"keyring": -1},
    {"stream": "keyring"},
    {"stream": "other"},
    {"number": 0},
    {"number": 10**10},
    {"number": "3"},
    {"installation": INSTALLATION.upper()},
    {"installation": INSTALLATION + "\n"},
    {"installation": "../../../../../.."[:16]},
    {"schema": "5"},
    {"base": Link(1, "../" * 21 + "x")},
    {"chunks": [Chunk("../" * 21 + "x", 1, {})]},
    {"chunks": [Chunk(DIGEST.upper(), 1, {})]},
    {"chunks": [Chunk(DIGEST, -1, {})]},
    {"chunks": [Chunk(DIGEST, 1, {"token": -1})]},
    {"chunks": [Chunk(DIGEST, 1, {"subject": 1})]},
    {"chunks": [Chunk(DIGEST, 1, {"escrow": 1})]},
    {"counts": {"lease": 1}},
    {"digests": {"token": "ab"}},
    {"keys": {"1": 1}},
]


@pytest.mark.parametrize("more", WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_what_does_not_fit_together_is_refused_and_never_signed(more: dict[str, Any]) -> None:
    with pytest.raises(BackupDamaged):
        read(signed(text(replace(SAMPLE, **more))))
    with pytest.raises(ValueError, match=r"."):
        manifests.signed(replace(SAMPLE, **more), SIGNERS)


def test_tables_of_a_later_schema_are_not_known_and_no_damage() -> None:
    later = replace(SAMPLE, schema="9999", counts={"to_come": 1})
    assert read(signed(text(later))) == later


def test_a_note_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "LARGEST", len(signed(text())) - 1)
    with pytest.raises(BackupUntrusted):
        read(signed(text()))


def test_the_digest_is_of_the_whole_note() -> None:
    one, both = (manifests.digest(manifests.signed(SAMPLE, signers)) for signers in (SIGNERS[:1], SIGNERS))
    assert one != both


def test_keys_of_one_version_differ_by_use() -> None:
    seed = SIGNERS[0].public
    assert manifests.digest_key(KEYS[0]) != manifests.digest_key(KEYS[1])
    assert seed != SIGNERS[1].public
    assert manifests.digest_key(KEYS[0]) not in (seed, KEYS[0].secret.expose())
