"""A witness cosigns only what has grown from what it cosigned before, and says no in the words of its protocol."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vault.audit.logs import KEYS, ORIGIN, SIGNER, TENANT, THIEF, Store, signed, whole
from vault.audit import checkpoints, merkle, notes, tiles, witness
from vault.audit.faults import AuditFault, BadSignature, NoteMalformed, WitnessRefused
from vault.audit.faults import UnknownKey as NoKey
from vault.audit.notes import Cosigner, Verifier
from vault.audit.witness import State

LOG = whole(200, 50)
COSIGNER = Cosigner("witness.example/w1", b"w" * 32)
WITNESSES = [Verifier(COSIGNER.vkey)]
LOGS = {ORIGIN: KEYS}
NOW = 1_679_315_147
EMPTY = State()

# C2SP tlog-witness: the example of a request.
PUBLISHED = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501


@pytest.fixture(scope="module")
def store() -> Store:
    store = Store()
    store.grow(0, LOG.hashes)
    return store


def ask(store: Store, old: int, size: int, note: str | None = None) -> bytes:
    proof = merkle.consistency_proof(old, size, tiles.nodes(size, store.read)) if 0 < old <= size else []
    return witness.request(old, proof, note or signed(LOG.hashes, size))


def answered(body: bytes, state: State = EMPTY) -> tuple[State, str]:
    origin, after, reply = witness.answer(body, LOGS, {ORIGIN: state} if state.size else {}, COSIGNER, NOW)
    assert origin == ORIGIN
    return after, reply


def refused(body: bytes, state: State = EMPTY) -> tuple[int, str]:
    with pytest.raises(WitnessRefused) as no:
        answered(body, state)
    assert no.value.media_type == (witness.SIZE_TYPE if no.value.body else "text/plain")
    return no.value.status, no.value.body


def test_a_log_that_grows_is_cosigned_each_time(store: Store) -> None:
    state = EMPTY
    for size in (50, 50, 51, 200):
        body = ask(store, state.size, size)
        state, reply = answered(body, state)
        assert (state.size, state.root) == (size, merkle.root_of(LOG.hashes[:size]))
        note = witness.cosigned_note(signed(LOG.hashes, size), reply.encode(), WITNESSES)
        assert note == state.note
        assert notes.verified(notes.parse(note), [*KEYS, *WITNESSES]) == [ORIGIN, COSIGNER.name]
        assert reply.startswith("— witness.example/w1 ")
        blob = notes.signatures(reply)[0].blob
        assert (int.from_bytes(blob[:8], "big"), len(blob)) == (NOW, 72)


def test_the_published_request_is_read_and_written_to_the_byte() -> None:
    request = witness.read_request(PUBLISHED.encode())
    assert (request.old, len(request.proof), len(request.note.signatures)) == (20_852_014, 4, 2)
    assert request.body() == PUBLISHED.encode()
    assert refused(PUBLISHED.encode()) == (404, "")


def test_what_the_protocol_refuses(store: Store) -> None:
    state, _ = answered(ask(store, 0, 100))
    other = checkpoints.sign(SIGNER, 100, bytes(32))
    shrunk = ask(store, 100, 50, signed(LOG.hashes, 50))
    assert refused(ask(store, 0, 150), state) == (409, "100\n")
    assert refused(ask(store, 50, 150), state) == (409, "100\n")
    assert refused(ask(store, 50, 150)) == (409, "0\n")
    assert refused(shrunk, state) == (400, "")
    assert refused(ask(store, 100, 100, other), state) == (409, "")
    assert refused(ask(store, 100, 150, signed(LOG.hashes, 150, THIEF)), state) == (403, "")
    spoilt = signed(LOG.hashes, 150).replace("\n150\n", "\n151\n")
    assert refused(ask(store, 100, 151, spoilt), state) == (403, "")
    forked = checkpoints.sign(SIGNER, 150, bytes(32))
    assert refused(ask(store, 100, 150, forked), state) == (422, "")
    unasked = witness.request(0, [bytes(32)], signed(LOG.hashes, 50))
    assert refused(unasked) == (422, "")
    assert refused(witness.request(100, [], signed(LOG.hashes, 150)), state) == (422, "")
    assert refused(witness.request(100, [bytes(32)], signed(LOG.hashes, 100)), state) == (422, "")
    stranger = notes.Signer(checkpoints.log_name(TENANT, 2), bytes(32))
    assert refused(ask(store, 0, 1, checkpoints.sign(stranger, 1, bytes(32)))) == (404, "")


@pytest.mark.parametrize(
    "change",
    [
        ("old 20852014", "old 020852014"),
        ("old 20852014", "old -1"),
        ("old 20852014", "Old 1"),
        ("old 20852014", "old  1"),
        ("old 20852014\n", ""),
        ("kaw=\n", "kaw\n"),
        ("kaw=\n", "kaw=\r\n"),
        ("pkaw=\n", "=\n"),
        ("PlRN", "\u00fflRN"),
        ("\n\nexample", "\nexample"),
        ("old 20852014\n", "old 20852014\n" + "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n" * 60),
        ("20852163\n", "020852163\n"),
        ("sofa\n", "sofa" + "x" * 200_000 + "\n"),
    ],
    ids=range(13),
)
def test_what_is_no_request_is_refused(change: tuple[str, str]) -> None:
    assert PUBLISHED.replace(*change, 1) != PUBLISHED
    assert refused(PUBLISHED.replace(*change, 1).encode()) == (400, "")


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_nothing_crashes_a_witness(head: bytes, tail: bytes) -> None:
    for body in (
        head + tail,
        b"old 0\n" + head + b"\n\n" + tail,
        b"old 1\n" + base64.b64encode(head) + b"\n\n" + tail,
    ):
        assert refused(body)[0] == 400
    for call in (lambda: notes.signatures(head), lambda: witness.known_size(b"x" + head)):
        with pytest.raises(AuditFault):
            call()


def test_a_client_takes_only_cosignatures_of_witnesses_it_trusts(store: Store) -> None:
    note = signed(LOG.hashes, 50)
    _, reply = answered(ask(store, 0, 50))
    other = Cosigner("witness.example/w2", b"x" * 32)
    more = other.cosignature(notes.parse(note).text, NOW).line()
    both = witness.cosigned_note(note, (more + reply).encode(), WITNESSES)
    assert both == note + reply
    with pytest.raises(NoKey):
        witness.cosigned_note(note, more.encode(), WITNESSES)
    with pytest.raises(BadSignature):
        witness.cosigned_note(signed(LOG.hashes, 51), reply.encode(), WITNESSES)
    with pytest.raises(NoteMalformed):
        witness.cosigned_note(note, b"<html>", WITNESSES)
    assert witness.known_size(b"100\n") == 100
