"""What a restore is asked for, what opens the backup, and what it says when it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from keys.secret import Secret


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which state is to be restored; by default the newest one.

    Attributes:
        installation: whose, 16 hex digits; None where the target has one alone.
        number: a backup's, in the stream of data.
        at: microseconds since 1970 (UTC): the newest state that is not after it.
        at_least: the number of a data backup that the target must have: an older state is not taken for the newest.
        checkpoints: signed checkpoints of audit logs that are kept elsewhere, which may know of more than backups do.
        lenient: pass over damaged manifests for older ones, and name them.
    """

    installation: str | None = None
    number: int | None = None
    at: int | None = None
    at_least: int = 0
    checkpoints: Sequence[str] = ()
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Means:
    """What opens the backup, beside the root keys: 32-byte X25519 identities.

    Attributes:
        identities: open chunks; keysets come by their root.
        recovery: the one that custodians' shares make: opens chunks and escrowed keysets, so that no root is needed.
    """

    identities: Sequence[Secret] = ()
    recovery: Secret | None = None


@dataclass(frozen=True, slots=True)
class Reopened:
    """A log that ended, and the next one, which begins.

    Attributes:
        log: the number of the new one.
        former: the name of the log whose last checkpoint known it follows; empty if none is known.
        lost_from, lost_to: positions of it that the database does not have; nothing where `lost_to` is the smaller.
        damage: kind of what is wrong with the restored logs of this tenant, and a sentence each.
    """

    tenant: int
    log: int
    former: str
    lost_from: int
    lost_to: int
    damage: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class Restored:
    """What became of a restore.

    Attributes:
        installation: that was restored; `number`: of the data backup; `taken_at`: microseconds of its state.
        keyring: the number of the keyring, which may be newer.
        made: the new installation's name; empty in a dry run, which leaves no database.
        phases: seconds of each of `watching.PHASES`.
        counts: rows in the database by table.
        left_out: what was deleted or erased since, and did not come back: tokens, persons, passwords.
        unreadable: rows that stay sealed under keys that are no more, by what they are.
        new_keys: key versions that are new primaries; `logs`: audit logs that ended and went on as another.
        passed_over: paths of newer manifests at the target that do not verify, or whose chain does not.
    """

    installation: str
    number: int
    taken_at: int
    keyring: int
    made: str = ""
    phases: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    new_keys: int = 0
    logs: list[Reopened] = field(default_factory=list)
    passed_over: Sequence[str] = ()

    @property
    def whole(self) -> bool:
        """Whether every value opens and every audit log is what was signed."""
        return not self.unreadable and not any(log.damage for log in self.logs)
