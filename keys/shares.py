"""The recovery key's custodians' shares: SLIP-39, one group, any T of N.

A secret of 256 bits makes shares of 33 words (SLIP-39, "Format of the share mnemonic"). There is no passphrase: a wrong
one gives a wrong secret without an error (section "Passphrase"). Words are `Secret`s here, but the library works on
texts and bytes of Python, which nothing can overwrite: until the process ends, copies of them stay in its memory. So
the commands that hold shares end soon, and none of them serves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import shamir_mnemonic
from shamir_mnemonic import MnemonicError, shamir
from shamir_mnemonic.share import ShareCommonParameters
from shamir_mnemonic.wordlist import WORDLIST

from keys.errors import ShareInvalid, ShareOfAnotherSet, ShareRepeated, SharesDoNotFit, TooFewShares
from keys.secret import KEY_BYTES, Secret

WORDS = 33  # of a share of 256 bits
LEAST, MOST = 2, 16  # shares (SLIP-39, "Notation"); one alone would make the key if it were less
PREFIX = 4  # letters that tell every word from all others (SLIP-39, "Wordlist")
EXPONENT = (
    1  # the library's own: 20 000 rounds of PBKDF2, which without a passphrase protect 256 random bits enough
)
_LABEL_KEY, _LABEL_SHARE = b"strongroom recovery key\n", b"strongroom recovery share\n"
_BY_PREFIX = {word[:PREFIX]: word for word in WORDLIST}


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """One share whose check words fit.

    Attributes:
        words: in full, in small letters, one space between; ASCII.
        number: its own in its set, from 1.
        threshold: how many of the set make the key.
        made: what all shares of a set have in common.
        group: from 0; ours have but one.
    """

    words: Secret
    number: int
    threshold: int
    made: ShareCommonParameters
    group: int


def split(secret: Secret, threshold: int, count: int) -> list[Secret]:
    """Return the words of `count` shares, any `threshold` of which make the 32 bytes of `secret` again.

    Every share is used once to make it before this returns, for what does not open would be found out years later.
    Raises ValueError for other lengths and counts (2 to 16).
    """
    if len(secret) != KEY_BYTES or not LEAST <= threshold <= count <= MOST:
        raise ValueError(f"{KEY_BYTES} bytes, and {LEAST} <= threshold <= count <= {MOST}")
    (group,) = shamir_mnemonic.generate_mnemonics(
        1, [(threshold, count)], secret.expose(), iteration_exponent=EXPONENT
    )
    shares = [Secret(words.encode()) for words in group]
    for first in range(count - threshold + 1):
        if combine(shares[first : first + threshold]) != secret:
            raise RuntimeError("the shares that were made do not make the key")
    return shares


def combine(shares: Sequence[Secret]) -> Secret:
    """Return the 32 bytes that the words of at least the threshold of shares make.

    Raises:
        ShareInvalid, ShareOfAnotherSet, ShareRepeated: names the first that is wrong.
        TooFewShares: all are good, but there must be more.
        SharesDoNotFit: one was forged.
    """
    return combined([read(words, number) for number, words in enumerate(shares, 1)])


def combined(shares: Sequence[Share], passphrase: bytes = b"") -> Secret:
    """Return the secret of shares that were read, of any number of groups; errors as of `combine`."""
    fit(shares)
    made = shares[0].made
    groups = {share.group for share in shares}
    if len(groups) < made.group_threshold:
        raise TooFewShares(made.group_threshold - len(groups))
    members = [[share for share in shares if share.group == group] for group in groups]
    if missing := sum(max(0, group[0].threshold - len(group)) for group in members):
        raise TooFewShares(missing)
    found = [_recovered(one, passphrase) for one in _quorums(members)]
    if any(one != found[0] for one in found):
        raise SharesDoNotFit("the shares make several keys; one of them was forged")
    return found[0]


def read(words: Secret, number: int = 1, length: int | None = WORDS) -> Share:
    """Return a share whose words are all there, in order and unmistaken.

    Args:
        words: separated by any white space; of each, its first four letters or more, small or capital.
        number: which of those given it is, for the error.
        length: words that it must have; None for any that SLIP-39 allows.
    Raises:
        ShareInvalid: says which word is not of the list, or that it is not as it was made.
    """
    whole = normalized(words, number)
    count = len(whole.expose().split())
    if length is not None and count != length:
        raise ShareInvalid(f"has {count} words, and a share has {length}", number)
    try:
        found = shamir_mnemonic.Share.from_mnemonic(whole.expose().decode())
    except MnemonicError:  # its text has words of the share
        found = None
    if found is None:
        raise ShareInvalid("the check words do not fit: a word is mistaken or in another place", number)
    return Share(whole, found.index + 1, found.member_threshold, found.common_parameters(), found.group_index)


def normalized(words: Secret, number: int = 1) -> Secret:
    """Return the words in full, in small letters, one space between; ShareInvalid names the first that is unknown."""
    texts = words.expose().decode("utf-8", "replace").split() if len(words) else []
    if not texts:
        raise ShareInvalid("has no words", number)
    found = [word(text) for text in texts]
    if None in found:
        at = found.index(None) + 1
        raise ShareInvalid(f"word {at} is not of the list", number, at)
    return Secret(" ".join(filter(None, found)).encode())


def word(text: str) -> str | None:
    """Return the word of the list that a text is, or begins with four letters or more; None if there is none."""
    small = text.lower()
    whole = _BY_PREFIX.get(small[:PREFIX])
    return whole if whole is not None and len(small) >= PREFIX and whole.startswith(small) else None


def fit(shares: Sequence[Share]) -> None:
    """Return if the shares are of one set and no two are the same; ShareOfAnotherSet, ShareRepeated, TooFewShares."""
    if not shares:
        raise TooFewShares(LEAST)
    ((usual, _),) = Counter(map(_set, shares)).most_common(1)
    thresholds: dict[int, int] = {}
    seen: dict[tuple[int, int], int] = {}
    for at, share in enumerate(shares, 1):
        if _set(share) != usual or thresholds.setdefault(share.group, share.threshold) != share.threshold:
            raise ShareOfAnotherSet("was not made with the others", at)
        before = seen.setdefault((share.group, share.number), at)
        if before != at and share.words == shares[before - 1].words:
            raise ShareRepeated(f"is the same as share {before}", at)
        if before != at:
            raise ShareOfAnotherSet(f"has the place of share {before}, but other words", at)


def check_value(recipient: str) -> str:
    """Return what a custodian compares to know a recovery key again: 16 hex digits, of its age recipient."""
    return sha256(_LABEL_KEY + recipient.encode()).hexdigest()[:16]


def share_digest(words: Secret) -> str:
    """Return 16 hex digits that tell a share from all others; ShareInvalid.

    They say nothing of it: even who has all other shares but one would have to try more than 2**200 texts.
    """
    return sha256(_LABEL_SHARE + normalized(words).expose()).hexdigest()[:16]


def _set(share: Share) -> tuple[ShareCommonParameters, int]:
    return share.made, len(share.words.expose().split())


def _quorums(members: Sequence[Sequence[Share]]) -> list[list[Share]]:
    """Return sets of as many shares as make the key; with one group, every share is in one of them."""
    if len(members) > 1:
        return [[share for group in members for share in group[: group[0].threshold]]]
    (group,) = members
    size = group[0].threshold
    return [list(group[first : first + size]) for first in range(len(group) - size + 1)]


def _recovered(shares: Sequence[Share], passphrase: bytes) -> Secret:
    try:
        groups = shamir.decode_mnemonics([share.words.expose().decode() for share in shares])
        secret = shamir.recover_ems(groups).decrypt(passphrase)
    except MnemonicError:
        secret = None
    if secret is None:
        raise SharesDoNotFit("the shares make no key; one of them was forged")
    return Secret(secret)
