"""Jobs about backups that somebody asked for: one made now, copies verified, old ones pruned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from keys.errors import KeyProblem
from vault.columns import Actor
from vault.errors import LeaseLost, VaultError
from vault.recovery import telling
from vault.recovery.line import Interrupted, Line
from vault.store import jobs
from vault.store.jobs import BACKUP_KINDS, DONE, FAILED, WAITING, Job
from vault.store.writer import Transaction

SAY_SECONDS = 1.0  # between two commits of progress
Progress = Callable[[int, int], None]  # done, and of how many, 0 where that is not known
Errand = Callable[[Job, Progress], Mapping[str, object]]  # returns what the job is to remember


class Errands:
    """Carries the jobs out, one at a time."""

    def __init__(self, line: Line, holder: str, kinds: Mapping[str, Errand]) -> None:
        self._line, self._holder, self._kinds = line, holder, kinds
        self._said, self._reached = float("-inf"), (0, 0)

    def one(self) -> bool:
        """Carry out the job that waits; return whether there was one.

        What can be tried again waits for the next worker; what failed is told in the job, and in the records.
        """
        resources = self._line.resources
        self._line.fence()
        job = jobs.take(resources.database, self._holder, resources.gone, BACKUP_KINDS)
        if job is None:
            return False
        try:
            self._reached = job.done, job.total
            found = self._kinds[job.kind](job, partial(self._say, job))
        except Interrupted:
            self._note(job, state=WAITING, leased_until=0)
        except LeaseLost:
            return True
        except (VaultError, KeyProblem) as error:
            self._end(job, FAILED, error.code, job.notes)
        else:
            self._end(job, DONE, None, {**job.notes, **found})
        return True

    def _say(self, job: Job, done: int, total: int) -> None:
        """Store how far a job is, at most once a second, and hold it; Interrupted if the process is to end."""
        self._line.fence()
        self._reached = done, total
        now = self._line.resources.monotonic()
        if now - self._said >= SAY_SECONDS:
            self._said = now
            self._note(job, done=done, total=total)

    def _note(self, job: Job, **changes: object) -> None:
        self._line.resources.database.write(lambda transaction: jobs.hold(transaction, job, **changes))

    def _end(self, job: Job, state: str, error: str | None, notes: Mapping[str, object]) -> None:
        now, actor = self._line.resources.database.now(), Actor(job.tenant, "live", job.actor, job.request_id)
        rows = telling.row(self._line.resources, job.kind, actor, result=error or "ok", target=job.id)

        def work(transaction: Transaction) -> None:
            jobs.hold(
                transaction, job, state=state, error=error, notes=dict(notes), finished_at=now, leased_until=0,
                done=self._reached[0], total=self._reached[1],
            )  # fmt: skip
            transaction.append("audit_record", rows)

        self._line.resources.database.write(work)
