"""A hasher in this process, made when the first password comes: most processes see none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from api.config import Settings
from api.errors import SettingsError
from vault.passwords.hasher import Hasher, Judgement, Load
from vault.passwords.profiles import Profile
from vault.passwords.verifier import Verifier

if TYPE_CHECKING:
    from vault.passwords.pool import Pool


def open_pool(settings: Settings) -> Pool:
    """Return what hashes in this process; not in wiring, whose imports a process that only hashes can do without.

    Raises SettingsError if the operator's list of passwords that nobody may have cannot be read.
    """
    from vault.passwords.pool import Pool

    if settings.password_words_file is not None:
        from vault.passwords import judging

        judging.add_words(_lines(settings.password_words_file))
    return Pool(settings.hashing_memory_mib * 1_024, settings.hashing_wait_seconds)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError):
        raise SettingsError("STRONGROOM_PASSWORD_WORDS_FILE: the list cannot be read as UTF-8") from None


class LateHasher:
    """Safe to share between threads, and to fork before it is used."""

    def __init__(self, make: Callable[[], Hasher], ceiling: int) -> None:
        """Make nothing yet.

        Args:
            make: makes the hasher.
            ceiling: kibibytes of memory that it keeps to.
        """
        self._make, self._ceiling = make, ceiling
        self._made: Hasher | None = None
        self._making = Lock()

    def hash(self, passwords: Sequence[bytes], profile: Profile, *, urgent: bool = True) -> list[str]:
        """See Hasher."""
        return self._hasher().hash(passwords, profile, urgent=urgent)

    def verify(self, passwords: Sequence[bytes], verifiers: Sequence[Verifier]) -> list[bool]:
        """See Hasher."""
        return self._hasher().verify(passwords, verifiers)

    def judge(self, passwords: Sequence[str]) -> list[Judgement]:
        """See Hasher."""
        return self._hasher().judge(passwords)

    def load(self) -> Load:
        """See Hasher."""
        made = self._made
        return Load(0, 0, 0, self._ceiling) if made is None else made.load()

    def close(self) -> None:
        """See Hasher."""
        with self._making:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def _hasher(self) -> Hasher:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made
