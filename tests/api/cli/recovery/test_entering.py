"""As many shares are asked for as make the key, and no more; one that does not go with the others, once again."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli import entering
from api.cli.failure import Failure
from api.cli.screen import Screen
from keys import identity, shares
from keys.errors import ShareInvalid, ShareOfAnotherSet, ShareRepeated
from tests.api.cli.conftest import Command
from tests.api.cli.recovery.conftest import KEY, Known
from tests.api.cli.recovery.custodian import at_terminal, hold

PROGRAM = """
from api.cli.entering import quorum
from api.cli.screen import Screen
from keys import identity, shares
print("made", identity.recipient(shares.combined(quorum(Screen(), None))))
"""


def written(folder: Path, text: str) -> str:
    path = folder / "shares.txt"
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def test_lines_of_a_file_make_the_key(known: Known, tmp_path: Path) -> None:
    found = entering.quorum(Screen(), written(tmp_path, f"# three\r\n\n{known.lines(3, 1, 5)}"))
    assert shares.combined(found) == KEY


def test_what_is_wrong_with_the_lines_is_said_of_the_first(known: Known, tmp_path: Path) -> None:
    other = shares.split(KEY, 3, 5)[0].expose().decode()
    for text, error, number in (
        (f"{known.lines(1)}abandon\n", ShareInvalid, 2),
        (f"{known.lines(1, 2)}{other}\n", ShareOfAnotherSet, 3),
        (known.lines(1, 2, 1), ShareRepeated, 3),
    ):
        with pytest.raises(error) as refused:
            entering.quorum(Screen(), written(tmp_path, text))
        assert (type(refused.value), refused.value.number) == (error, number)


def test_without_lines_or_a_terminal_it_fails(tmp_path: Path) -> None:
    for source in (None, written(tmp_path, "\n")):
        with pytest.raises(Failure):
            entering.quorum(Screen(), source)


def test_custodians_type_until_there_are_enough(offline: Command, known: Known) -> None:
    terminal = at_terminal(offline, program=("-c", PROGRAM))
    other = shares.split(KEY, 3, 5)[1].expose().decode()
    for asked, typed, told in (
        ("Share 1, word 1 and on: ", "\n", ""),  # whoever presses Enter too early is asked again
        ("Share 1, word 1 and on: ", known.lines(2), ""),
        ("Share 2 of 3, word 1 and on: ", known.lines(2), "this share is the same as share 1; type it again"),
        (
            "Share 2 of 3, word 1 and on: ",
            f"{other}\n",
            "this share was not made with the others; type it again",
        ),
        ("Share 2 of 3, word 1 and on: ", known.lines(5), ""),
        ("Share 3 of 3, word 1 and on: ", known.lines(1), f"made {identity.recipient(KEY)}"),
    ):
        terminal.until(asked)
        terminal.type(typed)
        terminal.until(told)
    assert terminal.end() == 0
    assert not hold([terminal.shown], [share.expose().decode().split() for share in known.shares])
