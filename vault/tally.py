"""How far a proposal is: what was said to it, and how many people that makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vault.store.lineage import Lineage
from vault.store.proposals import EXPIRED, OPEN, Stored, Verdict

APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one person asks for, and how far it is; times in seconds since 1970 (UTC).

    Attributes:
        digest: SHA-256 of the action and its exact parameters.
        summary: what the others read; no value, no token.
        document: a policy's text; None for other actions.
        approved, needed: people, the author included; an approval whose caller has ended since does not count.
        state: open, used, rejected, withdrawn or expired.
        verdicts: caller, "approved" or "rejected", and when, the oldest first.
    """

    id: str
    action: str
    digest: bytes
    summary: str
    document: str | None
    author: str
    approved: int
    needed: int
    state: str
    created_at: float
    expires_at: float
    used_at: float | None
    verdicts: tuple[tuple[str, str, float], ...]


def shown(stored: Stored, said: Sequence[Verdict], everybody: Lineage, now: int) -> Proposal:
    """Return a proposal with what was said to it, and how many people that makes now (microseconds)."""
    over = stored.state == OPEN and stored.expires_at <= now
    return Proposal(
        stored.id, stored.action, stored.digest, stored.summary, stored.document, stored.author,
        1 + len(_counted(stored, said, everybody)), stored.needed, EXPIRED if over else stored.state,
        stored.created_at / 1e6, stored.expires_at / 1e6, None if stored.used_at is None else stored.used_at / 1e6,
        tuple((one.caller, one.verdict, one.at / 1e6) for one in said),
    )  # fmt: skip


def _counted(stored: Stored, said: Sequence[Verdict], everybody: Lineage) -> list[str]:
    """Return the callers whose approval counts: each another person than the author and those before."""
    counted: list[str] = []
    for one in said:
        others = [stored.author, *counted]
        if one.verdict != APPROVED or any(everybody.related(one.caller, other) for other in others):
            continue
        record = everybody.key(one.caller)
        if everybody.good(one.caller) and (record is None or "approve" in record.operations):
            counted.append(one.caller)
    return counted
