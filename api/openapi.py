"""The OpenAPI 3.1 document, drawn from the declarations that guard and decode, so that it cannot drift."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Any

import msgspec
from flask import Flask, current_app
from werkzeug.routing import Rule

from api import errors as api
from api import problems
from api.operations import Operation, declared
from api.schema.replies import Problem
from api.state import state
from keys.errors import (
    KeyProblem,
    RootForbidden,
    RootLoginRefused,
    RootUnavailable,
    RootUnfit,
    RootUntrusted,
)
from vault import errors as vault

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_PART = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_ALWAYS = (api.BadRequest, api.InternalError)
_SIGNED_IN = (
    api.Unauthenticated, api.Forbidden, vault.InvalidRequest, vault.DeadlineExceeded, vault.StaleKeyset,
    vault.StoreUnavailable, vault.StoreConflict, vault.SchemaBehind, vault.AuditUnavailable,
    RootUnavailable, RootForbidden, RootLoginRefused, RootUntrusted, RootUnfit, KeyProblem,
    vault.PolicyDenied, vault.PolicyUnreadable, vault.CallerFrozen, vault.SlowedDown, api.IssuerUnavailable,
)  # fmt: skip
_WITH_BODY = (api.MalformedJson, api.BodyTooLarge, api.TooManyValues, api.UnsupportedMediaType)
_KEYED = (vault.IdempotencyKeyReused,)
_PATHS: Mapping[str, tuple[str, str]] = {
    "token": ("An opaque token.", "tok_live_" + "0" * 35),
    "subject": ("Your own id of the person or company.", "customer-1"),
    "key_id": ("The public id of an API key.", "key-1"),
    "purpose": ("What a keyset is for.", "seal"),
    "version_id": ("The id of a key version: 16 hex digits.", "0" * 16),
    "job_id": ("The id of a job.", "job_" + "0" * 16),
    "alarm_id": ("The id of an alarm.", "alm_" + "0" * 16),
    "drill_id": ("The id of a drill.", "drl_" + "0" * 16),
    "proposal_id": ("The id of a proposal.", "apr_" + "0" * 16),
    "policy_version": ("The number of a policy's version; 0 is the built-in one.", "0"),
}
_REQUEST_ID = {
    "description": "Names the request in log and audit: the caller's own, if it has this form.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same request gives the first reply again and does nothing twice.",
    "schema": {"type": "string", "pattern": "^[ -~]{1,255}$", "minLength": 1, "maxLength": 255},
}


def encoded() -> bytes:
    """Return the current application's document as JSON; drawn once."""
    here = state()
    if here.document is None:
        here.document = msgspec.json.encode(document(current_app))
    return here.document


def document(app: Flask) -> Json:
    """Return the document of everything that `app` offers."""
    paths: Json = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            shown = _operation(declared(view), rule, inspect.getdoc(view) or "")
            paths.setdefault(_PART.sub(r"{\1}", rule.rule), {})[method.lower()] = shown
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "strongroom",
            "version": version("strongroom"),
            "summary": "A field-level encryption and tokenization vault: values in, tokens out.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": _components(app), "securitySchemes": {"key": _SECURITY}},
    }


_SECURITY = {
    "type": "http", "scheme": "bearer",
    "description": "An API key, sr_live_… or sr_test_…, or a token (JWT) of an issuer that the service knows",
}  # fmt: skip


def _components(app: Flask) -> Json:
    """Return the schemas of all bodies and replies."""
    kinds: set[type[Any]] = {Problem}
    for one in map(declared, app.view_functions.values()):
        kinds.update(kind for kind in (one.takes, one.gives) if isinstance(kind, type))
    _, found = msgspec.json.schema_components(
        sorted(kinds, key=lambda kind: kind.__name__), ref_template=_REF
    )
    return {name: _portable(one) for name, one in sorted(found.items())}


def _operation(said: Operation, rule: Rule, text: str) -> Json:
    """Return one method of one path."""
    summary, _, rest = text.partition("\n")
    shown: Json = {
        "operationId": rule.endpoint.replace(".", "_"),
        "tags": [rule.endpoint.partition(".")[0]],
        "summary": summary.rstrip("."),
        "description": "\n\n".join(_paragraphs(said, rest.strip())),
        "responses": _responses(said, rule),
    }
    if parameters := _parameters(said, rule):
        shown["parameters"] = parameters
    if said.takes is not None:
        shown["requestBody"] = {"required": not said.optional, "content": _content(said.takes, said.example)}
    if said.needs:
        shown["security"] = [{"key": []}]
    return shown


def _paragraphs(said: Operation, text: str) -> Iterator[str]:
    """Yield what is to be said of an operation below its summary."""
    if text:
        yield text
    if said.items:
        yield f"Each item may be refused by itself:\n\n{_codes(said.items)}"
    yield f"Operation: {' or '.join(said.needs)}." if said.needs else "Needs no API key."


def _parameters(said: Operation, rule: Rule) -> list[Json]:
    """Return what path, query and headers may hold."""
    found: list[Json] = []
    for name in _PART.findall(rule.rule):
        words, example = _PATHS[name]
        found.append({
            "name": name, "in": "path", "required": True, "description": words, "example": example,
            "schema": {"type": "string", "minLength": 1},
        })  # fmt: skip
    if said.query is not None:
        _, kinds = msgspec.json.schema_components([said.query], ref_template=_REF)
        for name, one in kinds[said.query.__name__]["properties"].items():
            found.append({"name": name, "in": "query", "required": False, "schema": _portable(_given(one))})
    return found + ([_IDEMPOTENCY_KEY] if said.keyed else [])


def _responses(said: Operation, rule: Rule) -> Json:
    """Return the good reply and every problem, grouped by status."""
    good: Json = {"description": "Done.", "headers": {"X-Request-Id": _REQUEST_ID}}
    if said.gives is not None:
        good["content"] = _content(said.gives)
    found = {str(said.status): good}
    absent = [api.NotFound] if _PART.search(rule.rule) else []  # such as an id with a newline in it
    for status, kinds in sorted(_by_status([*_refusals(said), *absent]).items()):
        found[str(status)] = _refused(kinds)
    if said.unready:
        found["503"] = {**good, "description": "Not ready."}
    return found


def _refusals(said: Operation) -> Iterable[type[Exception]]:
    """Return every error class that the operation may answer with."""
    yield from _ALWAYS
    if said.needs:
        yield from _SIGNED_IN
    if said.takes is not None:
        yield from _WITH_BODY
    if said.keyed:
        yield from _KEYED
    yield from said.refuses


def _by_status(kinds: Iterable[type[Exception]]) -> dict[int, list[type[Exception]]]:
    found: dict[int, list[type[Exception]]] = {}
    for kind in dict.fromkeys(kinds):
        found.setdefault(problems.look_up(kind)[0], []).append(kind)
    return found


def _codes(kinds: Iterable[type[Exception]]) -> str:
    """Return the codes of errors and what each means, as a list."""
    codes = {str(kind.code): inspect.getdoc(kind) or "" for kind in kinds}  # type: ignore[attr-defined]
    return "\n".join(f"- `{code}`: {text.partition(chr(10))[0]}" for code, text in codes.items())


def _refused(kinds: Iterable[type[Exception]]) -> Json:
    """Return the reply with a problem."""
    content = {problems.MIMETYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {"description": _codes(kinds), "headers": {"X-Request-Id": _REQUEST_ID}, "content": content}


def _content(kind: type[msgspec.Struct] | str, example: object = None) -> Json:
    if isinstance(kind, str):
        return {kind: {"schema": {"type": "string"} if kind.startswith("text/") else {"type": "object"}}}
    media: Json = {"schema": {"$ref": _REF.format(name=kind.__name__)}}
    return {"application/json": media if example is None else {**media, "example": example}}


def _given(one: Json) -> Json:
    """Return a query parameter's schema without null, which a query cannot say."""
    kinds = [kind for kind in one.get("anyOf", []) if kind != {"type": "null"}]
    return {**kinds[0]} if len(kinds) == 1 else one


def _portable(one: Any) -> Any:  # noqa: ANN401
    """Return a schema with Python's end of text, `\\Z`, written as JSON Schema's, `$`."""
    if isinstance(one, Mapping):
        return {name: _portable(part) for name, part in one.items()}
    if isinstance(one, list):
        return [_portable(part) for part in one]
    return one[:-2] + "$" if isinstance(one, str) and one.endswith(r"\Z") else one
