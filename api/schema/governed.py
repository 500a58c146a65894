"""What replies on policies, approvals, decoys and frozen callers hold."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct


class PolicyVersion(Struct, kw_only=True):
    """A version of the policy: `document` empty in lists; of version 0, the built-in one, nobody is the author."""

    version: int
    document: str
    digest: str
    author: str | None
    proposal: str | None
    taken_at: datetime | None


class PolicyVersions(Struct):
    """Versions of the policy, the newest first; `next_cursor` null on the last page."""

    versions: list[PolicyVersion]
    next_cursor: str | None


class PolicyRemark(Struct):
    """A line of the document (0: none of it) with its text, and what is said of it."""

    line: int
    verdict: str
    words: str
    text: str


class PolicyCheck(Struct):
    """What is probably not meant in a document, and what callers would gain and lose by it."""

    warnings: list[PolicyRemark]
    differences: list[str]


class PolicyDifference(Struct):
    """What callers gain and lose, a sentence each."""

    differences: list[str]


class PolicyAnswer(Struct):
    """Whether it is allowed, by which line (0: by none), with which roles; each rule that was considered."""

    allowed: bool
    line: int
    roles: list[str]
    remarks: list[PolicyRemark]


class PolicyCase(Struct):
    """A case of the document at `line`: what it expects, and what it comes to by line `by`."""

    line: int
    ok: bool
    expected: Literal["allow", "deny"]
    found: Literal["allow", "deny"]
    by: int
    reason: str


class PolicyCases(Struct):
    """The cases of a document; `ok` if all of them come out as they expect."""

    ok: bool
    cases: list[PolicyCase]


class Verdict(Struct):
    """What a caller said to a proposal."""

    caller: str
    verdict: Literal["approved", "rejected"]
    at: datetime


class Proposal(Struct, kw_only=True):
    """What somebody asks for: `approved` of `needed` people, its author included, are for it.

    `digest` stands for the action and its exact parameters; `document` is a policy's text.
    """

    id: str
    action: str
    digest: str
    summary: str
    document: str | None
    author: str
    approved: int
    needed: int
    state: Literal["open", "used", "rejected", "withdrawn", "expired"]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    verdicts: list[Verdict]


class Proposals(Struct):
    """Proposals, the newest first; `next_cursor` null on the last page."""

    proposals: list[Proposal]
    next_cursor: str | None


class FrozenCaller(Struct):
    """A caller that may do nothing; `frozen_by` the policy, or whoever did it."""

    caller: str
    reason: str
    frozen_by: str
    at: datetime


class FrozenCallers(Struct):
    """The frozen callers, the newest first."""

    frozen: list[FrozenCaller]
