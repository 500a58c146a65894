"""Examine the logs of a service: each with what the service tells of it, and with what is kept outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain
from typing import TYPE_CHECKING

from strongroom_client import NotFound, Refused

from api.cli.audit.archives import Archive
from api.cli.audit.outside import Copy, Outside, name_of
from api.cli.audit.proof import checked
from api.cli.audit.serving import Served, size_of
from api.cli.audit.verdict import Verdict
from api.cli.columnwise import bar
from vault.audit import checkpoints, leaf, notes, opening
from vault.audit.evidence import Batch, Evidence, Loss
from vault.audit.faults import AuditFault, TileDamaged
from vault.audit.findings import Finding
from vault.audit.notes import Verifier
from vault.audit.verifying import verify

if TYPE_CHECKING:
    from strongroom_client import AuditStatus, Client


def of_service(
    client: Client, keys: Sequence[Verifier], kept: Outside, stored: Archive | None, log: int | None
) -> list[Verdict]:
    """Return a verdict on each log, the newest first, or on one, and on those that are only outside.

    Args:
        keys: those that are trusted; if there are none, the ones that the service tells.
        stored: archived records, of which some may still be in the service.
    """
    newest = client.audit_status()
    if not newest.log:
        return [Verdict("audit", unverified="there is no log yet")]
    later: AuditStatus | None = None
    verdicts: list[Verdict] = []
    statuses: list[AuditStatus] = []
    for number in range(newest.log, (log or 1) - 1, -1):
        try:
            status = client.audit_status(number)
        except NotFound:  # a restored database may never have had it: the next one says so
            continue
        statuses.append(status)
        if log is None or number == log:
            verdicts.append(_examined(client, number, keys, kept, stored, later))
        later = status
    verdicts += _only_outside(keys, kept, stored, newest.origin.rpartition("/")[0], statuses, log)
    return verdicts or [Verdict("audit", unverified="the service has no log of that number")]


def _examined(
    client: Client,
    number: int,
    keys: Sequence[Verifier],
    kept: Outside,
    stored: Archive | None,
    later: AuditStatus | None,
) -> Verdict:
    served = Served(client, number)
    status, verdict = served.status, Verdict(served.status.origin)
    try:
        mine, tenant = _keys_of(status, keys), tenant_of(status.origin)
        dropped, frontier = (0, []) if stored or not status.dropped else (status.dropped, served.frontier())
    except TileDamaged as fault:
        verdict.more.append(Finding(fault.code, 0, status.dropped, str(fault)))
        return verdict
    except AuditFault as fault:
        verdict.unverified = str(fault)
        return verdict
    if dropped:
        verdict.remarks.append(f"records before {dropped:,} were archived: --archive examines them, too")
    outside = [*kept.of(status.origin), *(stored.notes(status.origin) if stored else ())]
    evidence = Evidence(
        status.origin, tenant, mine, served.notes, outside, _copies(kept, stored, status, mine), dropped, frontier,
        _loss(client, later, status, keys),
    )  # fmt: skip
    archived = stored.batches(status.origin, mine, 0, status.dropped) if stored else ()
    with bar(status.origin, status.size) as progress:
        verdict.report = verify(evidence, _watched(chain(archived, served.batches(status.dropped)), progress))
    verdict.more += damage_of(kept, stored, status.origin)
    return verdict


def damage_of(kept: Outside, stored: Archive | None, log: str) -> list[Finding]:
    """Return what was wrong with the files that are kept of a log."""
    found = [
        Finding("copy_damaged", None, None, f"{file.path.name}: line {file.bad[0]} is none of an audit's")
        for file in kept.files
        if file.bad
    ]
    if stored is not None:
        found += [*stored.unreadable, *stored.damage.get(log, ())]
    return found


def tenant_of(origin: str) -> int:
    """Return the tenant that a log's name names; raise AuditFault if it is none of a log."""
    parts = origin.split("/")
    try:
        tenant, number = int(parts[1], 16), int(parts[2])
    except (IndexError, ValueError):
        tenant = number = -1
    if checkpoints.log_name(max(tenant, 0), number) != origin:
        raise AuditFault("it has not the name of a log")
    return tenant


def _keys_of(status: AuditStatus, keys: Sequence[Verifier]) -> list[Verifier]:
    if not keys:
        return [Verifier(one.vkey) for one in status.keys if one.vkey]
    mine = [key for key in keys if key.name == status.origin]
    if not mine:
        raise AuditFault("none of the keys that were given is this log's")
    return mine


def _copies(
    kept: Outside, stored: Archive | None, status: AuditStatus, keys: Sequence[Verifier]
) -> Iterator[Copy]:
    """Yield what else is kept of records, by position: sinks' lines, and files of records that are not archived yet."""
    mine = stored.batches(status.origin, keys, status.dropped) if stored else ()
    exported = (
        (at, found)
        for batch in mine
        for at, found in enumerate(batch.leaves, batch.first)
        if found is not None
    )
    return merge(kept.copies(status.origin), exported, key=lambda copy: copy[0])


def _loss(
    client: Client, later: AuditStatus | None, status: AuditStatus, keys: Sequence[Verifier]
) -> Loss | None:
    """Return what the log after this one says that a restore lost of it, and whether that is sealed there."""
    former = later.former if later else None
    if later is None or former is None or name_of(former.checkpoint) != status.origin:
        return None
    try:
        proof = client.prove_record(0, log=later.log)
        checked(proof, _keys_of(later, keys))
        record = leaf.decode(proof.leaf)
        said = [
            *notes.parse(former.checkpoint).text.split("\n")[:3],
            str(former.lost_from),
            str(former.lost_to),
        ]
        sealed = (record.operation, record.target) == (opening.OPENED, " ".join(said))
    except (Refused, ValueError):
        sealed = False
    return Loss(former.checkpoint, former.lost_from, former.lost_to + 1, sealed)


def _only_outside(
    keys: Sequence[Verifier],
    kept: Outside,
    stored: Archive | None,
    mine: str,
    there: Sequence[AuditStatus],
    log: int | None,
) -> list[Verdict]:
    """Return verdicts on the tenant's logs that something outside is of, and that the service does not have.

    Sinks hold every tenant's records; a checkpoint is named by itself, and should be of this tenant.
    """
    names = {*kept.notes, *(name for name in kept.logs() if name.rpartition("/")[0] == mine)}
    names = {*names, *(stored.logs() if stored else ())} - {one.origin for one in there}
    lost = {name_of(one.former.checkpoint): one for one in there if one.former}
    verdicts = []
    for name in sorted(names):
        if log is not None and not name.endswith(f"/{log}"):
            continue
        signed = max(_signed(name, [key for key in keys if key.name == name], kept, stored), default=-1)
        verdict = Verdict(name)
        if name in lost and signed <= size_of(lost[name].former.checkpoint):  # type: ignore[union-attr]
            verdict.remarks.append(f"a restore lost it whole, as {lost[name].origin} says")
        elif signed < 0:
            verdict.unverified = (
                "the service has no such log, and no key that is trusted signed what is outside"
            )
        else:
            told = f"the service has no such log, and a signed checkpoint outside covers {signed:,} records of it"
            verdict.more.append(Finding("cut_tail", 0, None, told))
        verdicts.append(verdict)
    return verdicts


def _signed(name: str, keys: Sequence[Verifier], kept: Outside, stored: Archive | None) -> Iterator[int]:
    """Yield how many records the outside checkpoints of a log cover that a trusted key signed."""
    for note in [*kept.of(name), *(stored.notes(name) if stored else ())]:
        try:
            yield checkpoints.opened(note, name, keys).size
        except AuditFault:
            continue


def _watched(batches: Iterable[Batch], progress: object) -> Iterator[Batch]:
    for batch in batches:
        yield batch
        if callable(progress):
            progress(batch.first + len(batch.leaves))
