"""Argon2id parameters by name, each with its source; all of them keep 128-bit salts and 256-bit tags (RFC 9106, 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from vault.errors import InvalidRequest

SALT_BYTES, TAG_BYTES = 16, 32
MOST_MEMORY, MOST_PASSES, MOST_LANES = 2_097_152, 64, 16


@dataclass(frozen=True, slots=True)
class Profile:
    """What an Argon2id hash costs.

    Attributes:
        memory: kibibytes, at least eight a lane (RFC 9106, section 3.1).
        passes: over the memory.
        lanes: that could be filled side by side; one thread fills them here, for there are as many hashes as cores.
    """

    name: str
    memory: int
    passes: int
    lanes: int

    def __post_init__(self) -> None:
        counts = 1 <= self.passes <= MOST_PASSES and 1 <= self.lanes <= MOST_LANES
        if not counts or not 8 * self.lanes <= self.memory <= MOST_MEMORY:
            raise InvalidRequest(
                "a password profile has at most 2 GiB, 64 passes and 16 lanes, and at least 8 KiB a lane"
            )

    @property
    def parameters(self) -> str:
        """The parameters as an encoded hash has them."""
        return f"m={self.memory},t={self.passes},p={self.lanes}"


# RFC 9106, section 4: the second recommended option where memory is short, and the first.
# OWASP Password Storage Cheat Sheet, Argon2id: five settings of like strength.
PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("rfc9106-low-memory", 65_536, 3, 4),
        Profile("rfc9106", 2_097_152, 1, 4),
        Profile("owasp", 19_456, 2, 1),
        Profile("owasp-46", 47_104, 1, 1),
        Profile("owasp-12", 12_288, 3, 1),
        Profile("owasp-9", 9_216, 4, 1),
        Profile("owasp-7", 7_168, 5, 1),
    )
}
DEFAULT = PROFILES["rfc9106-low-memory"]
INTERACTIVE = (
    "interactive"  # measured on a machine: `strongroom passwords calibrate` prints it with its parameters
)

_LEAST = [(one.memory, one.passes) for name, one in PROFILES.items() if name.startswith("owasp")]
_MEASURED = re.compile(r"interactive:m=([0-9]{1,7}),t=([0-9]{1,2}),p=([0-9]{1,2})")


def parse(text: str) -> Profile:
    """Return the profile of a name, or of `interactive:m=…,t=…,p=…`.

    Raises InvalidRequest if there is none of that name, or the parameters are weaker than all of OWASP's or too large.
    """
    if text in PROFILES:
        return PROFILES[text]
    measured = _MEASURED.fullmatch(text)
    if measured is None:
        known = ", ".join(PROFILES)
        raise InvalidRequest(f"a password profile is one of {known}, or interactive:m=…,t=…,p=…")
    memory, passes, lanes = (int(number) for number in measured.groups())
    if not any(memory >= least and passes >= fewest for least, fewest in _LEAST):
        raise InvalidRequest("a password profile is at least as strong as one of OWASP's")
    return Profile(INTERACTIVE, memory, passes, lanes)
