"""The manifest of a backup, and what else is said of backups, as plain data.

A manifest says what a backup is made of. Its text is one line of canonical JSON (members sorted, no spaces, RFC 8259),
signed as a note (C2SP signed-note); `manifests` writes and reads it, docs/format.md describes every member.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from vault.store.streams import Stream

FORMAT = "strongroom-backup/1"
Kind = Literal["full", "incremental", "journal"]
Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Id = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{16}\Z")]
Number = Annotated[int, msgspec.Meta(ge=1, le=9_999_999_999)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Chunk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of rows, in the order in which they are loaded.

    Attributes:
        digest: SHA-256 of the stored bytes, in hex: the file's name.
        size: of the stored bytes.
        rows: how many rows of each table it has.
    """

    digest: Digest
    size: Count
    rows: dict[str, Count]


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another manifest of the same stream: its number, and the SHA-256 of its whole note in hex."""

    number: Number
    digest: Digest


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The installation that this one was restored from, and the data manifest that it was restored to."""

    installation: Id
    number: Number
    digest: Digest


class RootWrapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of the service's `backup` key as a root key wraps it (base64), so that who has the root opens backups.

    `id` is the key version in 16 hex digits; `recipient` the age recipient whose identity it is.
    """

    id: Id
    root: str
    wrapped: str
    recipient: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one backup consists of.

    Attributes:
        installation: 16 hex digits; `follows`: what it was restored from.
        number: from 1, rising in each stream, every number used at most once; some may be missing.
        kind: full; or what changed since `base`: incremental, or journal for the small ones between.
        base: None for a full one. A restore loads a full one and then, link by link, all that build on it.
        previous: the last one made before this in the stream, so that an old state shown as the newest shows.
        taken_at: microseconds since 1970 (UTC), of the one state of the database that all rows are of.
        since, until: rows with an epoch after `since` are in it; `until` was closed before it was taken.
        schema: the database's revision; `software`: the version of strongroom.
        keyring: for data: the number of the keyring that it needs at least; 0 for a keyring.
        counts: how many rows each table of the stream had then; empty for a journal.
        digests: of tables in full, HMAC-SHA-256 over their rows, in hex; see `blocks.Digester`.
        digest_key: the `manifest` key version that the digests are under, 16 hex digits.
        keys: how many rows are sealed under each keyset version (16 hex digits), or needed by one-way digests; empty
            for a journal.
        checkpoints: the newest signed checkpoint of each tenant's audit log (data).
        recipients: age recipients of its chunks, by what they are for: recovery, drill, root.
        roots: (keyring) the root's recipient's identity, as every root that is used wraps it.
        chunks: in the order of loading.
    """

    format: str
    installation: Id
    stream: Stream
    number: Number
    kind: Kind
    taken_at: int
    since: int
    until: int
    schema: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{4}\Z")]
    software: str
    keyring: Count
    recipients: dict[str, list[str]]
    chunks: list[Chunk]
    base: Link | None = None
    previous: Link | None = None
    follows: Origin | None = None
    counts: dict[str, Count] = {}
    digests: dict[str, Digest] = {}
    digest_key: str = ""
    keys: dict[Id, Count] = {}
    checkpoints: list[str] = []
    roots: list[RootWrapped] = []
