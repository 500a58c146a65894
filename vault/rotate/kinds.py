"""The kinds of jobs and their phases; and the loop that carries one job out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keys.errors import KeyProblem
from keys.keyset import Purpose
from vault.errors import LeaseLost, StaleKeyset, VaultError
from vault.resources import Resources
from vault.rotate import ending, indexing, renewing, roots, sealing, turning, verifying
from vault.rotate.run import Run
from vault.store import jobs, stale
from vault.store.jobs import DONE, FAILED, WAITING, Job

Phase = Callable[[Run], bool]  # does one step; True when there is none left

_TURN: tuple[Phase, ...] = (turning.add, turning.spread, turning.activate)
ROTATE: Mapping[Purpose, tuple[Phase, ...]] = {
    Purpose.SEAL: (*_TURN, sealing.people, sealing.rows),
    Purpose.INDEX: (*_TURN, indexing.entries, ending.shelve),
    Purpose.AUDIT: _TURN,
    Purpose.PASSWORD: (*_TURN, verifying.verifiers),
}
COMPROMISE: Mapping[Purpose, tuple[Phase, ...]] = {
    Purpose.SEAL: (*_TURN, renewing.renew, sealing.rows, ending.destroy),
    Purpose.INDEX: (*_TURN, indexing.entries, ending.shelve, ending.destroy),
    Purpose.AUDIT: (*_TURN, ending.destroy),
    Purpose.PASSWORD: (*_TURN, verifying.verifiers, ending.destroy),
}
ROOTS: Mapping[str, tuple[Phase, ...]] = {
    "move_root": (roots.move,),
    "rotate_root": (roots.turn, roots.rewrap_all, roots.ship, roots.retire),
    "rewrap": (roots.note_version, roots.rewrap_all),
}
END = "end"
SLICE_SECONDS = 5.0  # after which a job lets one that waits have a turn: it may be an emergency
RETRY_SECONDS = 2.0  # after something that may pass by itself, such as a root that does not answer


def phases(job: Job) -> dict[str, Phase]:
    """Return the phases of a job in their order, by name."""
    if job.kind in ROOTS:
        found = ROOTS[job.kind]
    else:
        found = (COMPROMISE if job.kind == "compromise_key" else ROTATE)[Purpose(job.notes["purpose"])]
    return {phase.__name__: phase for phase in found}


def carry_out(
    resources: Resources, job: Job, told: Callable[[], bool], pause: Callable[[float], None]
) -> None:
    """Go on with a job that was taken, to its end, or until the worker is told to end, or somebody else has it.

    Args:
        told: whether the worker was told to end; the job goes on from its last commit with the next worker.
        pause: waits so many seconds, or less if the worker is told to end.
    """
    run, until = Run(resources, job, pause), resources.monotonic() + SLICE_SECONDS
    try:
        while run.job.phase != END and not told():
            _step(run)
            if (run.idle or resources.monotonic() >= until) and _others_wait(run):
                break
        if run.job.phase == END:
            _finish(run)
        else:
            run.note(state=WAITING, leased_until=0)
    except LeaseLost:
        return
    except (KeyProblem, VaultError) as error:
        until = resources.database.now() + int(RETRY_SECONDS * 1e6)
        try:
            run.note(state=WAITING, error=error.code, leased_until=until)
        except (LeaseLost, VaultError):
            return  # the lease ends by itself


def _others_wait(run: Run) -> bool:
    with run.resources.database.read() as connection:
        return jobs.others_wait(connection, run.job, run.resources.database.now())


def _step(run: Run) -> None:
    """Do one step of the phase that the job is in."""
    known = phases(run.job)
    names = [*known, END]
    name = run.job.phase or names[0]
    run.following = names[names.index(name) + 1]
    if not run.job.phase:
        run.note(phase=name, total=_total(run))
    try:
        over = known[name](run)
    except StaleKeyset:  # another keyset of the tenant turned
        return
    if over:
        run.note(**run.onward)


def _total(run: Run) -> int:
    """Return how many rows the job will go through, as far as can be told now."""
    if run.job.kind in ROOTS:
        return roots.count(run)
    with run.resources.database.read() as connection:
        if run.purpose is Purpose.INDEX:
            return stale.count_entries(connection, run.tenant, 0)
        if run.purpose is Purpose.AUDIT:
            return 0
        if run.purpose is Purpose.PASSWORD:
            return stale.count_passwords(connection, run.tenant, 0)
        persons = stale.count_people(connection, run.tenant, stale.made_before(run.job.created_at))
        return persons + stale.count_seals(connection, run.tenant, 0)


def _finish(run: Run) -> None:
    """Close the job with its audit record."""
    error = run.job.error if run.job.error == "key_in_use" else None
    if run.job.skipped:
        error = "unreadable_value"
    state = FAILED if error else DONE
    now = run.resources.database.now()
    run.commit(
        lambda _: None, record=(run.job.kind, error or "ok"),
        state=state, error=error, finished_at=now, leased_until=0,
    )  # fmt: skip


def work(
    resources: Resources, holder: str, told: Callable[[], bool], pause: Callable[[float], None]
) -> Job | None:
    """Take one job that waits, if there is one, and go on with it; return it as it was taken."""
    job = jobs.take(resources.database, holder, resources.gone)
    if job is not None:
        carry_out(resources, job, told, pause)
    return job
