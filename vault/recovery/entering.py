"""A backup in the catalogue: entered when it begins, made or failed when it ends; all under the lease."""

from __future__ import annotations

from vault.alarms import raise_alarm
from vault.audit import journal
from vault.backup import manifests
from vault.backup.model import Kind
from vault.recovery import telling
from vault.recovery.bases import Base
from vault.recovery.draft import Draft
from vault.recovery.line import Interrupted, Line
from vault.store import catalogue
from vault.store.snapshots import Snapshot
from vault.store.streams import Stream
from vault.store.writer import Transaction


def enter(line: Line, stream: Stream, kind: Kind, base: Base | None, snapshot: Snapshot, fence: int) -> int:
    """Enter a backup that begins; return its number. LeaseLost if the lease is another process's."""

    def work(transaction: Transaction) -> int:
        line.holding.require(transaction, fence)
        number = None if base is None else base.number
        return catalogue.begin(
            transaction, stream, kind, number, snapshot.until, snapshot.taken_at, fence, line.above.get(stream, 0)
        )  # fmt: skip

    number = line.resources.database.write(work)
    line.making.add((stream, number))
    return number


def made(line: Line, draft: Draft, note: str, stored_on: set[str]) -> None:
    """Let a backup count as made, with its records and, where keysets could not be escrowed, an alarm."""
    rows, digest = _records(line, draft, "ok"), manifests.digest(note)

    def work(transaction: Transaction) -> None:
        line.holding.require(transaction, draft.fence)
        catalogue.made(
            transaction, draft.stream, draft.number, draft.fence, note, digest, draft.rows, draft.size,
            sorted(stored_on),
        )  # fmt: skip
        transaction.append("audit_record", rows)
        if draft.contents.missing and draft.kind != "journal":
            _alarm(transaction, draft, next(iter(draft.contents.missing.values())), "escrow")

    line.resources.database.write(work)


def failed(line: Line, draft: Draft, code: str) -> None:
    """Say that a backup came to nothing, with records and alarm."""
    rows = _records(line, draft, code)

    def work(transaction: Transaction) -> None:
        line.holding.require(transaction, draft.fence)
        catalogue.failed(transaction, draft.stream, draft.number, draft.fence, code)
        transaction.append("audit_record", rows)
        if code != Interrupted.code:
            _alarm(transaction, draft, code, draft.stream)

    line.resources.database.write(work)


def _alarm(transaction: Transaction, draft: Draft, code: str, cause: str) -> None:
    detail: dict[str, str | int] = {"stream": cause, "kind": draft.kind, "number": draft.number, "code": code}
    raise_alarm(transaction, None, "backup_failed", detail, cause=cause)


def _records(line: Line, draft: Draft, result: str) -> list[journal.Row]:
    """Return what goes on record in every tenant's log: backups that somebody may want to restore, not journals."""
    if draft.kind == "journal" or draft.stream == "keyring":
        return []
    about = f"{draft.stream} {draft.number}"
    return list(
        telling.rows(line.resources, "make_backup", result=result, count=int(result == "ok"), target=about)
    )
