"""What a drill found, as plain data: canonical JSON in a signed note (C2SP signed-note), which says who drilled.

The text is one line (members sorted, no spaces, RFC 8259), signed by the drill host's own key under the name
`strongroom/drill`. It holds names, codes, counts and times alone: no value, token or key.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from vault.audit import notes
from vault.audit.faults import AuditFault
from vault.audit.notes import Signer, Verifier
from vault.errors import InvalidReport

FORMAT = "strongroom-drill/1"
NAME = "strongroom/drill"  # of the keys that sign reports
LARGEST = 65_536  # bytes of a report that is taken
State = Literal["passed", "failed", "skipped"]
CHECKS: Mapping[str, str] = {
    "restored": "Every chunk is what the manifest says, and as many rows as it counts are in the scratch database.",
    "age": "The newest state that can be restored is young enough.",
    "whole": "Rows fit together: tokens with their index, persons and tenants; none was deleted before.",
    "keys": "Every key version and person key opens, and the keyring has an escrow of each tenant.",
    "values": "Values open and are canonical for their field.",
    "passwords": "Every verifier of a password opens.",
    "finding": "Values lead back to their tokens.",
    "live": "The live service has the same values behind the same tokens, and the same history.",
    "canary": "A login made for drills gets in with its password, and not with another.",
    "tokenize": "A new value goes in and comes out again.",
    "rotation": "A keyset turns to the end, and what was sealed before still opens.",
    "audit": "Every log is what its checkpoints say, those in the manifest too.",
}


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that a drill looked at.

    Attributes:
        name: of CHECKS.
        code: stable: what failed, or why it was skipped; empty where it passed.
        checked: how many rows, values, tokens, logs or attempts it looked at; `bad`: how many were not as they should.
        milliseconds: that it took.
    """

    name: str
    state: State
    code: str = ""
    checked: int = 0
    bad: int = 0
    milliseconds: int = 0


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What came of one drill.

    Attributes:
        id: `drl_` and 16 hex digits.
        target: the name of the one that it restored from.
        installation, keyring, number, digest: what it restored: 16 hex digits, the numbers of the newest keyring
            manifest and data manifest, and the SHA-256 of the data manifest's note; "" and 0 where nothing was found.
        begun_at: microseconds since 1970 (UTC); `taken_at`: of the state that was restored, 0 where there is none.
        phases: milliseconds that each part of the restore took, in order; together they are the RTO.
        rows: that were loaded; `bytes`: of chunks that were read.
        sample: of 1,000 values, how many were opened.
        scratch: sqlite or postgresql.
        keys: what opened the keysets: root, or shares.
        software: the version of strongroom that drilled.
        checks: in the order in which they were made.
    """

    format: str
    id: str
    target: str
    begun_at: int
    software: str
    checks: list[Check]
    installation: str = ""
    keyring: int = 0
    number: int = 0
    digest: str = ""
    taken_at: int = 0
    phases: list[tuple[str, int]] = []
    rows: int = 0
    bytes: int = 0
    sample: int = 1_000
    scratch: str = ""
    keys: str = "root"

    @property
    def passed(self) -> bool:
        """Whether the backup was restored and nothing about it was wrong."""
        return all(check.state != "failed" for check in self.checks) and any(
            check.name == "restored" and check.state == "passed" for check in self.checks
        )

    @property
    def rto(self) -> float:
        """Seconds that the restore took."""
        return sum(milliseconds for _, milliseconds in self.phases) / 1_000

    @property
    def rpo(self) -> float | None:
        """Seconds that what could be restored was behind; None where nothing could."""
        return max(0, self.begun_at - self.taken_at) / 1e6 if self.taken_at else None

    @property
    def failed(self) -> list[Check]:
        """Return the checks that failed."""
        return [check for check in self.checks if check.state == "failed"]


def new_id() -> str:
    """Return an id for a drill."""
    return f"drl_{secrets.token_hex(8)}"


def signer(seed: bytes) -> Signer:
    """Return what signs a drill host's reports, for the 32 secret bytes of its key."""
    return Signer(NAME, seed)


def signed(report: Report, by: Signer) -> str:
    """Return the note of a report."""
    return by.sign(_text(report))


def read(note: str, verifiers: Iterable[Verifier]) -> Report:
    """Return the report of a note; InvalidReport if none of the keys signed it, or it is no report to the byte."""
    try:
        parsed = notes.parse(note, LARGEST)
        notes.verified(parsed, [one for one in verifiers if one.name == NAME])
    except AuditFault as fault:
        raise InvalidReport(f"the report is not signed by a drill host that is known: {fault}") from None
    return parse(parsed.text)


def parse(text: str) -> Report:
    """Return the report of a note's text, whoever signed it; InvalidReport if it is none."""
    try:
        report = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise InvalidReport("the report cannot be read") from None
    names = [check.name for check in report.checks]
    if report.format != FORMAT or _text(report) != text or len(set(names)) < len(names):
        raise InvalidReport("the report is not written as this version writes it")
    if not set(names) <= CHECKS.keys():
        raise InvalidReport("the report has a check that this version does not know")
    return report


def unverified(note: str) -> Report:
    """Return the report of a note that this host keeps itself, for what is shown of past drills; InvalidReport."""
    try:
        return parse(notes.parse(note, LARGEST).text)
    except AuditFault as fault:
        raise InvalidReport(f"the report cannot be read: {fault}") from None


def _text(report: Report) -> str:
    return msgspec.json.encode(report, order="sorted").decode() + "\n"


_DECODER = msgspec.json.Decoder(Report)
