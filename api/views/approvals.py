"""Proposals: what somebody asks for that needs a second person, and what others say to it."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers
from api.operations import Operation
from api.schema import governed
from api.schema.governing import ProposalQuery
from api.state import vault
from api.views.descriptions import moment
from vault import errors
from vault.columns import Actor
from vault.tally import Proposal

bp = Blueprint("approvals", __name__, url_prefix="/v1/approvals")

_JUDGED = (errors.UnknownProposal, errors.SelfApproval, errors.ApprovalNotValid)


@bp.get("")
@Operation(needs=("approve",), query=ProposalQuery, gives=governed.Proposals)
def index(actor: Actor, ask: ProposalQuery) -> Response:
    """List the proposals, the newest first."""
    page = vault().governance.proposals(actor, ask.state, ask.cursor, ask.limit)
    return answers.answer(governed.Proposals([_shown(one) for one in page.proposals], page.next_cursor))


@bp.get("/<proposal_id>")
@Operation(needs=("approve",), gives=governed.Proposal, refuses=(errors.UnknownProposal,))
def show(actor: Actor, proposal_id: str) -> Response:
    """Show a proposal, and what was said to it."""
    return answers.answer(_shown(vault().governance.proposal(actor, proposal_id)))


@bp.post("/<proposal_id>/approve")
@Operation(needs=("approve",), gives=governed.Proposal, refuses=_JUDGED)
def approve(actor: Actor, proposal_id: str) -> Response:
    """Approve what another person proposed: not one's own, nor that of a key which one's own made or was made by."""
    return answers.answer(_shown(vault().governance.approve(actor, proposal_id)))


@bp.post("/<proposal_id>/reject")
@Operation(needs=("approve",), gives=governed.Proposal, refuses=_JUDGED)
def reject(actor: Actor, proposal_id: str) -> Response:
    """Reject what another person proposed, for good."""
    return answers.answer(_shown(vault().governance.reject(actor, proposal_id)))


@bp.post("/<proposal_id>/withdraw")
@Operation(needs=("any",), gives=governed.Proposal, refuses=(errors.UnknownProposal, errors.ApprovalNotValid))
def withdraw(actor: Actor, proposal_id: str) -> Response:
    """Withdraw one's own proposal."""
    return answers.answer(_shown(vault().governance.withdraw(actor, proposal_id)))


def _shown(one: Proposal) -> governed.Proposal:
    verdicts = [
        governed.Verdict(caller, verdict, moment(at))  # type: ignore[arg-type] # never None; the table's words
        for caller, verdict, at in one.verdicts
    ]
    return governed.Proposal(
        id=one.id,
        action=one.action,
        digest=one.digest.hex(),
        summary=one.summary,
        document=one.document,
        author=one.author,
        approved=one.approved,
        needed=one.needed,
        state=one.state,  # type: ignore[arg-type] # the table's text
        created_at=moment(one.created_at),  # type: ignore[arg-type]
        expires_at=moment(one.expires_at),  # type: ignore[arg-type]
        used_at=moment(one.used_at),
        verdicts=verdicts,
    )
