"""Notes and checkpoints: published ones are read and made to the byte, and nothing else is taken."""

from __future__ import annotations

import base64
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vault.audit import outside
from vault.audit import checkpoints, notes
from vault.audit.faults import (
    AuditFault,
    BadSignature,
    CheckpointMalformed,
    KeyMalformed,
    NoteMalformed,
    OtherLog,
)
from vault.audit.faults import UnknownKey as NoKey
from vault.audit.merkle import EMPTY_ROOT
from vault.audit.notes import Cosigner, Signer, Verifier

# C2SP signed-note v1.1.0, "Verifier keys": the example.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# golang.org/x/mod, sumdb/note: the example of the package, whose private key is published, too.
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# A checkpoint of a public log (staging, 2026), with a signature of its log and cosignatures of witnesses.
REAL_NOTE = """arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
"""  # noqa: E501
REAL_KEY = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REAL_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

LOG = checkpoints.log_name(7, 1)
OURS = Signer(LOG, bytes(range(32)))
NOTE = checkpoints.sign(OURS, 3, b"r" * 32)


def test_published_notes_are_verified() -> None:
    for key, note in ((SPEC_KEY, SPEC_NOTE), (GO_KEY, GO_NOTE)):
        parsed = notes.parse(note)
        assert notes.verified(parsed, [Verifier(key)]) == [key.split("+", maxsplit=1)[0]]
        assert notes.parse(note.encode()) == parsed
        assert parsed.whole() == note
        changed = notes.parse(note.replace("i", "I", 1))
        with pytest.raises(BadSignature):
            notes.verified(changed, [Verifier(key)])


def test_a_published_key_signs_the_published_note() -> None:
    signer = Signer("PeterNeumann", GO_SEED)
    assert signer.vkey == GO_KEY
    assert signer.sign(GO_TEXT) == GO_NOTE


def test_a_checkpoint_of_a_public_log_and_its_witness() -> None:
    keys = [Verifier(REAL_KEY), Verifier(REAL_WITNESS)]
    found = checkpoints.opened(REAL_NOTE, "arche2025h1.staging.ct.transparency.dev", keys)
    assert found.size == 1_432_088_532
    assert notes.verified(notes.parse(REAL_NOTE), keys) == [key.name for key in keys]
    moved = notes.parse(REAL_NOTE.replace("1432088532", "1432088533"))
    for key in keys:
        with pytest.raises(BadSignature):
            notes.verified(moved, [key])


def test_what_we_sign_others_verify() -> None:
    assert outside.checkpoint(NOTE, OURS.vkey) == (LOG, 3, b"r" * 32)
    assert checkpoints.opened(NOTE, LOG, [Verifier(OURS.vkey)]) == checkpoints.Checkpoint(LOG, 3, b"r" * 32)
    assert LOG == "strongroom/0000000000000007/1"


def test_the_example_of_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs/format.md").read_text("utf-8")
    note, vkey = (
        found.removeprefix("```\n") for found in re.findall("```\n(?:strongroom/[^`]*\n)(?=```)", page)
    )
    root = outside.mth([b"one", b"two"])
    name = checkpoints.log_name(0x1234, 1)
    assert outside.checkpoint(note, vkey.strip()) == (name, 2, root)
    assert checkpoints.sign(Signer(name, bytes(range(32))), 2, root) == note


def test_signatures_of_others_are_passed_over() -> None:
    other, witness = Signer(LOG, bytes(32)), Cosigner("witness.example/w", bytes(32))
    parsed = notes.parse(NOTE)
    both = notes.with_signatures(parsed, [other.signature(parsed.text), witness.cosignature(parsed.text, 1)])
    assert len(both.signatures) == 3
    assert notes.verified(both, [Verifier(OURS.vkey)]) == [LOG]
    assert notes.verified(both, [Verifier(witness.vkey)]) == [witness.name]
    with pytest.raises(NoKey):
        notes.verified(both, [Verifier(Signer("strongroom/else/1", bytes(32)).vkey)])
    spoilt = notes.with_signatures(both, [notes.Signature(LOG, parsed.signatures[0].key, bytes(64))])
    with pytest.raises(BadSignature):
        notes.verified(spoilt, [Verifier(OURS.vkey)])


def test_a_cosignature_is_of_its_time_and_is_no_signature_of_a_note() -> None:
    witness, parsed = Cosigner("witness.example/w", bytes(32)), notes.parse(NOTE)
    signature = witness.cosignature(parsed.text, 1_679_315_147)
    Verifier(witness.vkey).verify(parsed.text, signature.blob)
    plain = Verifier(notes.vkey(witness.name, witness.public))
    for key, blob in (
        (Verifier(witness.vkey), bytes(8) + signature.blob[8:]),
        (Verifier(witness.vkey), b""),
        (plain, signature.blob[8:]),
    ):
        with pytest.raises(BadSignature):
            key.verify(parsed.text, blob)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        "\n\n— a AAAAAAA=\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("—", "-"),
        NOTE.replace("— ", "—"),
        NOTE.replace("— ", "—  "),
        NOTE.replace("=\n", "\n"),
        NOTE.replace(LOG, f"{LOG}\t"),
        NOTE.replace(f"— {LOG}", "— a+b"),
        NOTE.replace(f"— {LOG}", "— a\u00a0b"),
        NOTE.replace("3\n", "3\x00\n"),
        NOTE.replace("3\n", "\ud800\n"),
        "text\n\n— a AAAAAA==\n",
        "text\n\n— a AAAAAAB=\n",
        "text\n\n" + "— a AAAAAAA=\n" * 101,
        "x" * notes.MAX_NOTE_BYTES + NOTE,
    ],
    ids=range(21),
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NoteMalformed) as refused:
        notes.parse(note)
    assert refused.value.code == "note_malformed"


def test_bytes_that_are_no_text_are_refused() -> None:
    for damage in (b"\xff", b"\xed\xa0\x80", b"\xc0\xaf"):
        with pytest.raises(NoteMalformed, match="UTF-8"):
            notes.parse(NOTE.encode().replace(b"3\n", damage + b"\n"))


@pytest.mark.parametrize(
    "text",
    [
        f"{LOG}\n3\n",
        f"{LOG}\n3\n{'A' * 43}=",
        f"\n3\n{'A' * 43}=\n",
        f"{LOG}\n03\n{'A' * 43}=\n",
        f"{LOG}\n+3\n{'A' * 43}=\n",
        f"{LOG}\n-3\n{'A' * 43}=\n",
        f"{LOG}\n3 \n{'A' * 43}=\n",
        f"{LOG}\n\u0663\n{'A' * 43}=\n",
        f"{LOG}\n{2**63}\n{'A' * 43}=\n",
        f"{LOG}\n{'9' * 5_000}\n{'A' * 43}=\n",
        f"{LOG}\n3\n{'A' * 42}B=\n",
        f"{LOG}\n3\n{'A' * 42}==\n",
        f"{LOG}\n3\n{'A' * 43}\n",
        f"{LOG}\n3\n {'A' * 43}=\n",
        f"{LOG}\n0\n{'A' * 43}=\n",
        f"{LOG}\n3\n{'A' * 43}=\n\nmore\n",
        "strongroom-audit-file/1\nstrongroom/0000000000000007/1\n3\n",
    ],
    ids=range(17),
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointMalformed) as refused:
        checkpoints.read(text)
    assert refused.value.code == "checkpoint_malformed"


def test_a_checkpoint_may_say_more_and_may_be_of_an_empty_tree() -> None:
    more = checkpoints.Checkpoint(LOG, 3, b"r" * 32).body() + "extension\n"
    assert checkpoints.opened(OURS.sign(more), LOG, [Verifier(OURS.vkey)]).size == 3
    assert checkpoints.opened(checkpoints.sign(OURS, 0, EMPTY_ROOT), LOG, [Verifier(OURS.vkey)]).size == 0
    with pytest.raises(OtherLog):
        checkpoints.opened(NOTE, checkpoints.log_name(7, 2), [Verifier(OURS.vkey)])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a",
        "a+b+c",
        GO_KEY[1:],
        GO_KEY[:-1],
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("ARpc", "Arpc"),
        GO_KEY + "=",
        GO_KEY + "\n",
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        notes.vkey("a b", bytes(32)),
        notes.vkey("", bytes(32)),
        notes.vkey("name", bytes(32), 2),
        notes.vkey("name", bytes(31)),
    ],
    ids=range(15),
)
def test_what_is_no_key_is_refused(vkey: str) -> None:
    with pytest.raises(KeyMalformed) as refused:
        Verifier(vkey)
    assert refused.value.code == "key_malformed"


def test_no_note_is_signed_that_would_not_be_read() -> None:
    for text in ("", "no end", "a\x00b\n"):
        with pytest.raises(NoteMalformed):
            OURS.sign(text)
    for name in ("", "a b", "a+b", "a\nb", "\ud800"):
        with pytest.raises(KeyMalformed):
            Signer(name, bytes(32))


def test_a_signer_does_not_show_its_key() -> None:
    assert bytes(range(32)).hex() not in repr(OURS) + str(vars(OURS))


@given(st.text("ab \n+=—0123\x00\u0663\u202e\ud800é"), st.binary())
def test_nothing_crashes_the_readers(text: str, raw: bytes) -> None:
    for call in (
        lambda: notes.parse(text),
        lambda: notes.parse(raw),
        lambda: notes.parse(f"{text}\n\n— {text} {text}\n"),
        lambda: checkpoints.read(text),
        lambda: checkpoints.read(f"log\n{text}\n{text}\n"),
        lambda: Verifier(text),
        lambda: Verifier(f"a+{text}+{base64.b64encode(raw).decode()}"),
    ):
        with pytest.raises(AuditFault):
            call()


def test_every_byte_of_a_note_counts() -> None:
    draw, keys = random.Random(3), [Verifier(OURS.vkey)]
    raw = NOTE.encode()
    for at in range(len(raw)):
        for changed in (
            raw[:at] + raw[at + 1 :],
            raw[:at] + bytes([raw[at] ^ 1 << draw.randrange(8)]) + raw[at + 1 :],
            raw[:at] + bytes([draw.randrange(256)]) + raw[at:],
        ):
            with pytest.raises(AuditFault):
                checkpoints.opened(changed, LOG, keys)
