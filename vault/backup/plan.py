"""How often backups are made, how many are kept and how many targets must have one, as the settings say."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Keep:
    """How many restore points stay: the newest ones, and the last of so many days, weeks and months (UTC)."""

    last: int = 3
    daily: int = 7
    weekly: int = 4
    monthly: int = 12


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom backups are sealed to, beside the root: age X25519 recipients, and who signs drills' reports.

    Attributes:
        recovery: the custodians' recovery key; keysets are escrowed to it alone.
        drill: drill hosts' own keys, which open backups but no keyset.
        reporters: verifier keys (C2SP signed-note) of drill hosts.
    """

    recovery: tuple[str, ...] = ()
    drill: tuple[str, ...] = ()
    reporters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What the service does about backups; without targets, nothing.

    Attributes:
        targets: their names (`Target.name`), in the order of the settings.
        quorum: how many must hold a backup, read back, before it counts as made.
        journal: seconds between two looks at what changed; at most twice as many are at risk.
        full, incremental, keyring: seconds after which the next of each is due.
        keyrings: full keyrings that are kept, with what builds on them.
        keep: data backups that are kept.
        drilled: seconds after which an alarm says that no drill passed; 0 for never.
    """

    targets: tuple[str, ...] = ()
    quorum: int = 0
    journal: float = 5.0
    full: float = 7 * 86_400.0
    incremental: float = 3_600.0
    keyring: float = 86_400.0
    keyrings: int = 2
    keep: Keep = field(default_factory=Keep)
    recipients: Recipients = field(default_factory=Recipients)
    drilled: float = 0.0
