"""msgspec's messages on their way out: nothing that was sent passes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import validation
from api.schema import asks

NAMES = sorted(validation.NAMES)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("message", "pointer", "said"),
    [
        ("Expected `str`, got `int` - at `$.field`", "/field", "must be string, not integer"),
        ("Expected `int | null`, got `float` - at `$.items[3].ttl_seconds`", "/items/3/ttl_seconds",
         "must be integer or null, not number"),
        ("Expected `object`, got `array`", "", "must be object, not array"),
        ("Object missing required field `value` - at `$.items[0]`", "/items/0/value", "is missing"),
        ("Object contains unknown field `canary`", "", "has a member that does not belong here"),
        ("Object contains unknown field `canary` - at `$.keep`", "/keep", "has a member that does not belong here"),
        ("Object contains unknown field `a` - at `$.canary`", "", "has a member that does not belong here"),
        ("Invalid enum value 'canary' - at `$.kind`", "/kind", "is none of the values that are possible here"),
        ("Expected `str`, got `int` - at `$.metadata[...]`", "/metadata", "must be string, not integer"),
        ("Expected `int` >= 1 - at `$.ttl_seconds`", "/ttl_seconds", "must be at least 1"),
        ("Expected `str` of length <= 128 - at `$.subject`", "/subject", "must be at most 128 characters"),
        ("Expected `object` of length <= 16 - at `$.metadata`", "/metadata", "must be at most 16 members"),
        ("Expected `str` matching regex 'x' - at `$.scope`", "/scope", "has not the form that is wanted here"),
        ("Number out of range - at `$.values[2]`", "/values/2", "is out of range"),
        ("something else entirely: canary", "", "is not valid here"),
    ],
)  # fmt: skip
def test_each_message_in_our_words(message: str, pointer: str, said: str) -> None:
    error = validation.refusal(message)
    assert (error.pointer, str(error)) == (pointer, said)


@given(
    st.sampled_from([asks.NewToken, asks.NewColumn, asks.NewItems, asks.Reveal, asks.NewApiKey]), json_values
)
def test_only_our_own_words_pass(kind: type, value: object) -> None:
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=kind)
    except msgspec.ValidationError as error:
        refused = validation.refusal(str(error))
        steps = refused.pointer.split("/")[1:]
        assert all(step in validation.NAMES or step.isdigit() for step in steps)
        words = str(refused).replace(",", "").split()
        assert all(word in OURS or word.isdigit() for word in words), words


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_crafted_member_name_passes_nothing(name: str, path: str) -> None:
    crafted = f"{name}` - at `$.{path}"
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(msgspec.json.encode({"keep": {crafted: 1}}), type=asks.NewToken)
    steps = validation.refusal(str(caught.value)).pointer.split("/")[1:]
    assert all(step in validation.NAMES or step.isdigit() for step in steps)


OURS = frozenset(
    word
    for words in (
        "must be string integer boolean number object array null or not at least most less more than",
        "characters items members is missing has a member that does belong here the form wanted",
        "none of values are possible out range valid",
    )
    for word in words.split()
)
