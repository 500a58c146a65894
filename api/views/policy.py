"""The policy: looked at, tried out, and taken with a second person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Blueprint, Response

from api import answers
from api.operations import Operation
from api.schema import governed, governing
from api.schema.asks import PageQuery
from api.state import state, vault
from api.views.descriptions import moment
from vault import errors
from vault.columns import Actor
from vault.explaining import Explained, Question, Said
from vault.taking import PolicyVersion

bp = Blueprint("policy", __name__, url_prefix="/v1/policy")

_NUMBER = re.compile("[0-9]{1,10}")
_DOCUMENT = """format = 1

[roles.all]
[[roles.all.allow]]
operations = ["*"]
fields = ["*"]
purposes = ["*"]

[callers]
"*" = ["all"]
"""


@bp.get("")
@Operation(needs=("policy",), gives=governed.PolicyVersion)
def index(actor: Actor) -> Response:
    """Show the policy in force."""
    return answers.answer(_shown(vault().governance.policy(actor)))


@bp.get("/versions")
@Operation(needs=("policy",), query=PageQuery, gives=governed.PolicyVersions)
def versions(actor: Actor, ask: PageQuery) -> Response:
    """List the versions of the policy, the newest first, without their documents."""
    page = vault().governance.policy_versions(actor, ask.cursor, ask.limit)
    return answers.answer(governed.PolicyVersions([_shown(one) for one in page.versions], page.next_cursor))


@bp.get("/<policy_version>")
@Operation(needs=("policy",), gives=governed.PolicyVersion, refuses=(errors.UnknownPolicyVersion,))
def show(actor: Actor, policy_version: str) -> Response:
    """Show one version of the policy; 0 is the built-in one."""
    if not _NUMBER.fullmatch(policy_version):
        raise errors.UnknownPolicyVersion("the policy has no version of that number")
    return answers.answer(_shown(vault().governance.policy_version(actor, int(policy_version))))


@bp.post("/check")
@Operation(
    needs=("policy",), takes=governing.PolicyDocument, gives=governed.PolicyCheck, refuses=(errors.PolicyInvalid,),
    example={"document": _DOCUMENT},
)  # fmt: skip
def check(actor: Actor, ask: governing.PolicyDocument) -> Response:
    """Say what would change with a document; 422 with the line if it could not be taken."""
    found = vault().governance.check_policy(actor, ask.document)
    return answers.answer(governed.PolicyCheck(_remarks(found.warnings), list(found.differences)))


@bp.post("/explain")
@Operation(
    needs=("policy",), takes=governing.PolicyQuestion, gives=governed.PolicyAnswer,
    refuses=(errors.UnknownField, errors.UnknownApiKey),
    example={"caller": "oidc:https://login.example#clerk", "field": "bank_card", "purpose": "settle", "view": "full"},
)  # fmt: skip
def explain(actor: Actor, ask: governing.PolicyQuestion) -> Response:
    """Say whether the policy in force would allow something, and by which line."""
    found = vault().governance.explain(actor, _question(ask))
    return answers.answer(_explained(found))


@bp.post("/difference")
@Operation(
    needs=("policy",), takes=governing.PolicyComparison, gives=governed.PolicyDifference,
    refuses=(errors.PolicyInvalid, errors.UnknownPolicyVersion), example={"document": _DOCUMENT},
)  # fmt: skip
def difference(actor: Actor, ask: governing.PolicyComparison) -> Response:
    """Say what callers gain and lose from one policy to another."""
    new = ask.document if ask.new is None else ask.new
    if new is None or None not in (ask.document, ask.new):
        raise errors.InvalidRequest("name either a version or a document to compare with", "/new")
    found = vault().governance.policy_difference(actor, ask.old, new)
    return answers.answer(governed.PolicyDifference(found))


@bp.post("/test")
@Operation(
    needs=("policy",), takes=governing.PolicyTrial, optional=True, gives=governed.PolicyCases,
    refuses=(errors.PolicyInvalid,), example={"document": _DOCUMENT},
)  # fmt: skip
def test(actor: Actor, ask: governing.PolicyTrial) -> Response:
    """Run a document's own table of cases; without a document, that of the policy in force."""
    found = vault().governance.test_policy(actor, ask.document)
    word = {True: "allow", False: "deny"}
    cases = [
        governed.PolicyCase(one.line, one.ok, word[one.expected], word[one.allowed], one.by, one.reason)  # type: ignore[arg-type]
        for one in found
    ]
    return answers.answer(governed.PolicyCases(all(one.ok for one in cases), cases))


@bp.post("/take")
@Operation(
    needs=("policy",), takes=governing.PolicyTaking, gives=governed.PolicyVersion, status=201,
    refuses=(errors.PolicyInvalid, errors.PolicyConflict, errors.ApprovalRequired, errors.ApprovalNotValid),
    example={"document": _DOCUMENT, "base_version": 0},
)  # fmt: skip
def take(actor: Actor, ask: governing.PolicyTaking) -> Response:
    """Put a policy in force.

    403 with a proposal the first time: another person approves it, and the same request is sent again with the header
    `Approval`. 409 if another policy was taken in between.
    """
    return answers.answer(_shown(vault().governance.take_policy(actor, ask.document, ask.base_version)), 201)


def _question(ask: governing.PolicyQuestion) -> Question:
    if (ask.caller is None) == (ask.roles is None):
        raise errors.InvalidRequest("name either a caller or roles", "/caller")
    view = "full" if ask.view == "plain" else ask.view
    at = state().clock() if ask.at is None else ask.at.timestamp()
    return Question(
        ask.operation, ask.caller, frozenset(ask.roles or ()), ask.field, ask.purpose, view, at, ask.network,
        frozenset(ask.tags or ()), ask.age_seconds, ask.own,
    )  # fmt: skip


def _explained(found: Explained) -> governed.PolicyAnswer:
    return governed.PolicyAnswer(found.allowed, found.line, list(found.roles), _remarks(found.said))


def _remarks(said: Sequence[Said]) -> list[governed.PolicyRemark]:
    return [governed.PolicyRemark(one.line, one.verdict, one.words, one.text) for one in said]


def _shown(one: PolicyVersion) -> governed.PolicyVersion:
    return governed.PolicyVersion(
        version=one.version, document=one.document, digest=one.digest, author=one.author, proposal=one.proposal,
        taken_at=moment(one.taken_at),
    )  # fmt: skip
