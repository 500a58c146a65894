"""What is refused, with its line, which `# here` marks, and a reason that repeats nothing of the document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vault.errors import PolicyInvalid
from vault.policy.document import LONGEST, read

ROLE = "[roles.clerk]\n"
ALLOW = f'{ROLE}[[roles.clerk.allow]]\noperations = ["reveal"]\nfields = ["phone"]\npurposes = ["settle"]\n'
UNSEEN = {  # which no file should hold
    "a control character": ("format = 1\n# \x07 # here", "control character"),
    "a bidi mark in a comment": ("format = 1\n# \u202e # here", "control character"),
    "a mark of no width in a string": (f'format = 1\n{ROLE}label = "a\u200bb"  # here', "control character"),
    "a surrogate": ("format = 1\n# \ud800 # here", "control character"),
    "a return alone": ("format = 1\n# \r # here", "control character"),
    "a separator of lines": ("format = 1\n# \u2028 # here", "control character"),
    "a header that does not end": ("format = 1\n[bulk  # here", "there should be ] here"),
}
NUMBER = "4111111111111111"
PASTED = (
    f'[[deny]]\nfields = ["{NUMBER}"]', f"{NUMBER} = 1", f'[[deny]]\n"{NUMBER}" = 1', f'[roles."{NUMBER}"]',
    f'[callers]\n"{NUMBER}" = ["x"]', f'[callers]\n"key_{NUMBER}" = ["{NUMBER}"]', f'a = "{NUMBER}',
    f'[networks]\na = ["{NUMBER}"]', f'[networks]\n"{NUMBER}" = 3', f"[a{NUMBER}]\n[a{NUMBER}]",
    f'[roles.a]\nlabel = "{NUMBER}\\q"', f'{ALLOW}when = {{ zone = "{NUMBER}", days = ["mon"] }}',
    f'{ALLOW}when = {{ tags = ["{NUMBER}", "!"] }}', f"[a]\nb = {NUMBER * 5}", f"[a.{NUMBER}]\n[[a.{NUMBER}]]",
    f"a = {NUMBER}\na.{NUMBER} = 1", f"a = [{{ {NUMBER} = 1 }}]\n[[a]]\n{NUMBER} = 1",
)  # fmt: skip


def table() -> dict[str, tuple[str, str]]:
    """Return documents and reasons by name: the file has a name behind ==, a reason behind --, then the document."""
    found = dict(UNSEEN)
    for entry in (Path(__file__).parent / "refused.txt").read_text("utf-8").split("== ")[1:]:
        name, reason, document = entry.split("\n", 2)
        found[name] = document, reason.removeprefix("-- ")
    return found


REFUSED = table()
each = pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)


@each
def test_it_is_refused_with_its_line(document: tuple[str, str]) -> None:
    text, reason = document
    with pytest.raises(PolicyInvalid) as found:
        read(text)
    assert [found.value.line] == [at for at, line in enumerate(text.split("\n"), 1) if "# here" in line]
    assert reason
    assert reason in found.value.reason
    assert found.value.pointer == "/document"


@each
def test_lines_are_counted_alike_however_they_end(document: tuple[str, str]) -> None:
    text, _ = document
    with pytest.raises(PolicyInvalid) as found:
        read(text.replace("\n", "\r\n"))
    assert "# here" in text.split("\n")[found.value.line - 1]


@pytest.mark.parametrize("body", PASTED)
def test_a_reason_repeats_nothing_that_was_pasted(body: str) -> None:
    with pytest.raises(PolicyInvalid) as found:
        read(f"format = 1\n{body}\n")
    assert not re.search("[0-9]{6}", str(found.value))
    assert found.value.__cause__ is None


@pytest.mark.parametrize(
    "denial",
    [
        'operations = ["reveal"]\nview = "full"', 'operations = ["reveal"]\nview = "fingerprint"', 'fields = ["email"]',
        'operations = ["find"]', 'operations = ["reveal"]\npurposes = ["risk"]', 'when = { tags = ["vip"] }',
        'when = { modes = ["live"] }', 'when = { days = ["mon"], zone = "UTC" }', "when = { max_age = '1d' }",
    ],
)  # fmt: skip
def test_a_denial_that_leaves_something_is_no_contradiction(denial: str) -> None:
    policy = read(f"format = 1\n{ALLOW}[[roles.clerk.deny]]\n{denial}\n")
    assert [rule.allows for rule in policy.roles["clerk"].rules] == [True, False]


def test_a_format_is_named() -> None:
    with pytest.raises(PolicyInvalid, match="format is missing"):
        read("")
    with pytest.raises(PolicyInvalid, match="line 2: this version of strongroom reads format 1"):
        read("\nformat = 2\n")


def test_how_much_there_may_be() -> None:
    full = f"format = 1 #{'x' * (LONGEST - 12)}"
    assert read(full).text == full
    for more in (f"{full}x", f"format = 1 #{'é' * 32_768}"):
        with pytest.raises(PolicyInvalid, match="at most 65,536 bytes"):
            read(more)


def test_how_many_roles_and_rules_there_may_be() -> None:
    hundred = "format = 1\n" + "".join(f"[roles.r{at}]\n" for at in range(100))
    assert len(read(hundred).roles) == 100
    with pytest.raises(PolicyInvalid, match="there are at most 100 roles"):
        read(f"{hundred}[roles.more]\n")
    thousand = "format=1\n" + "".join(f'[[deny]]\nwhen={{tags=["{at}"]}}\n' for at in range(1_000))
    assert len(read(thousand).everybody) == 1_000
    with pytest.raises(PolicyInvalid, match="there are at most 1,000 rules"):
        read(f'{thousand}[[deny]]\nwhen={{tags=["more"]}}\n')
