"""Shares make the key that they were made of, and nothing else does; what is wrong with them is said, words never."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import pytest
import shamir_mnemonic
from shamir_mnemonic.wordlist import WORDLIST

from keys import errors, identity, shares
from keys.errors import KeyProblem
from keys.secret import Secret

KEY = Secret(bytes(range(32)))


@pytest.fixture(scope="module")
def made() -> list[Secret]:
    return shares.split(KEY, 3, 5)


@pytest.fixture(scope="module")
def other() -> list[Secret]:
    return shares.split(KEY, 3, 5)


def changed(share: Secret, position: int, word: str) -> Secret:
    words = share.expose().decode().split()
    words[position - 1] = word
    return Secret(" ".join(words).encode())


@pytest.mark.vectors("slip39/vectors.json")
def test_published_shares_make_the_published_secret_or_none(case: list[Any]) -> None:
    _, mnemonics, secret, _ = case

    def made() -> Secret:
        read = [shares.read(Secret(words.encode()), at, None) for at, words in enumerate(mnemonics, 1)]
        return shares.combined(read, b"TREZOR")  # SLIP-39, "Test vectors"

    if secret:
        assert made() == Secret(bytes.fromhex(secret))
        return
    with pytest.raises(KeyProblem) as refused:
        made()
    assert not any(word in str(refused.value).split() for word in " ".join(mnemonics).split())


def test_no_case_was_lost(vectors: Any) -> None:
    assert len(vectors("slip39/vectors.json")) == 45


def test_any_three_of_five_make_the_key_and_four_and_five_do(made: list[Secret]) -> None:
    for size in (3, 4, 5):
        assert all(shares.combine(some) == KEY for some in combinations(made, size))


@pytest.mark.parametrize(("threshold", "count"), [(2, 2), (16, 16)])
def test_the_smallest_and_the_largest_sets(threshold: int, count: int) -> None:
    made = shares.split(KEY, threshold, count)
    assert len(made) == count
    assert [len(words.expose().split()) for words in made] == [shares.WORDS] * count
    assert shares.combine(made[-threshold:]) == KEY


@pytest.mark.parametrize(("threshold", "count"), [(1, 1), (1, 5), (4, 3), (2, 17), (0, 2)])
def test_counts_that_protect_nothing_or_cannot_be_are_refused(threshold: int, count: int) -> None:
    with pytest.raises(ValueError, match="threshold"):
        shares.split(KEY, threshold, count)


def test_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        shares.split(Secret(bytes(16)), 3, 5)


def test_another_program_opens_them_without_a_passphrase(made: list[Secret]) -> None:
    words = [share.expose().decode() for share in made[1:4]]
    assert shamir_mnemonic.combine_mnemonics(words) == KEY.expose()


def test_each_says_its_number_and_how_many_are_needed(made: list[Secret]) -> None:
    assert [(one.number, one.threshold) for one in map(shares.read, made)] == [(n, 3) for n in range(1, 6)]


def test_two_sets_of_one_key_share_no_digest(made: list[Secret], other: list[Secret]) -> None:
    assert len({shares.share_digest(words) for words in (*made, *other)}) == 10


def test_capitals_line_ends_and_beginnings_of_words_are_the_same_share(made: list[Secret]) -> None:
    words = made[0].expose().decode().split()
    written = Secret("\r\n".join(word[:4].upper() for word in words).encode())
    assert shares.read(written).words == made[0]
    assert shares.share_digest(written) == shares.share_digest(made[0])


@pytest.mark.parametrize("text", ["", "aca", "academicx", "academiC.", "satoshi1", "zzzz"])
def test_what_is_no_word(text: str) -> None:
    assert shares.word(text) is None


def test_every_word_is_known_by_four_letters() -> None:
    assert [shares.word(word[:4]) for word in WORDLIST] == WORDLIST


def test_a_mistyped_word_is_named_by_its_place(made: list[Secret]) -> None:
    with pytest.raises(errors.ShareInvalid, match="share 2: word 7 is not of the list") as refused:
        shares.combine([made[0], changed(made[1], 7, "mistyped"), made[2]])
    assert (refused.value.number, refused.value.word) == (2, 7)
    assert "mistyped" not in str(refused.value)


@pytest.mark.parametrize("position", range(1, shares.WORDS + 1))
def test_a_word_in_another_s_place_does_not_pass(made: list[Secret], position: int) -> None:
    was = made[0].expose().decode().split()[position - 1]
    with pytest.raises(errors.ShareInvalid, match="check words") as refused:
        shares.read(changed(made[0], position, "zero" if was != "zero" else "acid"))
    assert refused.value.word == 0


def test_two_words_that_changed_places_do_not_pass(made: list[Secret]) -> None:
    words = made[0].expose().split()
    words[10], words[20] = words[20], words[10]
    if words[10] != words[20]:
        with pytest.raises(errors.ShareInvalid, match="check words"):
            shares.read(Secret(b" ".join(words)))


@pytest.mark.parametrize("length", [1, 20, 32, 34])
def test_another_number_of_words_is_said(made: list[Secret], length: int) -> None:
    words = (made[0].expose().split() * 2)[:length]
    with pytest.raises(errors.ShareInvalid, match=f"has {length} words, and a share has 33"):
        shares.read(Secret(b" ".join(words)))


@pytest.mark.parametrize("nothing", [b"", b" \n"])
def test_no_words_are_no_share(nothing: bytes) -> None:
    with pytest.raises(errors.ShareInvalid, match="has no words"):
        shares.read(Secret(nothing))


def test_bytes_that_are_no_text_are_no_share() -> None:
    with pytest.raises(errors.ShareInvalid, match="word 1"):
        shares.read(Secret(b"\xff\xfe\x00"))


def test_too_few_says_how_many_more(made: list[Secret]) -> None:
    for given, missing, text in ((0, 2, "2 more shares are"), (1, 2, "2 more"), (2, 1, "1 more share is")):
        with pytest.raises(errors.TooFewShares, match=text) as refused:
            shares.combine(made[:given])
        assert refused.value.missing == missing


def test_one_of_another_set_is_named_wherever_it_is(made: list[Secret], other: list[Secret]) -> None:
    for at in range(3):
        given = [*made[:3]]
        given[at] = other[at]
        with pytest.raises(errors.ShareOfAnotherSet) as refused:
            shares.combine(given)
        assert refused.value.number == at + 1


def test_the_same_one_twice_is_named_even_where_there_are_enough(made: list[Secret]) -> None:
    with pytest.raises(errors.ShareRepeated, match="share 4: is the same as share 1") as refused:
        shares.combine([*made[:3], made[0]])
    assert refused.value.number == 4


def forged(share: Secret) -> Secret:
    """Return a share of the same set and place that passes its check words, with another value."""
    from dataclasses import replace

    was = shamir_mnemonic.Share.from_mnemonic(share.expose().decode())
    return Secret(replace(was, value=bytes([was.value[0] ^ 1]) + was.value[1:]).mnemonic().encode())


@pytest.mark.parametrize("at", range(4))
def test_a_forged_share_makes_no_key_be_it_one_too_many(made: list[Secret], at: int) -> None:
    given = [*made[:4]]
    given[at] = forged(given[at])
    with pytest.raises(errors.SharesDoNotFit):
        shares.combine(given)


def test_two_shares_in_one_place_do_not_go_together(made: list[Secret]) -> None:
    with pytest.raises(errors.ShareOfAnotherSet, match="share 3: has the place of share 1"):
        shares.combine([made[0], made[1], forged(made[0])])


def test_nothing_printed_holds_a_word(made: list[Secret]) -> None:
    shown = repr([made, shares.read(made[0])])
    words = made[0].expose().decode().split()
    assert not any(f"{one} {other}" in shown for one, other in pairwise(words))


def test_the_check_value_and_the_digest_are_those_of_the_format() -> None:
    """The first 16 hex digits of SHA-256, as docs/format.md has them.

    `printf 'strongroom recovery key\\nage1…' | sha256sum`, and `printf 'strongroom recovery share\\nduckling …'`.
    """
    recipient = identity.recipient(KEY)
    assert recipient == "age13aqvttdk3ujkyjh9kg2w5an6dmy5mq5a84a4uxk3hfhnugfc9p0sy5p2wh"
    assert shares.check_value(recipient) == "71706fc85ec96dd0"
    words = Secret(" ".join(["duckling"] * 33).encode())
    assert shares.share_digest(words) == "53782d828494a7d6"
