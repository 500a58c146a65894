"""The HTTP door under generated requests: schemathesis from the document, hypothesis from what JSON can be.

Short by default; STRONGROOM_FUZZ=400 makes it 20,000 requests and more.
"""

from __future__ import annotations

import json
import os
import re

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema
from werkzeug.test import TestResponse

from api.validation import NAMES
from api.views import BLUEPRINTS
from tests.api.door import Door, loads, problem

EXAMPLES = int(os.environ.get("STRONGROOM_FUZZ", "15"))
ATTACK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES < 100,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


def ways() -> list[tuple[str, str]]:
    """Return method and path of every operation, as the document has them."""
    bare = Flask("bare", static_folder=None)
    bare.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    for blueprint in BLUEPRINTS:
        bare.register_blueprint(blueprint)
    rules = [
        (re.sub("<(?:path:)?([a-z_]+)>", r"{\1}", rule.rule), rule.methods or set())
        for rule in bare.url_map.iter_rules()
    ]
    return sorted((path, method) for path, methods in rules for method in methods - {"HEAD"})


@pytest.fixture(scope="module")
def document(app: Flask) -> OpenApiSchema:
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


GOOD: dict[str, dict[str, object]] = {
    "/v1/tokens": {"field": "phone", "value": "13800138000", "subject": "s", "metadata": {"k": "v"}},
    "/v1/tokens/column": {"field": "text", "values": ["a", "b"], "subjects": ["s", None], "kind": "opaque"},
    "/v1/tokens/items": {
        "items": [{"field": "phone", "value": "13800138000"}, {"field": "text", "value": "x"}]
    },
    "/v1/tokens/describe": {"tokens": ["tok_live_" + "0" * 35], "field": "phone"},
    "/v1/tokens/delete": {"tokens": ["tok_live_" + "0" * 35]},
    "/v1/reveal": {"tokens": ["tok_live_" + "0" * 35], "purpose": "audit", "view": "plain", "metadata": True},
    "/v1/find": {"field": "phone", "values": ["13800138000"], "scope": "crm", "options": {"region": "CN"}},
    "/v1/apikeys": {"name": "shop", "operations": ["tokenize"], "fields": ["phone"]},
    "/v1/apikeys/key_0/rotate": {"overlap_seconds": 60},
    "/v1/keys/0123456789abcdef/destroy": {"wait_seconds": 86_400},
    "/v1/roots/move": {"to": "nowhere"},
    "/v1/roots/rotate": {"root": "nowhere"},
    "/v1/roots/rewrap": {"root": "nowhere"},
}
COLUMNS = frozenset({
    "/v1/tokens/column", "/v1/tokens/items", "/v1/tokens/describe", "/v1/tokens/delete", "/v1/reveal", "/v1/find",
})  # fmt: skip
MODES = [
    (path, method, mode)
    for path, method in ways()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if path.startswith("/v1")
    or mode == GenerationMode.POSITIVE  # the others have nothing that could be wrong
]


@pytest.mark.parametrize(("path", "method", "mode"), MODES)
def test_requests_from_the_document(
    document: OpenApiSchema, door: Door, path: str, method: str, mode: GenerationMode
) -> None:
    """Values of the right shape are mostly no phone number, so refusing them (422) is right."""
    headers = {"Authorization": f"Bearer {door.key}"}
    operation = document[path][method]
    excluded = [positive_data_acceptance]
    if path in COLUMNS:  # a token or value that is no string is refused by itself
        excluded.append(negative_data_rejection)

    @ATTACK
    @given(operation.as_strategy(generation_mode=mode))
    def attack(case: Case) -> None:
        case.call_and_validate(headers=headers, excluded_checks=excluded)

    attack()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(sorted(NAMES)) | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=20,
)


@settings(ATTACK, max_examples=EXAMPLES * 10)
@given(path=st.sampled_from(sorted(GOOD)), body=ANYTHING)
def test_any_json(door: Door, path: str, body: object) -> None:
    whole(door.post(path, json.dumps(body).encode()))


@settings(ATTACK, max_examples=EXAMPLES * 10)
@given(path=st.sampled_from(sorted(GOOD)), member=st.sampled_from(sorted(NAMES)), value=ANYTHING)
def test_a_good_body_with_anything_in_one_member(door: Door, path: str, member: str, value: object) -> None:
    whole(door.post(path, json.dumps({**GOOD[path], member: value}).encode()))


@settings(ATTACK, max_examples=EXAMPLES * 10)
@given(path=st.sampled_from(sorted(GOOD)), data=st.data())
def test_a_good_body_with_bytes_changed(door: Door, path: str, data: st.DataObject) -> None:
    body = bytearray(json.dumps(GOOD[path]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    whole(door.post(path, bytes(body)))


def whole(reply: TestResponse) -> None:
    """Check that a reply is a good one, or a problem of the caller's."""
    if reply.status_code >= 300:
        assert problem(reply)[0] < 500
    else:
        assert isinstance(loads(reply), dict)
