"""What a language says of one operation."""

from __future__ import annotations

from typing import NamedTuple


class Phrase(NamedTuple):
    """Two sentences with gaps: what was done, and what somebody tried who was refused.

    Gaps: {who}; {what} the field types, with the view in which they were shown; {was} the verb that fits them; {why}
    the purpose. All that fills them comes from records, and none of it is a template itself.
    """

    done: str
    tried: str
