"""How long a bench measures: quick to test the bench itself, short by default, full for the whole curve."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of a run.

    Attributes:
        rounds: of each measurement, and one before them that is not counted.
        columns: columns of `size` values tokenized in a round.
        revealed: columns of `size` tokens revealed in a round.
        seconds: of single requests in a round.
        curve: rows at which the deterministic curve is measured.
        probe: columns with which a point of the curve is measured.
        values: in a column of a core call.
        turned: rows that keysets are turned over.
        hashes: of passwords that each processor makes in a round.
        records: of an audit log that is examined.
        backed: rows that are backed up and restored.
        kills: of a service under load, after each of which its backup is restored.
        journals: seconds between what such a service ships.
    """

    rounds: int
    columns: int
    revealed: int
    seconds: float
    curve: tuple[int, ...]
    probe: int
    values: int
    turned: int
    size: int = 1_000
    connections: int = 16
    busy: int = 6  # connections that send columns
    hashes: int = 6
    records: int = 200_000
    backed: int = 100_000
    kills: int = 3
    journals: tuple[float, ...] = (5.0, 0.5)

    def processes(self) -> dict[str, str]:
        """Return the settings of a service that is to have few processes where nothing is measured anyway."""
        return {"STRONGROOM_WORKERS": "1"} if self.rounds == 1 else {}


QUICK = Plan(
    1,
    2,
    4,
    0.2,
    (1_000, 2_000),
    1,
    200,
    1_000,
    hashes=1,
    records=1_000,
    backed=1_000,
    kills=1,
    journals=(0.2,),
)
SHORT = Plan(3, 40, 120, 2, (10_000, 30_000, 100_000), 8, 5_000, 100_000)
FULL = replace(
    SHORT, curve=(10_000, 30_000, 100_000, 300_000, 1_000_000), turned=1_000_000, backed=1_000_000, kills=20
)
