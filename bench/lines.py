"""What a bench found: one line a comparison, as text and as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One rate of ours beside a peer's of the same run.

    Attributes:
        section: which bench.
        store: sqlite or postgresql; empty where no database takes part.
        what: what was measured.
        rate: ours, a second, in `unit`.
        unit: what is counted.
        against: what the peer does; empty where there is none.
        peer: the peer's rate.
        target: what rate / peer should reach; None where the line only informs.
        note: what else was seen.
    """

    section: str
    store: str
    what: str
    rate: float
    unit: str
    against: str = ""
    peer: float | None = None
    target: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if not self.peer else self.rate / self.peer

    @property
    def verdict(self) -> str:
        """Return "met", "not met", or nothing where there is no target."""
        if self.target is None or self.ratio is None:
            return ""
        return "met" if self.ratio >= self.target else "not met"

    def text(self) -> str:
        """Return the line as people read it."""
        words = f"{self.store:10}  {self.what:44} {figure(self.rate):>9} {self.unit}/s"
        if self.peer is not None:
            words += f"  : {figure(self.peer):>9} {self.against} = {self.rate / self.peer:.2f}"
        if self.target is not None:
            words += f"  (target {self.target:.2f}, {self.verdict})"
        return words + (f"  [{self.note}]" if self.note else "")

    def data(self) -> dict[str, object]:
        """Return the line for `--json`."""
        return {**asdict(self), "ratio": self.ratio, "met": {"met": True, "not met": False}.get(self.verdict)}


def figure(rate: float) -> str:
    """Return a rate with three significant digits or so."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
