"""One job in the hands of one worker: its commits, each with its progress and its fence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault.audit import journal
from vault.columns import Actor
from vault.resources import Resources
from vault.store import jobs
from vault.store.jobs import Job
from vault.store.writer import Refused, Transaction

T = TypeVar("T")


class Run:
    """A job being carried out; `job` is as the database has it since the last commit."""

    def __init__(self, resources: Resources, job: Job, pause: Callable[[float], None]) -> None:
        """Args: `pause` waits so many seconds, or less if the worker is told to end."""
        self.resources, self.job, self.pause = resources, job, pause
        self.following = ""  # the phase after this one
        self.idle = False  # whether it waits for others, so that nobody need wait for it

    @property
    def onward(self) -> dict[str, Any]:
        """The progress that ends a phase, for a step that must never be taken twice to put into its own commit."""
        return {"phase": self.following, "place": b""}

    @property
    def tenant(self) -> int:
        """The tenant that the job belongs to."""
        return self.job.tenant

    @property
    def purpose(self) -> Purpose:
        """The keyset that the job turns."""
        return Purpose(self.job.notes["purpose"])

    def keys(self) -> TenantKeys:
        """Return the tenant's open keys, of the newest generation."""
        self.resources.keyring.refresh(self.tenant)
        return self.resources.keyring.keys(self.tenant)

    def commit(
        self,
        work: Callable[[Transaction], T],
        *,
        keys: TenantKeys | None = None,
        record: tuple[str, str] | None = None,
        counted: bool = False,
        **progress: Any,  # noqa: ANN401
    ) -> T:
        """Carry `work` out and store the job's progress, in one transaction that changes nothing if the job is lost.

        Args:
            keys: the keys that the work rests on; StaleKeyset if their generation is over.
            record: operation and result of an audit record to write; its key is at hand before anybody waits for the
                transaction, since a root that is slow may have to be asked for it.
            counted: what `work` returns is progress, too.
            progress: columns of the job; `place` as far as the phase has come with this.
        """

        auditing = None if record is None else self.resources.keyring.keys(self.tenant)

        def whole(transaction: Transaction) -> T:
            jobs.hold(transaction, self.job, **progress)
            try:
                result = work(transaction)
            except Refused as refused:  # here something was changed already
                raise refused.error from None
            if counted:
                jobs.hold(transaction, self.job, **{**progress, **dict(result)})  # type: ignore[call-overload]
            if auditing is not None and record is not None:
                transaction.append("audit_record", [self._row(auditing, transaction.now, *record)])
            return result

        guard = None if keys is None else (self.tenant, keys.generation)
        result = self.resources.database.write(whole, guard=guard)
        if counted:
            progress |= dict(result)  # type: ignore[call-overload]
        known = {name: value for name, value in progress.items() if name in Job.__slots__}
        self.job = replace(self.job, **known)
        return result

    def note(self, **progress: Any) -> None:  # noqa: ANN401
        """Store progress alone."""
        self.commit(lambda _: None, **progress)

    def _row(self, keys: TenantKeys, now: int, operation: str, result: str) -> journal.Row:
        actor = Actor(self.tenant, "live", self.job.actor, self.job.request_id)
        return journal.row(
            keys, actor, now, operation, result=result, count=self.job.done, refused=self.job.skipped
        )
