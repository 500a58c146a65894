"""Both READMEs name all that there is: settings, error codes, fields, addresses, purposes, operations."""

import re
from pathlib import Path

import pytest
from flask import Flask

from api.config import Settings
from api.problems import TABLE
from api.views import BLUEPRINTS
from keys.errors import KeyProblem
from vault import errors, fields
from vault.columns import OPERATIONS, PURPOSES

ROOT = Path(__file__).parents[2]
ABSTRACT = {errors.VaultError, errors.ItemError, KeyProblem}


def settings() -> set[str]:
    return {f"STRONGROOM_{name.upper()}" for name in Settings.model_fields}


def codes() -> set[str]:
    return {kind.code for kind in TABLE if kind not in ABSTRACT}


def addresses() -> set[str]:
    app = Flask("addresses", static_folder=None)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return {re.sub(r"<(?:\w+:)?\w+>", "{}", rule.rule) for rule in app.url_map.iter_rules()}


@pytest.fixture(params=["README.md", "README.zh.md"])
def readme(request: pytest.FixtureRequest) -> str:
    return (ROOT / request.param).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "names",
    [settings(), codes(), set(fields.names()), PURPOSES, set(OPERATIONS)],
    ids=["settings", "codes", "fields", "purposes", "operations"],
)
def test_the_readme_names_all(names: set[str], readme: str) -> None:
    assert names <= set(re.findall(r"`([A-Za-z0-9_-]+)`", readme))


def test_the_readme_names_all_addresses(readme: str) -> None:
    told = {re.sub(r"\{\w+\}", "{}", path) for path in re.findall(r"/[a-z0-9.]+(?:/[a-z{}]+)*", readme)}
    assert addresses() <= told


def test_the_readme_names_no_setting_that_is_not_there(readme: str) -> None:
    client = {
        "STRONGROOM_URL",
        "STRONGROOM_API_KEY",
        "STRONGROOM_API_KEY_FILE",
        "STRONGROOM_CA",
        "STRONGROOM_TOKEN_FILE",
    }
    assert set(re.findall(r"STRONGROOM_[A-Z0-9_]+", readme)) <= settings() | client


def test_both_readmes_have_the_same_examples() -> None:
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))
    assert re.findall(r"^call .*$", english, re.M) == re.findall(r"^call .*$", chinese, re.M)
