"""What a service acknowledged to its callers, and the checks that it kept its word."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from tests.scenarios import records
from tests.scenarios.caller import Caller, calling
from tests.service import Service

AT_ONCE = 5_000


@dataclass(slots=True)
class Once:
    """A request under an Idempotency-Key, and every reply to it that arrived."""

    key: str
    path: str
    body: dict[str, Any]
    replies: list[list[str]] = field(default_factory=list)

    @property
    def source(self) -> str:
        """Marks the rows that the request makes."""
        return str(self.body["source"])


@dataclass(slots=True)
class Ledger:
    """Everything acknowledged so far; several callers may write.

    Attributes:
        values: by field ("" for opaque tokens, which need none) and token, the value.
        fixed: by scope and value, its deterministic tokens.
        operations: by request id, how many tokens were acknowledged.
        once: by Idempotency-Key.
    """

    values: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    fixed: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    operations: dict[str, int] = field(default_factory=dict)
    once: dict[str, Once] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def acknowledge(self, request_id: str, body: dict[str, Any], tokens: list[str]) -> None:
        """Enter the reply to a request for tokens."""
        values = body.get("values") or [body["value"]]
        name = body["field"] if body.get("kind") == "shaped" else ""
        with self.lock:
            self.operations[request_id] = len(tokens)
            self.values[name].update(zip(tokens, values, strict=True))
            if body.get("deterministic"):
                for value, token in zip(values, tokens, strict=True):
                    self.fixed[f"{body['scope']} {body['field']}", value].add(token)

    def acknowledge_once(self, one: Once, tokens: list[str]) -> None:
        """Enter a reply to a request under an Idempotency-Key."""
        with self.lock:
            one.replies.append(tokens)
            self.values[""].update(zip(tokens, one.body["values"], strict=True))

    def add(self, other: Ledger) -> None:
        """Take over what another ledger holds."""
        for name, held in other.values.items():
            self.values[name].update(held)
        for place, tokens in other.fixed.items():
            self.fixed[place] |= tokens
        self.operations |= other.operations
        self.once |= {key: replace(one, replies=list(one.replies)) for key, one in other.once.items()}

    def check_values(self, caller: Caller) -> None:
        """Every acknowledged token opens to its value."""
        for name, held in self.values.items():
            tokens, about = list(held), {"field": name} if name else {}
            for at in range(0, len(tokens), AT_ONCE):
                part = tokens[at : at + AT_ONCE]
                ask = {"tokens": part, "purpose": "service", "view": "plain", **about}
                answer = caller.post("/v1/reveal", ask)
                assert answer.status == 200, answer.raw
                codes = Counter(error["code"] for error in answer.body["errors"])
                assert not codes, f"acknowledged tokens that do not open: {dict(codes)}"
                wrong = [
                    held[token] != value for token, value in zip(part, answer.body["values"], strict=True)
                ]
                assert not any(wrong), f"{sum(wrong)} acknowledged tokens open to something else"

    def check_fixed(self) -> None:
        """No value has two deterministic tokens in a scope, no two values share one."""
        twice = [scope for (scope, _), tokens in self.fixed.items() if len(tokens) > 1]
        assert not twice, f"{len(twice)} values with more than one deterministic token"
        everyone = [token for tokens in self.fixed.values() for token in tokens]
        assert len(everyone) == len(set(everyone)), "one token stands for two values"

    def check_audit(self, url: str) -> None:
        """The audit records name at least the tokens that were acknowledged, operation by operation."""
        found = records.counted(url)
        short = {name: (found[name], count) for name, count in self.operations.items() if found[name] < count}
        assert not short, f"{len(short)} acknowledged operations without a whole audit record"

    def check_once(self, caller: Caller, url: str) -> None:
        """Each request under an Idempotency-Key, sent again, made one set of tokens and always says the same."""
        for one in self.once.values():
            answer = caller.post(one.path, one.body, Idempotency_Key=one.key)
            assert answer.status in {200, 201}, answer.raw
            one.replies.append(answer.body.get("tokens") or [answer.body["token"]])
            assert all(reply == one.replies[0] for reply in one.replies), "one key, two sets of tokens"
        made: dict[str, int] = {}
        made.update(records.rows(url, "SELECT source, count(*) FROM token GROUP BY source"))
        wrong = [one.source for one in self.once.values() if made.get(one.source) != len(one.replies[0])]
        assert not wrong, f"{len(wrong)} requests under a key left more or fewer rows than they acknowledged"

    def check(self, service: Service) -> None:
        """Check all of it, and that the database is sound."""
        with calling(service) as caller:
            self.check_values(caller)
            self.check_fixed()
            self.check_audit(service.database_url)
            self.check_once(caller, service.database_url)
        assert records.damage(service.database_url) == {}
