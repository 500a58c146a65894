"""Write `api.md` from the OpenAPI document and `commands.md` from the command's help: neither can drift.

`make docs` writes them here; with a folder as argument they go there.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from flask import Flask

from api import openapi
from api.cli import cli
from api.views import BLUEPRINTS

Json = dict[str, Any]
WIDTH = 100  # characters of a help text's line


def api() -> str:
    """Return the reference of the HTTP API."""
    app = Flask("reference", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    document = openapi.document(app)
    lines = [
        "# HTTP API",
        "",
        "Written by `make docs` from the OpenAPI document that the service gives at `/openapi.json`.",
    ]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            lines += ["", f"## {method.upper()} {path}", "", *_operation(operation)]
    lines += ["", "# Shapes"]
    for name, shape in document["components"]["schemas"].items():
        lines += ["", f"## {name}", "", *_shape(shape)]
    return "\n".join(lines) + "\n"


def _operation(operation: Json) -> Iterator[str]:
    yield f"{operation['summary']}."
    if "description" in operation:
        yield from ("", operation["description"])
    yield from [""] * ("parameters" in operation)
    for place in operation.get("parameters", ()):
        told = (
            f"- `{place['name']}` ({place['in']}): {_type(place['schema'])}. {place.get('description', '')}"
        )
        yield told.rstrip()
    if "requestBody" in operation:
        ((_, body),) = operation["requestBody"]["content"].items()
        yield from ("", f"Takes {_type(body['schema'])}.")
        if "example" in body:
            yield from ("", "```json", json.dumps(body["example"], ensure_ascii=False), "```")
    yield from ("", "| status | |", "|---|---|")
    for status, reply in operation["responses"].items():
        ((_, body),) = reply.get("content", {"": {}}).items()
        codes = re.findall(r"`(\w+)`:", reply["description"])
        shape = _type(body["schema"]) if "schema" in body else "no body"
        told = ", ".join(f"`{code}`" for code in codes) or shape
        yield f"| {status} | {told} |"


def _shape(shape: Json) -> Iterator[str]:
    yield shape.get("description", "")
    yield from ("", "| member | type | |", "|---|---|---|")
    needed = shape.get("required", ())
    for name, member in shape["properties"].items():
        told = member.get("description") or next(
            (one["description"] for one in member.get("anyOf", ()) if "description" in one), ""
        )
        default = f"default `{json.dumps(member['default'])}`. " if member.get("default") is not None else ""
        yield f"| `{name}`{' (required)' if name in needed else ''} | {_type(member)} | {default}{told} |"


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        item, most = (
            _type(schema["items"]),
            f", at most {schema['maxItems']:,}" if "maxItems" in schema else "",
        )
        return f"list of ({item}){most}" if " or " in item else f"list of {item}{most}"
    bounds = [f"`{schema['pattern']}`"] if "pattern" in schema else []
    bounds += [f"{word} {schema[key]:,}" for key, word in _BOUNDS.items() if key in schema]
    return f"{kind} ({', '.join(bounds)})" if bounds else str(kind)


_BOUNDS = {
    "minimum": "from",
    "maximum": "to",
    "minLength": "length from",
    "maxLength": "length to",
    "maxProperties": "members to",
}


def commands() -> str:
    """Return the reference of the command."""
    lines = ["# The command", "", "Written by `make docs` from the command's own help."]
    for name, text in _helps(cli.make_context("strongroom", [], resilient_parsing=True)):
        lines += ["", f"## {name}", "", "```", text.rstrip(), "```"]
    return "\n".join(lines) + "\n"


def _helps(context: click.Context) -> Iterator[tuple[str, str]]:
    context.terminal_width = WIDTH
    yield context.command_path, context.get_help()
    command = context.command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from _helps(child.make_context(name, [], parent=context, resilient_parsing=True))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    (folder / "api.md").write_text(api(), encoding="utf-8")
    (folder / "commands.md").write_text(commands(), encoding="utf-8")
