"""The file of recipients: whom backups are sealed to, and whose reports of drills are believed.

# a remark
recovery age1…        of the custodians' recovery key; `strongroom recovery init` prints it
drill age1…           of a drill host
report NAME+HASH+KEY  the verifier key (C2SP signed-note) of a drill host
"""

from __future__ import annotations

from keys import identity
from vault.audit.faults import KeyMalformed
from vault.audit.notes import Verifier
from vault.backup.plan import Recipients
from vault.errors import InvalidLines

KINDS = ("recovery", "drill", "report")


def read(text: str) -> Recipients:
    """Return the recipients of a file's text, in its order; InvalidLines names the first line that is wrong."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for number, line in enumerate(text.split("\n"), 1):
        kind, _, given = line.strip().partition(" ")
        if not kind or kind.startswith("#"):
            continue
        if kind not in found:
            raise InvalidLines(f"it should begin with {', '.join(KINDS)} or #", number)
        found[kind].append(_checked(kind, given.strip(), number))
        if len(set(found["recovery"] + found["drill"])) < len(found["recovery"] + found["drill"]):
            raise InvalidLines("the recipient is in a line above already", number)
    return Recipients(*(tuple(found[kind]) for kind in KINDS))


def _checked(kind: str, given: str, number: int) -> str:
    if kind == "report":
        try:
            return Verifier(given).vkey
        except KeyMalformed as fault:
            raise InvalidLines(str(fault), number) from None
    if not identity.is_recipient(given):
        raise InvalidLines("it is no age X25519 recipient, age1…: mistyped, or of another kind", number)
    return given
