"""The scanner finds the keys that `tomllib` finds, each on its line, in every document that `tomllib` takes."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vault.errors import PolicyInvalid
from vault.policy.positions import Path as Place
from vault.policy.positions import lines_of

SHOP = (Path(__file__).parent / "shop.toml").read_text("utf-8")
ODD = (
    r'''# every form that TOML 1.0 has
"" = 1
'quo.ted' = """
one "two" \
  three"""
"es\u0063aped\"" = '''
    + """'''
'lit' ''eral'''''
"""
    + r'''
a.b . "c d".'e' = [ # comment
  1, [2,
  3], { x = 1, y.z = [ { } ] }, # more
]
when = 1979-05-27 07:32:00.5
times = [07:32:00, 1979-05-27, 1979-05-27T07:32:00-08:00, inf, -nan, 0xdead_beef, 1e-3, true]
empty = [
]
[ table . "inner table" ]
x = """"quotes""""
[[array]]
[[array.inner]]
x = 1
[[array.inner]]
[array.one]
y = {}
[[array]]
[array.one.two]
'''
)


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for part, inner in members:
        yield (*here, part)
        yield from places(inner, (*here, part))


@pytest.mark.parametrize(
    "text", [SHOP, ODD, "", "\n\n", "a = 1", "# only"], ids=["shop", "odd", "", "n", "a", "#"]
)
def test_the_same_keys_are_found(text: str) -> None:
    assert lines_of(text).keys() == set(places(tomllib.loads(text)))


def test_each_stands_on_its_line() -> None:
    lines = lines_of(ODD)
    deep = ("a", "b", "c d", "e")
    numbered = dict(enumerate(ODD.split("\n"), 1))
    for place, begin in {
        ("",): '""', ("quo.ted",): "'quo.ted'", ('escaped"',): '"es', ("a",): "a.b", deep: "a.b",
        (*deep, 0): "  1, [2", (*deep, 1, 0): "  1, [2", (*deep, 1, 1): "  3]", (*deep, 2, "y", "z", 0): "  3]",
        ("times", 7): "times", ("table", "inner table"): "[ table",
        ("table", "inner table", "x"): "x = ", ("array",): "[[array]]", ("array", 0, "one", "y"): "y = {}",
        ("array", 1, "one"): "[array.one.two]",
    }.items():  # fmt: skip
        assert numbered[lines[place]].startswith(begin), place
    assert (
        lines["array", 1] > lines["array", 0, "inner", 1] > lines["array", 0, "inner", 0] > lines["array", 0]
    )


def test_what_tomllib_takes_is_taken_and_read_alike() -> None:
    pick = random.Random(6)
    taken = 0
    for _ in range(1_200):
        text = mutated(ODD if pick.random() < 0.7 else SHOP[:1_200], pick)
        try:
            parsed = tomllib.loads(text)
        except ValueError:
            continue
        taken += 1
        found = lines_of(text)
        assert found.keys() == set(places(parsed))
        assert set(found.values()) <= set(range(1, text.count("\n") + 2))
    assert taken > 90


def mutated(text: str, pick: random.Random) -> str:
    """Return the text with a few pieces changed, moved or left out."""
    for _ in range(pick.choice([1, 1, 2, 4])):
        at = pick.randrange(len(text))
        until = min(len(text), at + pick.choice([0, 1, 1, 2, 30]))
        begin = pick.randrange(len(text))
        piece = pick.choice(
            ["", "", *"\n\"'[]{}=,.#\\ 1a", "'''", '"""', "[[", text[begin : begin + pick.randrange(40)]]
        )
        text = text[:at] + piece + text[until:]
    return text


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 30_000 + " = 1", "[" + "a." * 30_000 + "a]", "x = " + "[" * 60_000, "x = " + "{a=" * 20_000,
        "x = [" + "[],[" * 15_000, 'x = "' + "\\" * 60_000, 'x = """' + '""' * 30_000, "x = '''" + "''" * 30_000,
        "x = [" + "#\n" * 30_000, "[a]\n" * 16_000, "x = " + "9" * 60_000, "x=" + "1 " * 30_000, "'" * 65_000,
        ("a" * 60 + ".") * 1_000, "x = { " + "a.b.c.d.e.f.g.h = 1, " * 3_000,
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_nothing_takes_long_or_goes_deep(text: str) -> None:
    with pytest.raises(PolicyInvalid):
        lines_of(text)
