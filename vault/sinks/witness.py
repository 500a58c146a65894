"""A witness elsewhere (C2SP tlog-witness): it keeps the newest checkpoint of a log and cosigns what has only grown."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from http import HTTPStatus

from vault.audit import notes, witness
from vault.audit.faults import AuditFault
from vault.errors import InvalidRequest
from vault.sinks.posting import Reply, Untrusted, post
from vault.sinks.protocol import PATIENCE, Batch, ProofNeeded, SinkFailed

LOOK = 10.0  # seconds between two probes: it holds no records, so no request waits for it


class WitnessSink:
    """Submits checkpoints; one that the witness finds to be of another tree is the worst news there is."""

    holds_records = False

    def __init__(
        self, address: str, key: str, monotonic: Callable[[], float], trust: ssl.SSLContext | None = None
    ) -> None:
        """Args: `address` is the witness's submission prefix, `key` its verifier key.

        Raises InvalidRequest if the key is none.
        """
        try:
            self._key = notes.Verifier(key)
        except AuditFault:
            raise InvalidRequest("a witness sink's URL says key=, the witness's verifier key") from None
        self._address, self._monotonic, self._trust = address, monotonic, trust
        self._known: dict[str, tuple[int, str]] = {}  # by log: size and note of what it cosigned last
        self._looked: float | None = None

    @property
    def name(self) -> str:
        """`witness+https://host/path`."""
        return f"witness+{self._address}"

    def deliver(self, batch: Batch) -> str:
        """Submit the checkpoint; return its note with the cosignature.

        Raises ProofNeeded if the witness has another size than the proof begins at.
        """
        if not batch.note:
            return ""
        note = self._submit(batch.proved_from, batch.proof, batch.note, batch.size)
        self._known[batch.origin] = batch.size, batch.note
        return note

    def probe(self) -> None:
        """Submit the last checkpoint again; before the first one, see that something answers as a witness does."""
        now = self._monotonic()
        if self._looked is not None and now - self._looked < LOOK:
            return
        if self._known:
            size, note = next(reversed(self._known.values()))
            self._submit(size, (), note, size)
        elif self._post(b"").status != HTTPStatus.BAD_REQUEST:
            raise SinkFailed("sink_refused", "what answers there is no witness")
        self._looked = now

    def restart_from(self, origin: str) -> int | None:
        """Return the size of the checkpoint that it cosigned last; None if this process never heard."""
        return self._known[origin][0] if origin in self._known else None

    def close(self) -> None:
        """Forget what the witness has: another process may submit to it before this one does again."""
        self._known, self._looked = {}, None

    def _submit(self, old: int, proof: Sequence[bytes], note: str, size: int) -> str:
        try:
            body = witness.request(old, proof, note)
            reply = self._post(body)
            if reply.status == HTTPStatus.CONFLICT:
                raise self._conflict(reply, old, size)
            if reply.status != HTTPStatus.OK:
                raise SinkFailed("sink_refused", f"the witness answers {reply.status}")
            return witness.cosigned_note(note, reply.body, [self._key])
        except AuditFault:
            raise SinkFailed("sink_refused", "the witness's answer is no cosignature of its key") from None

    @staticmethod
    def _conflict(reply: Reply, old: int, size: int) -> SinkFailed:
        if not reply.body[:1].isdigit():  # the sizes agree and the roots do not
            return SinkFailed("sink_differs", "the witness has seen another log of this name")
        known = witness.known_size(reply.body)
        if known == old or known > size:
            return SinkFailed("sink_differs", "the witness has seen another log of this name")
        return ProofNeeded(known)

    def _post(self, body: bytes) -> Reply:
        try:
            headers = {"Content-Type": "text/plain; charset=utf-8"}
            return post(f"{self._address}/add-checkpoint", body, headers, PATIENCE, self._trust)
        except Untrusted:
            raise SinkFailed("sink_untrusted", "the witness's certificate is not trusted") from None
        except OSError:
            raise SinkFailed("sink_unreachable", "the witness does not answer") from None
