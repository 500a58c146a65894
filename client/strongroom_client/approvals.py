"""Proposals: what somebody asks for that needs a second person; looked at, approved, rejected, withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

from strongroom_client.retries import Repeat
from strongroom_client.session import Session


class Verdict(Struct, frozen=True):
    """What a caller said to a proposal: "approved" or "rejected"."""

    caller: str
    verdict: str
    at: datetime


class Proposal(Struct, frozen=True, kw_only=True):
    """What somebody asks for; times in UTC.

    Attributes:
        digest: stands for the action and its exact parameters, in hex.
        document: a policy's text.
        approved, needed: people, the author included; an approval whose caller has ended since does not count.
        state: open, used, rejected, withdrawn or expired.
    """

    id: str
    action: str
    summary: str
    author: str
    approved: int
    needed: int
    state: str
    created_at: datetime
    expires_at: datetime
    digest: str = ""
    document: str | None = None
    used_at: datetime | None = None
    verdicts: list[Verdict] = []


class _Proposals(Struct):
    proposals: list[Proposal]
    next_cursor: str | None = None


class Approvals(Session):
    """The calls on proposals; they need an API key that carries approve, but withdrawing needs none of that."""

    def proposals(self, *, state: str | None = None, page: int = 1000) -> Iterator[Proposal]:
        """Yield proposals, the newest first; `state`: only those."""
        for found in self._pages("/v1/approvals", _Proposals, {"state": state, "limit": page}):
            yield from found.proposals

    def proposal(self, proposal_id: str) -> Proposal:
        """Return a proposal; raise NotFound (code unknown_proposal)."""
        return self._call("GET", _path(proposal_id), Proposal)

    def approve(self, proposal_id: str) -> Proposal:
        """Approve what another person proposed; raise Forbidden (codes self_approval, approval_not_valid)."""
        return self._call("POST", f"{_path(proposal_id)}/approve", Proposal)

    def reject(self, proposal_id: str) -> Proposal:
        """Reject what another person proposed, for good; raises what `approve` does."""
        return self._call("POST", f"{_path(proposal_id)}/reject", Proposal, repeat=Repeat.UNSENT)

    def withdraw(self, proposal_id: str) -> Proposal:
        """Withdraw one's own proposal; raise NotFound for another's."""
        return self._call("POST", f"{_path(proposal_id)}/withdraw", Proposal, repeat=Repeat.UNSENT)


def _path(proposal_id: str) -> str:
    return f"/v1/approvals/{quote(proposal_id, safe='').replace('.', '%2E')}"
