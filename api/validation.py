"""msgspec's words about a body that does not fit, said again without anything of the body.

msgspec repeats input in two of its messages, those of enum values and unknown members, and a crafted member
name can look like the path at a message's end. So only msgspec's own phrases and our own names pass here.
"""

from __future__ import annotations

import re

import msgspec

from api.schema import asks, auditing, governing
from vault.errors import InvalidRequest

_AT = " - at `"
_STEP = re.compile(r"\.([a-z_]+)|\[([0-9]{1,9})\]|\[\.\.\.\]")
_ITEM = re.compile(r"\$\.(?:values|tokens)\[[0-9]+\]|\$\.items\[[0-9]+\]\.value")
_TYPES = re.compile(r"Expected `([a-z| ]{1,60})`, got `([a-z]{1,20})`")
_BOUND = re.compile(r"Expected `(int|str|array|object)`(?: of length)? (>=|<=|<|>) ([0-9]{1,12})")
_MISSING = re.compile(r"Object missing required field `([a-z_]{1,40})`")
_WORDS = {
    "str": "string",
    "int": "integer",
    "bool": "boolean",
    "float": "number",
    "dict": "object",
    "list": "array",
}
_ENDS = {">=": "at least", "<=": "at most", "<": "less than", ">": "more than"}
_SIZES = {"int": "{} {}", "str": "{} {} characters", "array": "{} {} items", "object": "{} {} members"}


def _names(kind: type) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


NAMES = frozenset().union(
    *(
        _names(kind)
        for kind in (*vars(asks).values(), *vars(governing).values(), *vars(auditing).values())
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    )
)


def in_item(message: str) -> bool:
    """Tell whether `message` is about one value or token of a column, or the value of one item."""
    said, _, path = message.rpartition(_AT)
    return bool(_TYPES.fullmatch(said)) and bool(_ITEM.fullmatch(path.rstrip("`")))


def refusal(message: str) -> InvalidRequest:
    """Return the error for a ValidationError's `message`."""
    said, _, path = message.rpartition(_AT)
    if message.startswith(
        "Object contains unknown field"
    ):  # its name may hold anything, also something like a path
        return InvalidRequest("has a member that does not belong here", _pointer(path) if said else "")
    if not said:
        said, path = message, "$`"
    pointer = _pointer(path)
    if (missing := _MISSING.fullmatch(said)) and missing[1] in NAMES:
        return InvalidRequest("is missing", f"{pointer}/{missing[1]}")
    return InvalidRequest(_phrase(said), pointer)


def _phrase(said: str) -> str:
    """Return our words for msgspec's."""
    if types := _TYPES.fullmatch(said):
        wanted, got = (
            " or ".join(_WORDS.get(word, word) for word in part.split(" | ")) for part in types.groups()
        )
        return f"must be {wanted}, not {got}"
    if bound := _BOUND.fullmatch(said):
        return "must be " + _SIZES[bound[1]].format(_ENDS[bound[2]], f"{int(bound[3]):,}")
    if "matching regex" in said:
        return "has not the form that is wanted here"
    if said.startswith("Invalid enum value"):
        return "is none of the values that are possible here"
    return "is out of range" if said.endswith("out of range") else "is not valid here"


def _pointer(path: str) -> str:
    """Return a path such as "$.items[3].value`" as a JSON pointer, up to the first name that is not ours."""
    steps, at = [], 1
    while step := _STEP.match(path, at):
        name = step[1] or step[2]
        if name is None or (step[1] and step[1] not in NAMES):
            break
        steps.append(name)
        at = step.end()
    return "".join(f"/{step}" for step in steps)
