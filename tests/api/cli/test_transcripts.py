"""Transcripts in tests/transcripts: what is typed, what is answered, the exit code, and the files used."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api.cli.conftest import Command

FOLDER = Path(__file__).parents[2] / "transcripts"
TRANSCRIPTS = sorted(FOLDER.glob("*.txt"))
VARYING = (  # what differs from run to run
    (re.compile(r"tok_test_[0-9a-f]{35}"), "tok_test_…"),
    (re.compile(r"key_[0-9a-f]{16}"), "key_…"),
    (re.compile(r"sr_test_[0-9a-f]{64}"), "sr_test_…"),
    (re.compile(r"--idempotency-key [0-9a-f]{16}"), "--idempotency-key …"),
    (re.compile(r"local:[0-9a-f]{16}"), "local:…"),
    (re.compile(r"\b[0-9a-f]{16}(?=\tactive\t)"), "(id)"),
    (re.compile(r"\d\.\d\d%"), "…%"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://127.0.0.1:…"),
    (re.compile(r"\b[0-9a-f]{24}\b"), "…"),
    (re.compile(r"erasure [0-9a-f]{32}"), "erasure …"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.\d]*(\+00:00|Z)"), "(time)"),
    (re.compile(r'"seconds": [0-9.]+'), '"seconds": …'),
)


@dataclass
class Step:
    """A command line and all it should say."""

    line: str
    output: str


def read(path: Path) -> tuple[list[Step], dict[str, str]]:
    """Return the steps of a transcript, and the files below them; a line that begins with # is a remark."""
    script, *sections = re.split(r"^-- (.+) --\n", path.read_text("utf-8"), flags=re.MULTILINE)
    steps: list[Step] = []
    for line in script.splitlines(keepends=True):
        if line.startswith("$ "):
            steps.append(Step(line[2:].strip(), ""))
        elif not line.startswith("#") and line.strip():
            steps[-1].output += line
    return steps, dict(zip(sections[::2], sections[1::2], strict=True))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=[path.stem for path in TRANSCRIPTS])
def test_transcript(path: Path, strongroom: Command) -> None:
    steps, files = read(path)
    for name, content in files.items():
        strongroom.write(name, content)
    for step in steps:
        assert "".join(played(step.line, strongroom)) == step.output


def played(line: str, strongroom: Command) -> Iterator[str]:
    """Run one line: `strongroom …`, perhaps with `< file`, or `cat file`."""
    program, *arguments = shlex.split(line)
    if program == "cat":
        yield tidy((strongroom.folder / arguments[0]).read_text("utf-8"))
        return
    given = b""
    if "<" in arguments:
        given = (strongroom.folder / arguments.pop()).read_bytes()
        arguments.pop()
    done = strongroom(*arguments, given=given)
    yield tidy(done.stdout + done.stderr)
    if done.returncode:
        yield f"[exit {done.returncode}]\n"


def tidy(text: str) -> str:
    for pattern, instead in VARYING:
        text = pattern.sub(instead, text)
    return "".join(line + "\n" for line in text.splitlines() if line.strip())


def test_the_transcripts_are_there() -> None:
    assert len(TRANSCRIPTS) >= 5
