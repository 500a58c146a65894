"""The policy of who may see what: looked at, checked, explained, tried, and taken with a second person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from strongroom_client.errors import InvalidArgument
from strongroom_client.options import View, wire
from strongroom_client.retries import Repeat
from strongroom_client.session import Session, encode


class PolicyVersion(Struct, frozen=True, kw_only=True):
    """A policy as it was taken; version 0 is the built-in one, and nobody's.

    Attributes:
        document: its text, TOML; empty in lists.
        digest: SHA-256 of the document, in hex.
        proposal: the id of the proposal by which it was approved.
    """

    version: int
    document: str = ""
    digest: str = ""
    author: str | None = None
    proposal: str | None = None
    taken_at: datetime | None = None


class PolicyRemark(Struct, frozen=True):
    """A line of the document (0: none of it), what is said of it, and its text.

    Attributes:
        verdict: "allows", "denies" or "does not apply" of a rule; "note", "warning"; at the end "allowed" or "denied".
    """

    line: int
    verdict: str
    words: str
    text: str = ""


class PolicyCheck(Struct, frozen=True):
    """What is probably not meant in a document, and what callers would gain and lose by it."""

    warnings: list[PolicyRemark]
    differences: list[str]


class PolicyAnswer(Struct, frozen=True):
    """Whether something is allowed, by which line (0: by none), with which roles; and each rule that was considered."""

    allowed: bool
    line: int
    roles: list[str]
    remarks: list[PolicyRemark]


class PolicyCase(Struct, frozen=True):
    """A case of the document: `expected` and `found` are "allow" or "deny"; `by` is the line that decides it."""

    line: int
    ok: bool
    expected: str
    found: str
    by: int = 0
    reason: str = ""


class PolicyTest(Struct, frozen=True):
    """The cases of a document; `ok` if all of them come out as they expect."""

    ok: bool
    cases: list[PolicyCase]


class _Versions(Struct):
    versions: list[PolicyVersion]
    next_cursor: str | None = None


class _Difference(Struct):
    differences: list[str]


class Policies(Session):
    """The calls on the policy; they need an API key that carries the operation policy."""

    def policy(self, version: int | None = None) -> PolicyVersion:
        """Return the policy in force, or one version of it; raise NotFound (code unknown_policy_version)."""
        path = "/v1/policy" if version is None else f"/v1/policy/{version:d}"
        return self._call("GET", path, PolicyVersion)

    def policy_versions(self, *, page: int = 1000) -> Iterator[PolicyVersion]:
        """Yield the versions of the policy, the newest first, without their documents."""
        for found in self._pages("/v1/policy/versions", _Versions, {"limit": page}):
            yield from found.versions

    def check_policy(self, document: str) -> PolicyCheck:
        """Return what would change with a document; raise Refused (code policy_invalid) with the line that is wrong."""
        return self._call("POST", "/v1/policy/check", PolicyCheck, body=encode({"document": document}))

    def explain_policy(
        self,
        operation: str = "reveal",
        *,
        caller: str | None = None,
        roles: Sequence[str] | None = None,
        field: str | None = None,
        purpose: str | None = None,
        view: View | None = None,
        at: datetime | None = None,
        network: str | None = None,
        tags: Sequence[str] = (),
        age_seconds: int = 0,
        own: bool = False,
    ) -> PolicyAnswer:
        """Return whether the policy in force would allow something, and by which line of it.

        Args:
            caller, roles: exactly one of them: an API key's id, or another caller's name; or roles of the policy.
            field, purpose: as far as the operation has them.
            at: with its time zone; default now.
            network: the address that it comes from.
            tags, age_seconds, own: of the row that is asked for.
        """
        if at is not None and at.tzinfo is None:
            raise InvalidArgument("at needs a time zone")
        ask = wire({
            "operation": operation, "caller": caller, "roles": None if roles is None else list(roles), "field": field,
            "purpose": purpose, "view": view, "at": at, "network": network, "tags": list(tags) or None,
            "age_seconds": age_seconds or None, "own": own or None,
        })  # fmt: skip
        return self._call("POST", "/v1/policy/explain", PolicyAnswer, body=encode(ask))

    def policy_difference(self, new: str | int, *, old: int | None = None) -> list[str]:
        """Return what callers gain and lose from version `old` (default: the one in force) to a document or version."""
        ask = wire({"old": old, "document" if isinstance(new, str) else "new": new})
        return self._call("POST", "/v1/policy/difference", _Difference, body=encode(ask)).differences

    def test_policy(self, document: str | None = None) -> PolicyTest:
        """Run the cases of a document; default those of the policy in force."""
        return self._call("POST", "/v1/policy/test", PolicyTest, body=encode(wire({"document": document})))

    def take_policy(self, document: str, *, base_version: int) -> PolicyVersion:
        """Put a policy in force on top of a version.

        Raises:
            ApprovalRequired: the first time; once another person approved its `proposal`, the same call is made through
                `client.using(proposal)`.
            Refused: codes policy_invalid, policy_conflict, approval_not_valid.
        """
        body = encode({"document": document, "base_version": base_version})
        return self._call("POST", "/v1/policy/take", PolicyVersion, body=body, repeat=Repeat.UNSENT)
