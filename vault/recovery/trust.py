"""Whose manifests a restore believes: a file of verifier keys, or the custodians' recovery record."""

from __future__ import annotations

from vault.audit.faults import KeyMalformed
from vault.audit.notes import Verifier
from vault.errors import InvalidLines
from vault.recovery import record


def read(text: str) -> list[Verifier]:
    """Return the verifier keys of a text, each once; InvalidLines says which line is wrong, or that there is none.

    Args:
        text: a recovery record, whole; or lines with a key each, alone or behind `manifest-key `, # remarks and
            empty ones between.
    """
    found = list(record.read(text).keys) if record.is_record(text) else _lines(text)
    if not found:
        raise InvalidLines("no line of it is a verifier key", text.count("\n") + 1)
    return list({key.vkey: key for key in found}.values())


def _lines(text: str) -> list[Verifier]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        given = line.strip().removeprefix(f"{record.MANIFEST_KEY} ").strip()
        if not given or given.startswith("#"):
            continue
        try:
            found.append(Verifier(given))
        except KeyMalformed as fault:
            raise InvalidLines(str(fault), number) from None
    return found
