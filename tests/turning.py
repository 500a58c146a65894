"""A root in memory whose own key turns, as that of a key service does, and which may be away."""

from __future__ import annotations

from collections.abc import Sequence

from keys.errors import KeyProblem, UnwrapError
from keys.secret import Secret
from keys.wrapping import AeadRoot


class Turning:
    """A `keys.provider.TurningRoot`; a wrapped key begins with the version (1 byte) that wraps it."""

    def __init__(self, name: str = "transit") -> None:
        self.name, self.away, self.oldest = name, False, 1
        self._versions = [AeadRoot(name, Secret.random())]

    def wrap(self, keys: Sequence[Secret], contexts: Sequence[bytes]) -> list[bytes]:
        self.check()
        return [bytes([self.latest()]) + blob for blob in self._versions[-1].wrap(keys, contexts)]

    def unwrap(self, wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[Secret]:
        self.check()
        return [self._open(blob, context) for blob, context in zip(wrapped, contexts, strict=True)]

    def check(self) -> None:
        if self.away:
            raise KeyProblem("the root does not answer")

    def close(self) -> None:
        """Nothing is open."""

    def latest(self) -> int:
        self.check()
        return len(self._versions)

    def turn(self) -> int:
        self.check()
        self._versions.append(AeadRoot(self.name, Secret.random()))
        return len(self._versions)

    def version_of(self, wrapped: bytes) -> int:
        return wrapped[0]

    def rewrap(self, wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[bytes]:
        return self.wrap(self.unwrap(wrapped, contexts), contexts)

    def retire_before(self, version: int) -> None:
        self.oldest = version

    def _open(self, blob: bytes, context: bytes) -> Secret:
        if blob[0] < self.oldest:
            raise UnwrapError("this version of the root's key opens nothing any more")
        return self._versions[blob[0] - 1].unwrap([blob[1:]], [context])[0]
