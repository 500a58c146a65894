"""Files of recipients, of trusted keys and of the recovery key are read strictly: a wrong line is named."""

from __future__ import annotations

import pytest

from keys import identity, shares
from keys.secret import Secret
from vault.audit.notes import Signer
from vault.errors import InvalidLines
from vault.recovery import recipients, record, trust
from vault.recovery.record import Record

ONE, TWO = (identity.recipient(Secret(bytes([n]) * 32)) for n in (1, 2))
OLD, NEW = (Signer("strongroom/00000000000000aa/backups", bytes([n]) * 32).vkey for n in (1, 2))
RECORD = Record(
    1_795_669_317, 2, ONE, ("00112233445566aa", "00112233445566bb"),
    tuple(trust.read(f"{OLD}\n{NEW}")),
)  # fmt: skip
LINES = record.write(RECORD).splitlines()


def test_recipients_by_what_they_are_for() -> None:
    text = f"# of this service\n\nrecovery {ONE}\r\n  drill  {TWO} \nreport {NEW}"
    found = recipients.read(text)
    assert (found.recovery, found.drill, found.reporters) == ((ONE,), (TWO,), (NEW,))


def test_a_file_without_lines_has_no_recipients() -> None:
    assert recipients.read("") == recipients.read("# none yet\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{ONE}\n", 1),
        (f"recovery {ONE}\nrecover {TWO}\n", 2),
        (f"recovery {ONE[:-1]}\n", 1),
        (f"recovery {ONE.upper()}x\n", 1),
        ("recovery\n", 1),
        (f"recovery {ONE} {TWO}\n", 1),
        (f"recovery {ONE}\n\ndrill {ONE}\n", 3),
        (f"recovery {ONE}\nrecovery {ONE}\n", 2),
        (f"report {NEW[:-2]}\n", 1),
        (f"report {ONE}\n", 1),
        ("recovery AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX", 1),
    ],
)  # fmt: skip
def test_a_line_that_is_no_recipient_is_named(text: str, line: int) -> None:
    with pytest.raises(InvalidLines, match=f"^line {line}: ") as refused:
        recipients.read(text)
    assert refused.value.line == line
    assert "SECRET" not in str(refused.value)


def test_trusted_keys_alone_or_as_in_the_record() -> None:
    found = trust.read(f"# ours\n{OLD}\nmanifest-key {NEW}\n{OLD}\n")
    assert [key.vkey for key in found] == [OLD, NEW]


def test_the_record_itself_says_what_is_trusted() -> None:
    assert [key.vkey for key in trust.read(record.write(RECORD))] == [OLD, NEW]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("# nothing\n", 2),
        (f"{OLD}\n{NEW[:-3]}\n", 2),
        (f"manifest-key{OLD}x", 1),
        (f"recipient {ONE}", 1),
    ],
)
def test_a_line_that_is_no_key_is_named(text: str, line: int) -> None:
    with pytest.raises(InvalidLines, match=f"^line {line}: "):
        trust.read(text)


def test_a_record_that_names_no_key_trusts_nobody() -> None:
    with pytest.raises(InvalidLines, match="no line"):
        trust.read("\n".join(LINES[:-2]) + "\n")


def test_the_record_is_written_as_the_format_has_it() -> None:
    assert record.write(RECORD).splitlines() == [
        "strongroom-recovery/1",
        "made-at 2026-11-26T05:01:57Z",
        "shares 2",
        "threshold 2",
        f"recipient {ONE}",
        f"check-value {shares.check_value(ONE)}",
        "share 1 00112233445566aa",
        "share 2 00112233445566bb",
        f"manifest-key {OLD}",
        f"manifest-key {NEW}",
    ]


def test_the_record_is_read_as_it_was_written_be_it_typed_from_paper() -> None:
    for text in (record.write(RECORD), "\r\n\r\n".join(f" {line}  " for line in LINES)):
        found = record.read(text)
        assert record.write(found) == record.write(RECORD)
        assert found.check_value == shares.check_value(ONE)


@pytest.mark.parametrize("at", range(len(LINES) - 2))
def test_a_missing_line_of_the_record_is_named(at: int) -> None:
    with pytest.raises(InvalidLines, match=f"^line {at + 1}: "):
        record.read("\n".join(LINES[:at] + LINES[at + 1 :]))


@pytest.mark.parametrize(
    ("at", "line", "named", "why"),
    [
        (0, "strongroom-recovery/2", 1, "the first line"),
        (1, "made-at yesterday", 2, "no time"),
        (2, "shares 17", 4, "so many shares"),
        (3, "threshold 1", 4, "so many shares"),
        (3, "threshold 3", 4, "so many shares"),
        (3, "threshold two", 4, "no number"),
        (4, f"recipient {TWO}", 6, "check value"),
        (4, "recipient age1", 5, "no age recipient"),
        (5, "check-value 0000000000000000", 6, "check value"),
        (6, "share 2 00112233445566aa", 7, "share 1"),
        (7, "share 2 00112233445566BB", 8, "share 2"),
        (8, "manifest-key x", 9, "verifier key"),
        (9, "share 3 00112233445566cc", 10, "manifest-key"),
    ],
)
def test_a_wrong_line_of_the_record_is_named(at: int, line: str, named: int, why: str) -> None:
    changed = [*LINES]
    changed[at] = line
    with pytest.raises(InvalidLines, match=f"^line {named}: .*{why}"):
        record.read("\n".join(changed))


@pytest.mark.parametrize("kept", range(len(LINES) - 2))
def test_a_record_that_is_cut_is_none(kept: int) -> None:
    with pytest.raises(InvalidLines, match=f"^line {max(1, kept + 1)}: the (record|first)"):
        record.read("".join(f"{line}\n" for line in LINES[:kept]))
