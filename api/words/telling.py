"""Say what happened to a person's data, in one sentence each.

Names come from records, and so from whoever made an API key or a policy: they fill gaps and are never templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import ModuleType
from typing import TYPE_CHECKING

from api.words import en, zh

if TYPE_CHECKING:
    from strongroom_client import AuditReach, PersonEvent

LANGUAGES: Mapping[str, ModuleType] = {"en": en, "zh": zh}


class Telling:
    """Says events in one language, with times of one zone."""

    def __init__(self, language: str, zone: tzinfo | None = None) -> None:
        """Args: `language` is one of LANGUAGES; `zone` None for that of this machine."""
        self._words, self._zone = LANGUAGES[language], zone

    def sentence(self, event: PersonEvent) -> str:
        """Return what happened, with when and by whom."""
        words = self._words
        phrase = words.OPERATIONS.get(event.operation, words.OTHER_OPERATION)
        fields = [words.FIELDS.get(name, name) for name in event.fields]
        what = words.YOURS.format(fields=self._listed(fields), view=words.VIEWS.get(event.view, ""))
        who = self._who(event)
        gaps = {
            "what": what, "What": _capital(what), "who": who, "Who": _capital(who), "was": words.WAS[len(fields) > 1],
            "why": self._why(event.purpose), "operation": event.operation,
        }  # fmt: skip
        if event.result == "ok":
            said = words.DONE.format(done=phrase.done.format(**gaps) + self._references(event.reference))
        else:
            result = words.RESULTS.get(event.result) or words.OTHER_RESULT.format(result=event.result)
            said = words.REFUSED.format(tried=phrase.tried.format(**gaps), result=result)
        return f"{self._time(event.at)} {said}"

    def reach(self, reach: AuditReach, events: int) -> str:
        """Return how far the answer goes, in a sentence."""
        words = self._words
        time = "-" if reach.sealed_at is None else self._time(reach.sealed_at)
        told: str = words.REACH if reach.pending else words.REACH_ALL
        return ("" if events else f"{words.NOTHING} ") + told.format(time=time, pending=reach.pending)

    def _who(self, event: PersonEvent) -> str:
        """Return whom people know the caller as: an API key by its name."""
        words = self._words
        known: str | None = words.CALLERS.get(event.caller)
        if known is not None:
            return known
        if event.caller_name is None and event.caller.startswith("key_"):
            return str(words.NAMELESS.format(caller=event.caller))
        return str(words.NAMED.format(caller=event.caller_name or event.caller))

    def _why(self, purpose: str) -> str:
        words = self._words
        if not purpose:
            return ""
        said = words.PURPOSES.get(purpose) or words.OTHER_PURPOSE.format(purpose=purpose)
        return str(words.WHY.format(purpose=said))

    def _references(self, reference: str) -> str:
        """Return the case and the consent that were named."""
        words, said = self._words, []
        for part in reference.split():
            kind, _, named = part.partition(":")
            said.append(words.REFERENCES.get(kind, "{named}").format(named=named))
        return words.REFERENCE.format(references=words.COMMA.join(said)) if said else ""

    def _listed(self, names: list[str]) -> str:
        words = self._words
        if len(names) < 2:
            return names[0] if names else words.DATA
        return str(words.COMMA.join(names[:-1]) + words.AND + names[-1])

    def _time(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}"


def language_of(environment: Mapping[str, str]) -> str:
    """Return the language that an environment asks for (POSIX, "Environment Variables": LC_ALL, LC_MESSAGES, LANG)."""
    said = next(
        (environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), ""
    )
    return "zh" if said.lower().startswith("zh") else "en"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
