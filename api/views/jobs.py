"""Jobs: the long work that custodians start, and how far it has come."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, url_for

from api import answers
from api.auth import need
from api.decoding import convert
from api.operations import Operation
from api.schema.replies import Job, JobNotes, Jobs
from api.state import vault
from vault import errors
from vault.columns import Actor
from vault.store.jobs import Job as Held

bp = Blueprint("jobs", __name__, url_prefix="/v1/jobs")


@bp.get("")
@Operation(needs=("keys",), gives=Jobs)
def index(actor: Actor) -> Response:
    """List the newest jobs, the newest first."""
    return answers.answer(Jobs([_shown(job) for job in vault().jobs(actor)]))


@bp.get("/<job_id>")
@Operation(needs=("keys",), gives=Job, refuses=(errors.UnknownJob,))
def show(actor: Actor, job_id: str) -> Response:
    """Say how far a job has come."""
    return answers.answer(_shown(vault().job(actor, job_id)))


@bp.post("/<job_id>/cancel")
@Operation(needs=("custody", "roots", "backups"), gives=Job, refuses=(errors.UnknownJob,))
def cancel(actor: Actor, job_id: str) -> Response:
    """Call a job off, so that another can start; what it did stays done, and one that has ended stays as it is.

    A job on the roots needs the operation roots, one on the backups backups, any other custody.
    """
    need(actor, vault().cancelling(actor, job_id))
    return answers.answer(_shown(vault().cancel_job(actor, job_id)))


def started(job: Held) -> Response:
    """Return the reply to a request that started a job: 202, and its address."""
    location = {"Location": url_for("jobs.show", job_id=job.id)}
    return answers.respond(answers.reply(_shown(job), 202), location)


def _shown(job: Held) -> Job:
    return Job(
        id=job.id,
        kind=job.kind,  # type: ignore[arg-type] # the table's text
        target=job.target,
        state=job.state,  # type: ignore[arg-type]
        phase=job.phase,
        done=job.done,
        total=job.total,
        skipped=job.skipped,
        error=job.error,
        notes=_told(job),
        created_at=_moment(job.created_at),
        updated_at=_moment(job.updated_at),
        finished_at=None if job.finished_at is None else _moment(job.finished_at),
    )


def _told(job: Held) -> JobNotes:
    """Return what of a job's notes is for others; the rest is its own book-keeping."""
    given = {"root": job.notes.get("to"), **job.notes}
    return convert({name: given.get(name) for name in JobNotes.__struct_fields__}, JobNotes)


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)
