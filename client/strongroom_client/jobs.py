"""Jobs: long work that custodians start, and how far it has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

from strongroom_client.errors import Unfinished
from strongroom_client.session import Session


class JobFinding(Struct, frozen=True, kw_only=True):
    """What is wrong with a file at a target of backups, by its stable code.

    `chunk` is counted from 0, None for a manifest; `why` the code of why it could not be mended.
    """

    target: str
    file: str
    code: str
    chunk: int | None = None
    mended: bool = False
    why: str | None = None


class JobNotes(Struct, frozen=True, kw_only=True):
    """What a job has to tell, None where it has nothing.

    Attributes:
        key, compromised: ids of the new key version, and of the leaked one.
        waiting_for: processes that have not loaded the new version yet.
        needed_by: how much of each thing needs the version that was to be destroyed.
        root: the root key's name.
        kind: of the backup that is made: full or incremental.
        outcome: counts of what came of a job on backups.
        findings: the first 100 files of backups that something is wrong with.
        installations: the former ones whose backups go, the newest first.
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


class Job(Struct, frozen=True, kw_only=True):
    """One piece of long work; times in UTC.

    Attributes:
        kind: rotate_keyset, compromise_key, move_root, rotate_root, rewrap, make_backup, verify_backups or
            prune_backups.
        target: what it works on, which has one unfinished job at a time.
        state: waiting, running, done or failed.
        phase: the step it is in; empty before the first.
        done, total, skipped: rows, bytes of verify_backups, files of prune_backups; `total` 0 where it is not known.
        error: the stable code of what stopped it, or holds it up.
    """

    id: str
    kind: str
    target: str
    state: str
    created_at: datetime
    phase: str = ""
    done: int = 0
    total: int = 0
    skipped: int = 0
    error: str | None = None
    notes: JobNotes = JobNotes()
    updated_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.finished_at is not None

    @property
    def failed(self) -> bool:
        """Whether it ended without having done all; `error` says why."""
        return self.state == "failed"


class _Jobs(Struct):
    jobs: list[Job]


class Jobs(Session):
    """The calls on jobs; they need a key that carries the operation keys."""

    def jobs(self) -> list[Job]:
        """Return the tenant's newest jobs, the newest first."""
        return self._call("GET", "/v1/jobs", _Jobs).jobs

    def job(self, job_id: str) -> Job:
        """Return a job as it is now; raise NotFound (code unknown_job)."""
        return self._call("GET", f"/v1/jobs/{quote(job_id, safe='').replace('.', '%2E')}", Job)

    def cancel_job(self, job_id: str) -> Job:
        """Call a job off, so that another can start; what it did stays done. Return it: `error` is cancelled."""
        return self._call("POST", f"/v1/jobs/{quote(job_id, safe='').replace('.', '%2E')}/cancel", Job)

    def wait_for_job(
        self,
        job_id: str,
        *,
        timeout: float | None = None,
        every: float = 1.0,
        progress: Callable[[Job], None] | None = None,
    ) -> Job:
        """Return a job once it has ended, well or not: see `failed`.

        Args:
            timeout: seconds to wait; None for ever.
            every: seconds between two looks at it.
            progress: hears of the job at each look.
        Raises:
            Unfinished: the time is over; the job goes on.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            job = self.job(job_id)
            if progress is not None:
                progress(job)
            if job.ended:
                return job
            if end is not None and time.monotonic() + every > end:
                raise Unfinished(f"{job.id} has not ended within {timeout:g} s", hint="it goes on by itself")
            self._retries.sleep(every)
