"""`strongroom audit person`: what happened to a person's data, in words that they understand."""

from __future__ import annotations

import os
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

import click

from api.cli.audit.records import reached
from api.cli.connection import online
from api.cli.screen import Screen
from api.cli.stdin import last_line
from api.cli.times import since_option, until_option

if TYPE_CHECKING:
    from strongroom_client import AuditReach, Client, PersonEvent


@click.command()
@online
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Default as LANG says.")
@since_option
@until_option
@click.option("--limit", type=click.IntRange(1), default=1_000, show_default=True, help="How many at most.")
def person(
    screen: Screen,
    client: Client,
    /,
    *,
    lang: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> None:
    """Tell what happened to a person's data, the newest first, a sentence each; times are of this machine's zone.

    What came several times in one minute is told once, with how often.

    Your own id of the person is read from standard input: as an argument, other users of the machine could see it.

    \b
    echo customer-1 | strongroom audit person --lang zh
    """
    from api.words.telling import Telling, language_of

    telling = Telling(lang or language_of(os.environ))
    found: list[PersonEvent] = []
    reach: AuditReach | None = None
    for page in client.person_pages(last_line("Subject"), since=since, until=until, page=min(limit, 1_000)):
        reach = reach or page
        found += page.events
        if len(found) >= limit:
            break
    shown = found[:limit]
    if screen.json:
        screen.data({
            "events": [{**_data(one), "sentence": telling.sentence(one)} for one in shown], **reached(reach),
        })  # fmt: skip
        return
    for said, alike in groupby(map(telling.sentence, shown)):
        times = sum(1 for _ in alike)
        screen.say(said if times == 1 else f"{said} ×{times:,}")
    if reach is not None:
        screen.note(telling.reach(reach, len(shown)))


def _data(event: PersonEvent) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}
