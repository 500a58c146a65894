"""Streams over a log beside its tiles, checkpoints and outside copies, and finds every damage and where it begins.

Records and tiles each make a tree (`twins`). Where they part, a signed checkpoint says which of them is right, and so
the first bad record is known exactly. If neither is, it lies between the last checkpoint that agrees and the first that
does not, or where an outside copy says.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from vault.audit.canon import Canon
from vault.audit.checkpoints import Checkpoint, opened
from vault.audit.copies import Copies
from vault.audit.evidence import Batch, Evidence, Loss
from vault.audit.faults import AuditFault
from vault.audit.findings import RESTORED, Finding, Report, told_apart
from vault.audit.marks import Mark, read_marks
from vault.audit.merkle import HASH_BYTES, Frontier, leaf_hashes
from vault.audit.twins import Hashes, Kept, Twins

_FINDINGS = 1_000  # of one kind at most
_NOTHING = b""  # stands for a root that is not known


def verify(evidence: Evidence, batches: Iterable[Batch]) -> Report:
    """Return what is wrong with a log; batches come in order of position and are held one at a time."""
    examination = _Examination(evidence)
    for batch in batches:
        examination.take(batch)
    return examination.report()


class _Examination:
    """What is known of a log up to one position."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence, self._canon, self._copies = evidence, Canon(evidence.tenant), Copies(evidence.copies)
        notes = [(note, "inside") for note in evidence.inside] + [
            (note, "outside") for note in evidence.outside
        ]
        if evidence.loss:
            notes.append((evidence.loss.note, "by the next log"))
        marks, self._findings = read_marks(evidence.origin, evidence.keys, notes)
        self._marks = deque(mark for mark in marks if mark.size >= evidence.dropped)
        self._twins = Twins(Frontier(evidence.dropped, evidence.frontier))
        self._position = self._behind = evidence.dropped  # the next one, and the one behind the last record
        self._good: Mark | None = None  # the newest checkpoint that agrees
        self._failed: Mark | None = None  # the first one behind it that does not
        self._signed = marks[-1].size if marks else 0
        self._bad = Kept()  # records that are not what was signed
        self._records, self._tiled = 0, False
        self._odd: list[int] = []
        self._judge()

    def take(self, batch: Batch) -> None:
        """Examine a batch; raise ValueError if it begins before the last one ended."""
        if batch.first < self._position:
            raise ValueError("batches come in order of position")
        if batch.first > self._position:
            self._skip(batch.first)
        here = self._look(batch)
        meant = self._meant(batch, here)
        start = 0
        while start < len(meant):
            until = min(len(meant), start + self._ahead())
            part = here[start:until]
            lost = self._twins.grow(self._position, part, part if here is meant else meant[start:until])
            if lost is not None:
                self._gap(lost)
            self._copies.compare(self._position, batch.leaves[start:until], part)
            self._position, start = self._position + until - start, until
            self._judge()

    def _ahead(self) -> int:
        """Return how many records may be read before a checkpoint is to be judged."""
        return self._marks[0].size - self._position if self._marks else 2**63

    def _look(self, batch: Batch) -> list[bytes | None]:
        """Return the hashes of a batch's records, once their form is looked at."""
        places: Sequence[int] = range(batch.first, batch.first + len(batch.leaves))
        there = [leaf for leaf in batch.leaves if leaf is not None]
        if len(there) < len(batch.leaves):
            places = [at for at, leaf in zip(places, batch.leaves, strict=True) if leaf is not None]
        self._odd += [places[at] for at in self._canon.odd(there)]
        del self._odd[_FINDINGS:]
        self._records += len(there)
        self._behind = places[-1] + 1 if places else self._behind
        hashes: list[bytes | None] = list(leaf_hashes(there))
        if len(there) < len(batch.leaves):
            found = iter(hashes)
            hashes = [None if leaf is None else next(found) for leaf in batch.leaves]
        return hashes

    def _meant(self, batch: Batch, here: list[bytes | None]) -> Hashes:
        """Return what tiles say, or `here` if that is the same; a record that no tile has is taken as it is."""
        packed = batch.hashes
        if packed is None:
            return here
        self._tiled = True
        if None not in here and b"".join(here) == packed:  # type: ignore[arg-type]
            return here
        meant: list[bytes | None] = [
            packed[at : at + HASH_BYTES] for at in range(0, len(packed) - HASH_BYTES + 1, HASH_BYTES)
        ]
        at = batch.first + len(meant)
        if len(meant) < len(here) and at < self._signed:
            self._find("tile_damaged", at, None, f"the tiles have no hash of record {at}")
        meant += here[len(meant) :]
        here += [None] * (len(meant) - len(here))
        return meant

    def _judge(self) -> None:
        """Hold both trees against the checkpoint of as many records as were read."""
        if not self._marks or self._marks[0].size > self._position:
            return
        mark, since, parted = self._marks.popleft(), self._since(), self._twins.differences
        if self._twins.tree is None:
            return
        settled = self._twins.settle(mark.roots)
        if settled is None:
            self._failed = self._failed or mark
            return
        root, by_tiles = settled
        self._tell(parted, by_tiles)
        others = [] if self._failed is None else [self._failed.size]
        for size in others + [mark.size] * (len(mark.roots) - 1):
            self._find("forked", since, size, f"a checkpoint of {size} records is of another history")
        self._good, self._failed = Mark(mark.size, (root,)), None

    def _tell(self, parted: Kept, by_tiles: bool) -> None:
        """Take note of what a checkpoint has shown to be wrong: records, or else tiles; and which copies are."""
        right: dict[int, bytes] = {}
        if by_tiles:
            self._bad.join(parted)
            right = {at: meant for at, _, meant in parted.first}
        elif parted.first:
            at = parted.first[0][0]
            self._find(
                "tile_damaged", at, None, f"the tiles have another hash of record {at} than was signed"
            )
        until = self._position if parted.whole else max(right, default=0) + 1
        for at in self._copies.settle(right, until):
            self._find("copy_damaged", at, None, f"the outside copy of record {at} is not what was signed")

    def _since(self) -> int:
        """Return how many records the newest checkpoint that agrees covers."""
        return self._good.size if self._good else self._evidence.dropped

    def _skip(self, until: int) -> None:
        """Go on behind positions that no batch has."""
        if self._twins.tree is not None:
            self._gap(self._position)
        self._position = until
        while self._marks and self._marks[0].size <= until:
            self._marks.popleft()

    def _gap(self, at: int) -> None:
        self._twins.lose()
        self._find("gap", at, None, f"there is no record at {at}, and no tile with its hash")

    def _find(self, kind: str, position: int, until: int | None, reason: str) -> None:
        self._findings.append(Finding(kind, position, until, reason))

    def report(self) -> Report:
        """Return the report once all is read."""
        if self._bad.first:
            self._findings += told_apart(self._bad.first, self._bad.whole)
        if not self._restored():
            self._copies.rest(self._position)
            self._unsettled()
        findings = [self._named(finding) for finding in self._findings]
        known = {finding.position for finding in findings}
        findings += [
            Finding("not_canonical", at, None, f"record {at} is no canonical record of this log's tenant")
            for at in self._odd
            if at not in known
        ]
        findings.sort(key=lambda finding: 2**63 if finding.position is None else finding.position)
        tree, origin = self._twins.tree, self._evidence.origin
        good = Checkpoint(origin, self._good.size, self._good.roots[0]) if self._good else None
        return Report(origin, self._records, tree.root() if tree else _NOTHING, good, tuple(findings))

    def _restored(self) -> bool:
        """Whether all that is missing is what the next log says was lost in a restore."""
        loss = self._evidence.loss
        if loss is None or not self._marks or not self._holds(loss):
            return False
        told = f"a restore lost records {loss.first} to {loss.end - 1}, as the next log says"
        self._find(RESTORED, loss.first, loss.end, told)
        return True

    def _holds(self, loss: Loss) -> bool:
        try:
            last = opened(loss.note, self._evidence.origin, self._evidence.keys)
        except AuditFault:
            return False
        whole = self._since() == self._position == loss.first and self._failed is None
        return loss.sealed and whole and last.size == loss.end == self._marks[-1].size

    def _unsettled(self) -> None:
        """Say what is wrong behind the last checkpoint that agrees."""
        since, strays, parted = self._since(), self._copies.strays, self._twins.differences
        suspects = [at for at, here, _ in [*strays.first[:1], *parted.first[:1]] if here is not None]
        if strays.first and self._copies.since <= since:
            self._findings += told_apart(strays.first, strays.whole)
        elif self._failed is not None:
            self._disagrees(since, self._failed.size, suspects)
        elif suspects:
            at = min(suspects)
            self._find("edited", since, at + 1, f"record {at} is not what its copy or tile says")
        known = bool(suspects) or self._failed is not None
        if self._marks:
            self._cut(since, self._marks[-1].size, exact=known or since == self._behind)
        elif self._twins.tree is not None and since < self._position and not known:
            self._uncovered(since)

    def _uncovered(self, since: int) -> None:
        """Say that no checkpoint vouches for the last records, unless they were moved there by what is told already."""
        if not any(finding.kind == "inserted" for finding in self._findings):
            told = f"no signed checkpoint covers the records from {since} on"
            self._find("inserted" if self._good else "unsigned", since, None, told)

    def _disagrees(self, since: int, until: int, suspects: Sequence[int]) -> None:
        """Say that neither records nor tiles are what a checkpoint of `until` records vouches for."""
        if until == self._evidence.dropped:
            told = f"the tiles do not have the tree of the {until} records that were archived"
            self._find("tile_damaged", 0, until, told)
        elif self._tiled and not suspects:
            told = f"records and tiles agree, but not with a signed checkpoint of {until} records: they were made anew"
            self._find("forked", since, until, told)
        else:
            told = f"records between {since} and {until - 1} were edited, inserted, removed or moved"
            self._find("edited", since, min([until, *(at + 1 for at in suspects)]), told)

    def _cut(self, since: int, signed: int, *, exact: bool) -> None:
        """Say that the log is shorter than a checkpoint; `exact` if all up to its end is signed, or told already."""
        if any(self._named(finding).kind == "cut_tail" for finding in self._findings):
            return
        told = f"the log ends at {self._behind}, and a signed checkpoint covers {signed} records"
        self._find("cut_tail", self._behind if exact else since, None if exact else signed, told)

    def _named(self, finding: Finding) -> Finding:
        """Call what was removed from behind the last record the tail."""
        if finding.kind == "removed" and finding.position == self._behind:
            return replace(finding, kind="cut_tail")
        return finding
