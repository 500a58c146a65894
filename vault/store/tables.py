"""Every table. Growing ones lead with `bucket` (0 to 4095) in key and indexes, so that machines can share them.

Times are microseconds since 1970 (UTC); ids of tenants and keys are random, 1 to 2**63 - 1; `epoch` says when a row
last changed (design, decision 9). docs/format.md has every byte.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def _clustered(name: str, *parts: Column[object] | Index | UniqueConstraint) -> Table:
    """Rows lie in the order of their primary key on SQLite (WITHOUT ROWID): one tree to write, not two."""
    return Table(name, metadata, *parts, sqlite_with_rowid=False)


tenant = Table(
    "tenant",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("mode", Text, nullable=False),  # live or test
    Column("generation", BigInteger, nullable=False),  # every change of a keyset raises it
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("name", "mode"),
)

key_version = Table(
    "key_version",
    metadata,
    Column("tenant", BigInteger, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("root", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("messages", BigInteger, nullable=False),  # reserved so far, in blocks
    Column("created_at", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("activated_at", BigInteger),
    Column("deactivated_at", BigInteger),
    Column("destroy_at", BigInteger),  # when it is to be destroyed; null if that is not planned
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the key's whole text
    Column("operations", Text, nullable=False),  # space-separated
    Column("fields", Text),  # space-separated; null for all
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("roles", Text),  # space-separated; null for none of its own
    Column("made_by", Text),  # the caller that made it; null for a tenant's first
    Column("epoch", BigInteger, nullable=False),
    Index(None, "tenant"),
)

token = _clustered(
    "token",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("token", LargeBinary, primary_key=True),
    Column("field", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),  # 1 opaque, 2 shaped, 3 one_way
    Column("deterministic", Boolean, nullable=False),
    Column("scope", Text, nullable=False),
    Column("subject", LargeBinary),  # 16 bytes, keyed
    Column("sealed", LargeBinary),  # null for one_way
    Column("metadata", LargeBinary),
    Column("seal_key", BigInteger),  # the keyset version or person key of `sealed` and `metadata`
    Column("index_bucket", SmallInteger),  # where the index entry lies; null if there is none
    Column("index_key", BigInteger),
    Column("digest", LargeBinary),
    Column("source", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("tags", Text),  # space-separated and sorted; null for none
    Column("epoch", BigInteger, nullable=False),
    Index("ix_token_subject", "bucket", "tenant", "subject",
          sqlite_where=text("subject IS NOT NULL"), postgresql_where=text("subject IS NOT NULL")),
    Index("ix_token_expires", "bucket", "expires_at",
          sqlite_where=text("expires_at IS NOT NULL"), postgresql_where=text("expires_at IS NOT NULL")),
    Index(None, "epoch"),  # as on every table of which backups copy what changed: it only grows at its end
)  # fmt: skip

index_entry = _clustered(
    "index_entry",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),  # index keyset version
    Column("digest", LargeBinary, primary_key=True),  # bound to tenant, field and scope by its key
    # the kind, one byte: the one deterministic token of that kind; else the fresh token itself
    Column("tie", LargeBinary, primary_key=True),
    Column("token_bucket", SmallInteger, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

subject = _clustered(
    "subject",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, primary_key=True),
    Column("key", BigInteger, nullable=False),  # the person key's id
    Column("wrapped", LargeBinary, nullable=False),
    Column("wrap_key", BigInteger, nullable=False),  # the seal keyset version that wraps it
    Column("created_at", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Index(None, "epoch"),
)

password = _clustered(
    "password",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("account", LargeBinary, primary_key=True),  # a stored token; or 0x10 and a subject digest
    Column("sealed", LargeBinary, nullable=False),  # the verifier
    Column("seal_key", BigInteger, nullable=False),  # the password keyset version of `sealed`
    Column("kind", Text, nullable=False),  # scheme and parameters, to count which are behind
    Column("person", LargeBinary, nullable=False),  # whose log-ins are recorded: a subject digest
    Column("revision", BigInteger, nullable=False),  # raised by every new verifier, not by a new key
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Index(None, "epoch"),
)

attempt = _clustered(
    "attempt",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("who", LargeBinary, primary_key=True),  # keyed digest of an account, or of a source
    Column("failures", Integer, nullable=False),
    Column("barred_until", BigInteger, nullable=False),  # the next attempt is let through then
    Column("expires_at", BigInteger, nullable=False),  # when it is forgotten
    Column("epoch", BigInteger, nullable=False),
    Index(None, "bucket", "expires_at"),
)

erasure = _clustered(
    "erasure",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, primary_key=True),
    Column("subject", LargeBinary, nullable=False),
    Column("key", BigInteger, nullable=False),  # the person key destroyed
    Column("tokens", Integer, nullable=False),
    Column("erased_at", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Index(None, "epoch"),
)

tombstone = _clustered(
    "tombstone",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("token", LargeBinary, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Index(None, "bucket", "epoch"),
    Index(None, "epoch"),
)

departure = _clustered(  # as tombstone, of rows that are no tokens
    "departure",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),  # 1 subject, 2 password
    Column("id", LargeBinary, primary_key=True),  # the subject's digest, the password's account
    Column("at", BigInteger, nullable=False),  # not before the row's `created_at`: see `departures`
    Column("epoch", BigInteger, nullable=False),
    Index(None, "epoch"),
)

audit_record = _clustered(  # records that are not in the tree yet: the sealer moves them into audit_leaf
    "audit_record",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, primary_key=True),  # microseconds (8 bytes) and 8 random bytes
    Column("leaf", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("log", Integer, primary_key=True, autoincrement=False),  # 1, and one more after each restore
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("size", BigInteger, nullable=False),  # leaves in the tree
    Column("dropped", BigInteger, nullable=False),  # leaves before this position were archived and are gone
    Column("previous", Text),  # the last outside checkpoint of the log before
    Column("lost_from", BigInteger),  # positions of that log which the restored database does not have
    Column("lost_to", BigInteger),
)

audit_leaf = _clustered(
    "audit_leaf",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),  # one for 65,536 positions
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("id", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),  # of the record
    Column("leaf", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

audit_tile = _clustered(  # C2SP tlog-tiles: 256 hashes of one level, fewer in the last
    "audit_tile",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

audit_checkpoint = _clustered(
    "audit_checkpoint",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Index(None, "epoch"),
)

audit_run = _clustered(  # sorted (prefix of a digest, position): where a token, person or caller occurs
    "audit_run",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("run", BigInteger, primary_key=True, autoincrement=False),  # the first position that it covers
    Column("tier", SmallInteger, primary_key=True, autoincrement=False),  # how often it was merged
    Column("page", Integer, primary_key=True, autoincrement=False),
    Column("first", LargeBinary, nullable=False),  # the first entry in the page
    Column("last", LargeBinary, nullable=False),  # and the last
    Column("until", BigInteger, nullable=False),  # the position behind the last that the run covers
    Column("entries", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

audit_signer = Table(
    "audit_signer",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),  # audit keyset version
    Column("public", LargeBinary, nullable=False),  # Ed25519; outlives the version
    Column("first", BigInteger),  # positions of the first and last leaf whose digests are under it
    Column("last", BigInteger),
    Column("created_at", BigInteger, nullable=False),
)

audit_sink = Table(
    "audit_sink",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),  # records before it have been delivered
    Column("size", BigInteger, nullable=False),  # of the last checkpoint delivered
    Column("at", BigInteger, nullable=False),
)

audit_health = Table(
    "audit_health",
    metadata,
    Column("name", Text, primary_key=True),  # a sink's, or "sealer"
    Column("state", Text, nullable=False),  # ok, or the stable code of what is wrong
    Column("since", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

policy = Table(
    "policy",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),  # the newest is in force
    Column("document", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the document
    Column("author", Text, nullable=False),
    Column("proposal", Text),
    Column("taken_at", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

proposal = Table(
    "proposal",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the action and its exact parameters
    Column("summary", Text, nullable=False),  # what the second person reads; no value, no token
    Column("document", Text),  # a policy's text
    Column("author", Text, nullable=False),
    Column("needed", SmallInteger, nullable=False),  # people, the author included
    Column("state", Text, nullable=False),  # open, used, rejected, withdrawn
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("epoch", BigInteger, nullable=False),
    Index(None, "tenant", "created_at"),
)

approval = Table(
    "approval",
    metadata,
    Column("proposal", Text, primary_key=True),
    Column("caller", Text, primary_key=True),
    Column("verdict", Text, nullable=False),  # approved or rejected
    Column("at", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

spending = _clustered(
    "spending",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("who", LargeBinary, primary_key=True),  # keyed digest of a caller
    Column("window", Text, primary_key=True),  # minute, hour, day: values; sweep: misses; barred: sweeps
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
    Column("barred_until", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Index(None, "bucket", "expires_at"),
)

frozen_caller = Table(
    "frozen_caller",
    metadata,
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("caller", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("frozen_by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", BigInteger),  # null where it is nobody's alone
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON: names, codes and counts alone
    Column("caller", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("epoch", BigInteger, nullable=False),
    Index(None, "tenant", "at"),
)

alarm_delivery = Table(
    "alarm_delivery",
    metadata,
    Column("alarm", Text, primary_key=True),
    Column("hook", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("problem", Text),  # the stable code of the last failure
    Index(None, "sent_at", "next_at"),
)

installation = Table(
    "installation",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # names this line of backups; one row
    Column("follows", Text),  # JSON: the manifest that a restore made this database from
    Column("made_at", BigInteger, nullable=False),
)

backup = Table(
    "backup",
    metadata,
    Column("stream", Text, primary_key=True),  # keyring or data
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),  # full, incremental or journal
    Column("state", Text, nullable=False),  # running, made, failed, removed
    Column("base", BigInteger),  # the number that it builds on; null for a full one
    Column("until", BigInteger, nullable=False),  # the newest epoch that was closed before it was taken
    Column("taken_at", BigInteger, nullable=False),
    Column("note", Text),  # the signed manifest; null until it is made, and when it is removed
    Column("digest", Text),  # SHA-256 of the note, in hex
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("error", Text),  # the stable code of what stopped it
    Column("fence", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("drilled_at", BigInteger),  # when a drill last restored it
    Column("forfeited_at", BigInteger),  # when a key that it needs was given up
    Index(None, "stream", "state", "number"),
)

backup_copy = Table(
    "backup_copy",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("target", Text, primary_key=True),
    Column("state", Text, nullable=False),  # stored, damaged, removed
    Column("stored_at", BigInteger, nullable=False),
    Column("verified_at", BigInteger),  # when all of it was last read back
    Column("problem", Text),  # the stable code of what is wrong with it
    Column("checked", Integer),  # chunks that the reading back under way has come to; null where none is
)

backup_target = Table(
    "backup_target",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),  # ok, or the stable code of what is wrong
    Column("since", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

drill = Table(
    "drill",
    metadata,
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("number", BigInteger, nullable=False),  # of the data stream
    Column("passed", Boolean, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("taken_at", BigInteger, nullable=False),  # until when the restored data reach
    Column("seconds", BigInteger, nullable=False),  # that the restore took
    Column("report", Text, nullable=False),  # signed by the drill host
    Index(None, "begun_at"),
)

idempotency = _clustered(
    "idempotency",
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, primary_key=True),  # keyed digest of the caller's key
    Column("fingerprint", LargeBinary, nullable=False),  # keyed digest of the request
    Column("status", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "bucket", "expires_at"),
)

epoch = Table(
    "epoch",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # the newest is current
    Column("opened_at", BigInteger, nullable=False),
    Column("horizon", Text),  # PostgreSQL: transactions before this one may still write into the epoch
    Column("closed_at", BigInteger),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),  # raised by every new holder
    Column("expires_at", BigInteger, nullable=False),
)

process = Table(
    "process",
    metadata,
    Column("id", Text, primary_key=True),  # names one life of one process
    Column("kind", Text, nullable=False),  # serve or worker
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

process_keys = Table(
    "process_keys",
    metadata,
    Column("process", Text, primary_key=True),
    Column("tenant", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "generation", BigInteger, nullable=False
    ),  # of the tenant's keysets that the process has in memory
)

job = Table(
    "job",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),  # what it works on: one unfinished job at a time
    Column("state", Text, nullable=False),  # waiting, running, done, failed
    Column("phase", Text, nullable=False),
    Column("notes", Text, nullable=False),  # JSON: what the job must remember; no key, no value
    Column("place", LargeBinary, nullable=False),  # how far the phase has come
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("error", Text),  # the stable code of what stopped it
    Column("actor", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),  # raised by every new holder
    Column("leased_until", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Index("uq_job_unfinished", "tenant", "target", unique=True,
          sqlite_where=text("finished_at IS NULL"), postgresql_where=text("finished_at IS NULL")),
    Index(None, "tenant", "created_at"),
)  # fmt: skip
