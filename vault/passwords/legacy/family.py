"""What a family of legacy schemes is: any module with these names in it satisfies `Family`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

SMALL = 64  # kibibytes, more than any scheme but scrypt takes


class Family(Protocol):
    """Schemes that share an algorithm: how their texts are read, written and computed.

    A scheme has one canonical text for a hash. A *setting* is that text without its digest: salt and parameters.
    """

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes' names."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What the texts that `read` takes begin with; none is the beginning of another, of whatever family."""

    @property
    def read(self) -> Callable[[str], tuple[str, str]]:
        """Return the scheme of a text and its canonical form.

        Raises UnknownScheme, UnreadableHash or HashTooCostly. A canonical text is its own canonical form.
        """

    @property
    def digest(self) -> Callable[[str, str, bytes], str]:
        """Return the canonical text that a scheme makes of a password with a setting, or with a whole text's.

        The setting alone if the scheme cannot take the password (NUL, too long): no hash is equal to that. It takes
        about as long all the same. Raises as `read` does.
        """

    @property
    def setting(self) -> Callable[[str, str], str]:
        """Return a scheme's canonical text without its digest; raise as `read` does."""

    @property
    def memory(self) -> Callable[[str, str], int]:
        """Return the kibibytes that one digest with this setting takes; raise as `read` does."""
