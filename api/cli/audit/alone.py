"""Examine what is kept outside by itself: archives, or files that sinks wrote; no service is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from api.cli.audit.archives import Archive
from api.cli.audit.examining import damage_of, tenant_of
from api.cli.audit.outside import Copy, Outside
from api.cli.audit.serving import size_of
from api.cli.audit.verdict import Verdict
from vault.audit.evidence import Batch, Evidence
from vault.audit.faults import AuditFault
from vault.audit.findings import Finding, Report
from vault.audit.notes import Verifier
from vault.audit.verifying import verify

_PAGE = 5_000  # records examined at once


def of_files(
    keys: Sequence[Verifier], kept: Outside, stored: Archive | None, log: int | None
) -> list[Verdict]:
    """Return a verdict on each log that files are of, of those tenants that a key is of: sinks hold every tenant's."""
    tenants = {key.name.rpartition("/")[0] for key in keys}
    names = sorted({*kept.logs(), *(stored.logs() if stored else ())})
    chosen = [name for name in names if name.rpartition("/")[0] in tenants]
    chosen = [name for name in chosen if log is None or name.endswith(f"/{log}")]
    if not chosen:
        why = "no records are there of the logs whose keys were given"
        return [Verdict("audit", more=stored.unreadable if stored else [], unverified=why)]
    return [_examined(name, keys, kept, stored) for name in chosen]


def _examined(name: str, keys: Sequence[Verifier], kept: Outside, stored: Archive | None) -> Verdict:
    verdict, mine = Verdict(name), [key for key in keys if key.name == name]
    archived = stored is not None and name in stored.logs()
    spans = [file.spans[name] for file in kept.files if name in file.spans]
    try:
        tenant = tenant_of(name)
    except AuditFault as fault:
        verdict.unverified = str(fault)
        return verdict
    if not mine or not (archived or spans):
        verdict.unverified = "no records of it are there" if mine else "none of the keys is this log's"
        return verdict
    if stored is not None and archived:
        first, end = stored.span(name)
        inside = [note for note in stored.notes(name) if size_of(note) <= end]
        batches = stored.batches(name, mine)
    else:
        first, inside, batches = min(low for low, _ in spans), kept.of(name), _batches(kept.copies(name))
    evidence = Evidence(name, tenant, mine, inside, kept.of(name), kept.copies(name))
    report = verify(evidence, batches)
    verdict.more += damage_of(kept, stored, name)
    verdict.report = _allowed(report, first, verdict, archived=archived)
    return verdict


def _allowed(report: Report, first: int, verdict: Verdict, *, archived: bool) -> Report:
    """Return the report without what such files cannot help, which becomes a remark, or why nothing is verified."""
    good = report.checkpoint.size if report.checkpoint else 0
    left, passed = list[Finding](), list[Finding]()
    for one in report.findings:
        early = one.kind == "gap" and one.position == 0 and first > 0
        late = one.kind in {"unsigned", "inserted"} and one.until is None and one.position == good
        (passed if early or late else left).append(one)
    if first and archived:
        verdict.remarks.append(
            f"records before {first:,} are not there: the files' signatures alone were verified"
        )
    elif first:
        verdict.unverified = f"records before {first:,} are not there, without which no tree can be made"
    elif passed and not archived:
        verdict.remarks.append(f"no checkpoint there covers the records from {good:,} on")
    return replace(report, findings=tuple(left))


def _batches(copies: Iterator[Copy]) -> Iterator[Batch]:
    """Yield copies in runs of neighbouring positions, each position once."""
    behind = 0
    while page := list(islice(copies, _PAGE)):
        run: list[bytes | None] = []
        for at, leaf in page:
            if run and at > behind:
                yield Batch(behind - len(run), run)
                run = []
            if at >= behind:
                run.append(leaf)
                behind = at + 1
        if run:
            yield Batch(behind - len(run), run)
