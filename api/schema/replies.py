"""What replies hold; bodies are encoded from these classes, and OpenAPI describes them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType


class Problem(Struct, kw_only=True, omit_defaults=True):
    """Why a request was refused (RFC 9457); never holds what was sent.

    Where a second person must approve it: the `proposal`, and how many of the people `needed` have `approved` it.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    pointer: str | None = None
    hint: str | None = None
    proposal: str | None = None
    approved: int | None = None
    needed: int | None = None


class ItemProblem(Struct):
    """Why one item was refused while the others went through."""

    index: int
    code: str
    detail: str
    pointer: str


class Token(Struct):
    """The token of one value."""

    token: str


class Tokens(Struct):
    """Tokens in the order of the values, null where refused."""

    tokens: list[str | None]
    errors: list[ItemProblem]


class Values(Struct, omit_defaults=True):
    """Values or masks in the order of the tokens, null where refused; `metadata` if asked for."""

    values: list[str | None]
    errors: list[ItemProblem]
    metadata: list[Raw | None] | None = None


class Comparisons(Struct):
    """Whether each token stands for the value beside it, null where refused."""

    matches: list[bool | None]
    errors: list[ItemProblem]


class TokenDescription(Struct, kw_only=True):
    """What may be said of a token without its value; `class` after JR/T 0171-2020, 4."""

    token: str
    field: str
    kind: Literal["opaque", "shaped", "one_way"]
    deterministic: bool
    scope: str
    source: str | None
    subject: bool
    metadata: bool
    classification: str = msgspec.field(name="class")
    created_at: datetime
    expires_at: datetime | None
    key: str
    tags: list[str]


class Descriptions(Struct):
    """Descriptions in the order of the tokens, null where refused."""

    tokens: list[TokenDescription | None]
    errors: list[ItemProblem]


class TokenPage(Struct):
    """A page of tokens; `next_cursor` null on the last."""

    tokens: list[TokenDescription]
    next_cursor: str | None


class Deletion(Struct):
    """How many tokens were deleted."""

    deleted: int
    errors: list[ItemProblem]


class Matches(Struct):
    """For each value its tokens, oldest first; null where the value was refused."""

    matches: list[list[str] | None]
    errors: list[ItemProblem]


class SubjectErasure(Struct):
    """A subject's erasure: its id in the ledger, and how many tokens went with the key."""

    subject_erased: bool
    tokens: int
    erasure: str


class FieldType(Struct, kw_only=True):
    """A field type; `sample` is made up, `masked` is what the masked view shows of it."""

    name: str
    classification: str = msgspec.field(name="class")
    sample: str
    masked: str
    lookup: bool
    check_digit: bool
    shapable: bool
    options: list[str]


class FieldTypes(Struct):
    """The field types, and the names of what no field may hold: card data (PCI DSS v4.0.1, 3.3.1), passwords."""

    fields: list[FieldType]
    never_stored: list[str]


class ApiKey(Struct, kw_only=True, omit_defaults=True):
    """What is known of an API key; `fields` null for all; `key`, its text, only where it is made."""

    id: str
    name: str
    mode: Literal["live", "test"]
    operations: list[str]
    fields: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    roles: list[str]
    made_by: str | None
    key: str | None = None


class ApiKeys(Struct):
    """The API keys of this mode, revoked ones included."""

    apikeys: list[ApiKey]


class KeyVersion(Struct, kw_only=True):
    """One key version, never its key: `state` after SP 800-57 Part 1 Rev. 5, 7; `needed_by` null if not counted.

    `forfeits` are the backups that were given up just now, for good once the version is destroyed.
    """

    id: str
    state: Literal["pre-active", "active", "suspended", "deactivated", "compromised", "destroyed"]
    root: str
    created_at: datetime
    activated_at: datetime | None
    deactivated_at: datetime | None
    destroy_at: datetime | None
    messages: int
    max_messages: int
    expires_at: datetime | None
    condition: Literal["ok", "due", "over"]
    needed_by: dict[str, int] | None
    forfeits: list[int]


class Keyset(Struct, kw_only=True):
    """The versions of a key for one purpose, the oldest first; the active one seals, the others only open."""

    purpose: str
    rotates: bool
    generation: int
    versions: list[KeyVersion]


class Keysets(Struct):
    """The keysets of this mode; every change of one raises `generation`, which they share."""

    keysets: list[Keyset]


class Root(Struct):
    """A root key of the settings: `version` of its own key, null if it has none; `state` ok, or what is wrong."""

    name: str
    version: int | None
    state: str


class Roots(Struct):
    """The root keys that the settings list."""

    roots: list[Root]


class JobFinding(Struct, kw_only=True):
    """What is wrong with a file at a target of backups, by its stable code.

    `chunk` is counted from 0, null for a manifest; `why` the code of why it could not be mended.
    """

    target: str
    file: str
    chunk: int | None
    code: str
    mended: bool
    why: str | None


class JobNotes(Struct, kw_only=True, omit_defaults=True):
    """What a job has to tell: the new version, the leaked one, processes waited for, what needs a version, the root.

    Of backups: the kind that is made; counts of what came of it; what is wrong with files (the first 100); the former
    installations whose backups go.
    """

    key: str | None = None
    compromised: str | None = None
    waiting_for: int | None = None
    needed_by: dict[str, int] | None = None
    root: str | None = None
    kind: str | None = None
    outcome: dict[str, int] | None = None
    findings: list[JobFinding] | None = None
    installations: list[str] | None = None


class Job(Struct, kw_only=True):
    """Long work: `done`, `total` and `skipped` are rows, bytes of verify_backups, files of prune_backups.

    `error` is the code of what stopped it, or holds it up.
    """

    id: str
    kind: Literal[
        "rotate_keyset", "compromise_key", "move_root", "rotate_root", "rewrap", "make_backup", "verify_backups",
        "prune_backups",
    ]  # fmt: skip
    target: str
    state: Literal["waiting", "running", "done", "failed"]
    phase: str
    done: int
    total: int
    skipped: int
    error: str | None
    notes: JobNotes
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class Jobs(Struct):
    """The newest 100 jobs of this mode, the newest first."""

    jobs: list[Job]


class PasswordChosen(Struct):
    """A password that was stored: `score` 0 (guessed at once) to 4, and why it is easy to guess, if it is."""

    score: int
    warning: str | None


class PasswordVerified(Struct):
    """Whether the password is right; the flags are about the log-in, false where it is wrong."""

    verified: bool
    new_device: bool
    impossible_travel: bool


class Unlocked(Struct):
    """Whether wrong passwords had been counted."""

    unlocked: bool


class PasswordsImported(Struct):
    """How many hashes were taken."""

    imported: int
    errors: list[ItemProblem]


class PasswordStatus(Struct):
    """How many passwords there are by scheme and parameters; `behind` are brought to `profile` at the next log-in."""

    profile: str
    passwords: int
    behind: int
    locked: int
    kinds: dict[str, int]


class LogIn(Struct):
    """One log-in on record, in the view that was asked for."""

    token: str
    at: datetime
    result: Literal["ok", "refused"]
    ip: str | None
    device: str | None
    agent: str | None
    latitude: float | None
    longitude: float | None
    new_device: bool
    impossible_travel: bool


class LogIns(Struct):
    """Log-ins, the newest first; `next_cursor` null on the last page."""

    logins: list[LogIn]
    next_cursor: str | None


class Health(Struct):
    """Whether the process is up, or what of it is ready.

    `drilled_seconds` is the age of the newest data that a drill restored; null where none did, absent without backups.
    """

    status: str
    checks: dict[str, str] = {}
    drilled_seconds: float | UnsetType | None = UNSET
