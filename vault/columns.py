"""What the vault is asked and what it answers, in columns: plain data with no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from vault.errors import VaultError

Kind = Literal["opaque", "shaped", "one_way"]
View = Literal[
    "full", "masked", "last4", "fingerprint", "plain"
]  # of a revealed value; plain: full, as it was called
CallerKind = Literal["key", "oidc", "certificate", "local"]
Mode = Literal["live", "test"]

MAX_ITEMS = 10_000  # values or tokens a request
MAX_FIND = 1_000  # values a look-up: a fresh token's entry may lie in any bucket
MAX_VALUE_BYTES = 65_536  # one value, UTF-8
MAX_METADATA_BYTES = 4_096  # one item's metadata, as JSON

MAX_TAGS = 8  # of one token

OPERATIONS = (  # that an API key may carry and a policy speak of, in the order in which they came
    "tokenize", "reveal", "reveal_plain", "find", "describe", "list", "delete", "erase", "apikeys",
    "keys", "custody", "roots", "verify", "passwords", "unlock", "logins",
    "compare", "audit", "policy", "approve", "decoys", "callers", "backups",
)  # fmt: skip

EVERYBODYS = frozenset({"roots", "backups"})
"""Operations on all businesses at once: API keys of operators carry them, and no business's policy gives them."""

PURPOSES = frozenset({
    "service", "settle", "verify-identity", "notify", "market", "risk",
    "statistics", "audit", "legal", "support", "subject-request",
})  # fmt: skip
FORMER_PURPOSES = {
    "verification": "verify-identity", "notification": "notify", "marketing": "market", "risk_control": "risk",
    "subject_request": "subject-request",
}  # fmt: skip  # names of versions before policies, which are taken as the ones they became


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: one caller of one tenant in one mode.

    Attributes:
        tenant: the tenant's id; live and test data of one business are two tenants.
        mode: "live" or "test".
        name: for the audit: the API key's public id, or `oidc:` or `cert:` and whom the token or certificate names.
        request_id: names the request in logs and audit; 1 to 64 characters.
        fields: the field types the key reaches; None for all.
        deadline: clock time (seconds) after which nothing of the request may be written; None for never.
        kind: how it said who it is.
        roles: those that it has beside what the policy gives to its name.
        claims: what an OIDC token says of it, as the policy's `[[claims]]` ask: pairs of claim and value.
        origin: the address it asks from, as text; None where that is not known.
        subject: the person that it acts for, if its own log-in says so; the caller's own id of the person.
        approval: the proposal that a second person approved, which this request may use.
    """

    tenant: int
    mode: Mode
    name: str
    request_id: str
    fields: frozenset[str] | None = None
    deadline: float | None = None
    kind: CallerKind = "key"
    roles: frozenset[str] = frozenset()
    claims: frozenset[tuple[str, str]] = frozenset()
    origin: str | None = None
    subject: str | None = None
    approval: str | None = None


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a request names to show that it may, beside its purpose; all of it goes into the audit record.

    Attributes:
        case: reference of a case or ticket, such as a court's; 1 to 64 letters, digits or _.:/-
        consent: reference of the person's consent, in the same form.
        subject: only tokens of this person are meant; others are refused.
    """

    case: str | None = None
    consent: str | None = None
    subject: str | None = None


NO_GROUNDS = Grounds()


@dataclass(frozen=True, slots=True)
class Spec:
    """How the tokens of a column are made; equal specs may share a column.

    Attributes:
        kind: opaque, shaped or one_way.
        deterministic: the same value in the same scope gets the same token (one_way always does).
        scope: the space of a deterministic token; None for the field's own.
        ttl: seconds to live; None for ever.
        source: the channel or partner the values came from.
        tags: words that a policy may ask for, each 1 to 32 of a-z, 0-9 and _.:-; at most 8.
        options: what the field type lets the caller say, as sorted pairs.
        keep_first, keep_last: characters of the value that a shaped token keeps.
        check: whether shaped tokens pass ("valid") or fail ("invalid") the field's check digit.
        lookalike: shaped tokens may look real where a field has neither check digit nor reserved prefix.
    """

    kind: Kind = "opaque"
    deterministic: bool = False
    scope: str | None = None
    ttl: int | None = None
    source: str | None = None
    options: tuple[tuple[str, object], ...] = ()
    keep_first: int = 0
    keep_last: int = 0
    check: Literal["invalid", "valid"] = "invalid"
    lookalike: bool = False
    tags: tuple[str, ...] = ()


@dataclass(slots=True, repr=False)
class Column:
    """Values of one field type to tokenize; `subjects` and `metadata`, where given, are as long as `values`.

    `metadata` is JSON in UTF-8, which the vault seals and never reads. `decoy`: the tokens are decoys (`decoys`).
    """

    field: str
    values: Sequence[object]
    spec: Spec = Spec()
    subjects: Sequence[str | None] | None = None
    metadata: Sequence[bytes | None] | None = None
    decoy: bool = False


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One key version, without its key; times in seconds since 1970 (UTC), None where there is none.

    Attributes:
        id: 16 hex digits.
        state: of SP 800-57 Part 1 Rev. 5, section 7, or "suspended".
        root: the name of the root key that wraps it.
        messages, max_messages: sealed under it so far, reserved ones included, and at most.
        expires_at: when its cryptoperiod ends, after which it seals no more; of an active version of the seal keyset.
        condition: "ok"; "due" from nine tenths of its time or messages on; "over" when it seals no more.
        needed_by: how much of each thing needs it; None where it was not counted.
        forfeits: numbers of the backups that were given up just now, as they need it.
    """

    id: str
    state: str
    root: str
    created_at: float
    activated_at: float | None
    deactivated_at: float | None
    destroy_at: float | None
    messages: int
    max_messages: int
    expires_at: float | None
    condition: str
    needed_by: dict[str, int] | None = None
    forfeits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class KeysetInfo:
    """A keyset: what it is for, whether it turns, its versions, the oldest first."""

    purpose: str
    rotates: bool
    generation: int
    versions: tuple[KeyInfo, ...]


@dataclass(frozen=True, slots=True)
class RootInfo:
    """A root key that the settings list: its name, the newest version of its own key if it has any, "ok" or a code."""

    name: str
    version: int | None
    state: str


@dataclass(slots=True, repr=False)
class Tokenized:
    """The tokens of one column in its order, None where refused; `errors` by index."""

    tokens: list[str | None]
    errors: dict[int, VaultError] = field(default_factory=dict)


@dataclass(slots=True, repr=False)
class Revealed:
    """The values or masks of the tokens asked for, in order, None where refused; `errors` by index."""

    values: list[str | None]
    metadata: list[bytes | None] | None = None
    errors: dict[int, VaultError] = field(default_factory=dict)


@dataclass(slots=True, repr=False)
class Compared:
    """Whether each token stands for the value beside it, None where refused; `errors` by index."""

    matches: list[bool | None]
    errors: dict[int, VaultError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Description:
    """What may be said of a token without its value; times in seconds since 1970 (UTC)."""

    token: str
    field: str
    kind: Kind
    deterministic: bool
    scope: str
    source: str | None
    subject: bool
    metadata: bool
    created_at: float
    expires_at: float | None
    key: str
    tags: tuple[str, ...] = ()


@dataclass(slots=True, repr=False)
class Described:
    """Descriptions in the order asked, None where refused; `errors` by index."""

    tokens: list[Description | None]
    errors: dict[int, VaultError] = field(default_factory=dict)


@dataclass(slots=True)
class Deleted:
    """How many tokens were deleted, and which were refused, by index."""

    deleted: int
    errors: dict[int, VaultError] = field(default_factory=dict)


@dataclass(slots=True, repr=False)
class Found:
    """For each value the tokens that stand for it, oldest first; None where the value was refused."""

    matches: list[list[str] | None]
    errors: dict[int, VaultError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of descriptions, and where the next one starts; None at the end."""

    tokens: list[Description]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure destroyed: the ledger entry's id (32 hex digits) and the number of tokens."""

    id: str
    tokens: int


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """A reply kept for an Idempotency-Key: HTTP status and body bytes."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Remember:
    """Keep the reply of this request under its Idempotency-Key, in the commit that does the work.

    Attributes:
        key: the caller's Idempotency-Key, 1 to 255 characters.
        request: method, path and body, of which only a keyed fingerprint is stored.
        render: turns the result into the reply to keep.
    """

    key: str
    request: bytes
    render: Callable[[object], Reply]


class AlreadyDone(VaultError):
    """The request was carried out before under its Idempotency-Key; `reply` is what it answered."""

    code = "already_done"

    def __init__(self, reply: Reply) -> None:
        super().__init__("the request was carried out before")
        self.reply = reply


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """What is known of an API key besides its secret; times in seconds since 1970 (UTC).

    Attributes:
        roles: those that it has whatever the policy says of its name.
        made_by: the caller that made it; after a rotation the key before it and, if that is another, who rotated it,
            separated by a space: all of them were in the hands that this one is in. None for a tenant's first.
    """

    id: str
    tenant: int
    mode: Mode
    name: str
    operations: tuple[str, ...]
    fields: tuple[str, ...] | None
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    roles: tuple[str, ...] = ()
    made_by: str | None = None


Options = Mapping[str, object]
