"""A drill: a backup restored into a scratch database, and everything about it looked at.

What goes wrong is a check that failed and no exception, so that one drill tells all that it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from keys.errors import KeyProblem
from vault.audit.faults import AuditFault
from vault.backup.manifests import digest
from vault.errors import TargetFailed, VaultError
from vault.recovery import reports
from vault.recovery.checks import (
    age,
    canary,
    counts,
    intake,
    keysets,
    live,
    logs,
    lookups,
    turning,
    values,
    verifiers,
    whole,
)
from vault.recovery.checks.canary import Canary
from vault.recovery.checks.live import Live, LiveFailed
from vault.recovery.checks.scratch import EVERY, Found, Scratch, Skipped
from vault.recovery.drilled import Taken
from vault.recovery.reports import CHECKS, Check, Report, State
from vault.resources import Resources
from vault.store import examining

UNEXPECTED = "unexpected"  # the code of what nobody foresaw; where it was is told to `failed`
NOT_RESTORED = "not_restored"  # the code of checks that there was nothing for

Look = Callable[[Scratch], Found]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a drill is made.

    Attributes:
        target: the name of where the backup lies.
        restore: restores it into the scratch database, which is empty.
        open: opens the scratch database, with what opens its keysets.
        seal: moves audit records of a database into its logs, and signs.
        clock: seconds since 1970 (UTC); `monotonic`: seconds that durations are measured in.
        pause: waits so many seconds.
        failed: hears of an exception that nobody foresaw.
        told: hears the name of each check as it begins.
        oldest: seconds that the newest state may be old.
        sample: of 1,000 values, how many are opened.
        canary: a login made for drills; None where there is none.
        lives: the live service, as each of the API keys at hand sees it; None where it is not to be asked.
    """

    target: str
    restore: Callable[[], Taken]
    open: Callable[[], Resources]
    seal: Callable[[Resources], object]
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    pause: Callable[[float], None]
    failed: Callable[[Exception], None]
    told: Callable[[str], None] = lambda _: None
    oldest: float = 7_200.0
    sample: int = EVERY
    canary: Canary | None = None
    lives: Sequence[Live] | None = None
    software: str = ""
    scratch: str = "sqlite"
    keys: str = "root"


def drill(asked: Asked) -> Report:
    """Restore a backup and look at all of it; return what came of it. The scratch is the caller's to remove."""
    report = Report(
        format=reports.FORMAT, id=reports.new_id(), target=asked.target, begun_at=int(asked.clock() * 1e6),
        software=asked.software, sample=asked.sample, scratch=asked.scratch, keys=asked.keys, checks=[],
    )  # fmt: skip
    asked.told("restored")
    began = asked.monotonic()
    try:
        taken = asked.restore()
        resources = asked.open()
    except Exception as error:  # noqa: BLE001 - a drill tells what failed
        took = round((asked.monotonic() - began) * 1_000)
        failed = Check(name="restored", state="failed", code=_code(asked, error), bad=1, milliseconds=took)
        rest = [
            Check(name=name, state="skipped", code=NOT_RESTORED) for name in CHECKS if name != failed.name
        ]
        return replace(report, checks=[failed, *rest])
    return _examined(asked, report, taken, resources)


def _examined(asked: Asked, report: Report, taken: Taken, resources: Resources) -> Report:
    """Return the report with what was restored, and what was found in it."""
    newest = taken.data[-1]
    chunks = [
        chunk for chain in (taken.keyring, taken.data) for manifest in chain for chunk in manifest.chunks
    ]
    report = replace(
        report, installation=newest.installation, keyring=taken.restored.keyring, number=newest.number,
        digest=digest(taken.note), taken_at=newest.taken_at,
        phases=[(name, round(seconds * 1_000)) for name, seconds in taken.restored.phases.items()],
        rows=sum(sum(chunk.rows.values()) for chunk in chunks), bytes=sum(chunk.size for chunk in chunks),
    )  # fmt: skip
    try:
        with resources.database.read() as connection:
            tenants = examining.tenants(connection)
        scratch = Scratch(
            resources,
            taken.keyring,
            taken.data,
            taken.restored,
            tenants,
            report.begun_at,
            asked.pause,
            asked.sample,
        )
        return replace(
            report, checks=[_check(asked, name, look, scratch) for name, look in _looks(asked).items()]
        )
    finally:
        resources.close()


def _looks(asked: Asked) -> Mapping[str, Look]:
    """Return the checks by name, in the order of CHECKS: what adds rows or turns keys comes last."""
    return {
        "restored": counts.check,
        "age": lambda scratch: age.check(scratch, asked.oldest),
        "whole": whole.check,
        "keys": keysets.check,
        "values": values.check,
        "passwords": verifiers.check,
        "finding": lookups.check,
        "live": lambda scratch: live.check(scratch, asked.lives),
        "canary": lambda scratch: canary.check(scratch, asked.canary),
        "tokenize": intake.check,
        "rotation": turning.check,
        "audit": lambda scratch: logs.check(scratch, asked.seal),
    }


def _check(asked: Asked, name: str, look: Look, scratch: Scratch) -> Check:
    """Take a look, and return what it came to."""
    if name != "restored":  # which is told of before the restore
        asked.told(name)
    began = asked.monotonic()
    check = _looked(asked, name, look, scratch)
    return replace(check, milliseconds=round((asked.monotonic() - began) * 1_000))


def _looked(asked: Asked, name: str, look: Look, scratch: Scratch) -> Check:
    try:
        found = look(scratch)
    except Skipped as skipped:
        return Check(name=name, state="skipped", code=skipped.code)
    except Exception as error:  # noqa: BLE001 - one check that fails keeps none of the others from being made
        return Check(name=name, state="failed", code=_code(asked, error), bad=1)
    state: State = "failed" if found.bad else "passed"
    return Check(name=name, state=state, code=found.code, checked=found.checked, bad=found.bad)


def _code(asked: Asked, error: Exception) -> str:
    """Return the stable code of why something failed."""
    if isinstance(error, TargetFailed):
        return error.problem
    if isinstance(error, (VaultError, KeyProblem, AuditFault, LiveFailed)):
        return error.code
    asked.failed(error)
    return UNEXPECTED
