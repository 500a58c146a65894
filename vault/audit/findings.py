"""What the examination of a log found: one finding a damage, with the first bad record and a plain sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vault.audit.checkpoints import Checkpoint

RESTORED = "restored"  # the one kind that is no tampering

Difference = tuple[
    int, bytes | None, bytes
]  # position, the hash of what is there (None: nothing), and what it was


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was signed.

    Attributes:
        kind: `edited`, `inserted`, `removed`, `reordered`, `cut_tail`: records. `gap`: a position has no record, and
            no tile either. `forked`: a signed checkpoint is of another history. `unsigned`: no checkpoint vouches for
            any record. `tile_damaged`, `copy_damaged`: records are whole, a tile or an outside copy is not.
            `not_canonical`: a record is none of this tenant. `bad_signature`, `unknown_key`, `other_log`,
            `note_malformed`, `checkpoint_malformed`: a checkpoint is not taken. `restored`: records were lost in a
            restore, and the next log says which.
        position: of the first bad record, of a checkpoint what it covers; None where that is not known.
        until: None if `position` is exact; else the first bad record is from `position` to before `until`.
        reason: one sentence, without anything from a record.
    """

    kind: str
    position: int | None
    until: int | None
    reason: str

    @property
    def tampering(self) -> bool:
        """Whether somebody or something changed what was signed."""
        return self.kind != RESTORED


@dataclass(frozen=True, slots=True)
class Report:
    """What was examined, and what was found, in the order of positions.

    Attributes:
        origin: the log's name.
        records: that are there, archived ones not counted.
        root: of the tree over them, with what tiles that agree with a checkpoint say of bad ones.
        checkpoint: the newest signed one that agrees with the log; None if there is none.
    """

    origin: str
    records: int
    root: bytes
    checkpoint: Checkpoint | None
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was tampered with."""
        return self.first is None

    @property
    def first(self) -> Finding | None:
        """Return the first finding of tampering."""
        return next((finding for finding in self.findings if finding.tampering), None)


def told_apart(differences: Sequence[Difference], whole: bool) -> list[Finding]:
    """Return what was done to records that are not what they were.

    Args:
        differences: in order of position.
        whole: whether these are all of them, and not the first ones alone.
    """
    if whole and _same_records(differences):
        at, last = differences[0][0], differences[-1][0]
        return [Finding("reordered", at, None, f"records between {at} and {last} are not in their order")]
    return [_of_run(run) for run in _runs(differences)]


def _runs(differences: Sequence[Difference]) -> Iterator[list[Difference]]:
    """Yield differences of neighbouring positions together."""
    run: list[Difference] = []
    for difference in differences:
        if run and difference[0] != run[-1][0] + 1:
            yield run
            run = []
        run.append(difference)
    if run:
        yield run


def _of_run(run: Sequence[Difference]) -> Finding:
    at, here, meant = run[0][0], [found for _, found, _ in run], [was for _, _, was in run]
    if here[0] is None:
        return Finding("removed", at, None, f"{_records(_missing(here))} from {at} on removed")
    if _same_records(run):
        return Finding("reordered", at, None, f"records between {at} and {run[-1][0]} are not in their order")
    if here[0] in meant:
        return Finding(
            "removed", at, None, f"{_records(meant.index(here[0]))} at {at} removed, later ones moved up"
        )
    if meant[0] in here:
        return Finding(
            "inserted", at, None, f"{_records(here.index(meant[0]))} inserted at {at}, later ones moved down"
        )
    return Finding("edited", at, None, f"{_records(len(run))} from {at} on edited")


def _same_records(differences: Sequence[Difference]) -> bool:
    """Whether what is there is what was there, in another order."""
    here = [found for _, found, _ in differences if found is not None]
    return len(here) == len(differences) > 1 and sorted(here) == sorted(was for _, _, was in differences)


def _missing(here: Sequence[bytes | None]) -> int:
    return next((at for at, found in enumerate(here) if found is not None), len(here))


def _records(count: int) -> str:
    return "one record was" if count == 1 else f"{count} records were"
