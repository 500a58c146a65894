"""The document read whole: TOML into a policy, or refused with the line that is wrong."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping

from vault.columns import MAX_ITEMS
from vault.errors import PolicyInvalid
from vault.policy import cases, contradictions, holders, networks, purposes, roles
from vault.policy.cursor import Node, is_seen
from vault.policy.holders import Holders
from vault.policy.model import Sweep
from vault.policy.policy import Policy
from vault.policy.positions import lines_of
from vault.policy.roles import MAX_RULES
from vault.policy.rulereader import Reader

FORMAT = 1
LONGEST = 65_536  # bytes of a document in UTF-8
MOST_MISSES, LONGEST_PAUSE = 1_000_000, 3_600  # of a sweep: a minute, and seconds
SECTIONS = (
    "format", "purposes", "networks", "roles", "deny", "callers", "claims", "certificates", "bulk", "sweep", "decoys",
    "cases",
)  # fmt: skip
_QUOTED = re.compile(r" *(?:\(.*\)|'.*')")  # keys and characters of the document, in tomllib's reasons
_AT_LINE = re.compile(r" \(at line ([0-9]+), column [0-9]+\)")


def read(text: str, version: int = 0, tested: bool = True) -> Policy:
    """Return the policy that a document says.

    Args:
        text: TOML 1.0, at most 65,536 bytes in UTF-8.
        version: under which it is stored; 0 for none.
        tested: refuse it if one of its own cases does not come out as it expects. A policy that was taken once is read
            without, lest it be lost to a case.
    Raises:
        PolicyInvalid: with a line that is wrong, and why.
    """
    policy = _build(_parse(text), text, version)
    _test(policy, tested)
    return policy


def _parse(text: str) -> Node:
    """Return the root of the document, with the lines of all that is in it."""
    if len(text) > LONGEST or len(text.encode("utf-8", "surrogatepass")) > LONGEST:
        raise PolicyInvalid(f"a policy has at most {LONGEST:,} bytes")
    text = text.replace("\r\n", "\n")  # as tomllib does
    for number, line in enumerate(text.split("\n"), 1):
        if not is_seen(line.replace("\t", " ")):
            raise PolicyInvalid(
                "there is a control character here, or one that hides or reorders others", number
            )
    lines = lines_of(text)
    try:
        return Node(tomllib.loads(text), (), lines)
    except ValueError as error:  # TOMLDecodeError, or what int() and float() refuse
        at = _AT_LINE.search(str(error))
        place = int(at[1]) if at else text.count("\n") + 1
        reason = _QUOTED.sub("", str(error).partition(" (at ")[0])
        raise PolicyInvalid(f"this is not TOML 1.0: {reason}", place) from None


def _build(root: Node, text: str, version: int) -> Policy:
    found = root.table(*SECTIONS, required=["format"])
    if found["format"].whole(0, 10**6) != FORMAT:
        found["format"].refuse(f"this version of strongroom reads format {FORMAT}")
    reader = Reader(purposes.read(_section(found, "purposes")), networks.read(_section(found, "networks")))
    made = roles.read(_section(found, "roles"), reader)
    everybody = roles.rules({key: found[key] for key in ("deny",) if key in found}, "", reader)
    rules = [*everybody, *(rule for role in made.values() for rule in role.rules)]
    if len(rules) > MAX_RULES:
        root.refuse(f"there are at most {MAX_RULES:,} rules")
    contradictions.refuse(made, everybody)
    held = Holders(
        holders.callers(_section(found, "callers"), made),
        holders.claims(_section(found, "claims", []), made),
        holders.certificates(_section(found, "certificates", []), made),
    )
    named = frozenset[str]().union(*(rule.when.networks for rule in rules))
    idle = [root.lines["networks", name] for name in reader.networks if name not in named]
    return Policy(
        version, text, hashlib.sha256(text.encode()).digest(), reader.purposes, reader.networks, made, everybody, held,
        _bulk(_section(found, "bulk")), _sweep(_section(found, "sweep")), _freeze(_section(found, "decoys")),
        cases.read(_section(found, "cases", []), made, reader), contradictions.warn(made, held.given, idle),
    )  # fmt: skip


def _section(found: Mapping[str, Node], key: str, empty: object = None) -> Node:
    """Return a section of the document; an empty one where it has none."""
    return found.get(key) or Node({} if empty is None else empty, (key,), {}, key)


def _bulk(node: Node) -> int | None:
    found = node.table("limit")
    return found["limit"].whole(1, MAX_ITEMS) if "limit" in found else None


def _sweep(node: Node) -> Sweep:
    found = node.table("misses", "pause")
    read = {
        key: inner.whole(1, LONGEST_PAUSE if key == "pause" else MOST_MISSES) for key, inner in found.items()
    }
    return Sweep(**read)


def _freeze(node: Node) -> bool:
    found = node.table("freeze")
    return "freeze" in found and found["freeze"].truth()


def _test(policy: Policy, tested: bool) -> None:
    """Refuse a case that leaves open what it asks, and if `tested` one that does not come out as it expects."""
    for case, decision, good in policy.run_cases():
        if not case.timed and policy.plan(policy.situation_of(case)).asks_time:
            raise PolicyInvalid("at is missing here: a rule that the case meets looks at the time", case.line)
        if tested and not good:
            came = f"it is {'allowed' if decision.allowed else 'denied'}"
            by = f"by the rule on line {decision.line}" if decision.line else "as no rule allows it"
            raise PolicyInvalid(f"the case does not come out as it expects: {came}, {by}", case.line)
