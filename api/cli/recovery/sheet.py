"""Sheets that custodians print: one with a share, or one with what is public; HTML that loads and runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from api.cli.recovery import sheetwords as said
from api.cli.recovery.sheetstyle import STYLE
from api.words.said import Said

if TYPE_CHECKING:
    from keys.secret import Secret
    from vault.recovery.record import Record

POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # CSP Level 3: nothing is loaded, no script is run


def share_sheet(record: Record, number: int, words: Secret) -> str:
    """Return the sheet of one share; it holds the share, so it is written to memory and paper alone."""
    text = words.expose().decode()
    gaps = {"number": number, "count": len(record.digests), "threshold": record.threshold}
    listed = "".join(f"<li>{escape(word)}" for word in text.split())
    body = [
        _head(said.SHARE.filled(**gaps), said.SECRET.filled(**gaps), "secret"),
        f"<section class=beside><div>{_title(said.WORDS.filled(words=len(text.split())))}"
        f"<ol class=words>{listed}</ol></div>",
        # Capitals and spaces take two thirds of the room (ISO/IEC 18004, alphanumeric mode); readers take both.
        f"<div>{_code(text.upper(), said.SCAN, 'm')}{_record_code(record)}</div></section>",
        f"<section>{_facts(record, number)}</section>",
        _how(record),
    ]
    return _page(said.SHARE.filled(**gaps).en, body)


def record_sheet(record: Record) -> str:
    """Return the sheet of what is public of a recovery key."""
    gaps = {"count": len(record.digests), "threshold": record.threshold}
    body = [
        _head(said.RECORD, said.PUBLIC.filled(**gaps), "public"),
        f"<section class=beside>{_facts(record, None)}{_record_code(record)}</section>",
        _how(record),
    ]
    return _page(said.RECORD.en, body)


def _page(title: str, body: list[str]) -> str:
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>\n<main>\n'
        + "\n".join(body)
        + "\n</main>\n</html>\n"
    )


def _head(title: Said, warning: Said, kind: str) -> str:
    return (
        f"<header><p class=brand>strongroom</p><h1>{escape(title.en)}</h1>{_zh('p', title)}</header>\n"
        f"<aside class={kind}><p>{escape(warning.en)}</p>{_zh('p', warning)}</aside>"
    )


def _facts(record: Record, number: int | None) -> str:
    """Return the table of what is public, with the digest of one share, or for None of all."""
    rows = (f"<tr><th>{_text(name)}<td><code>{escape(value)}</code>" for name, value in _rows(record, number))
    return f"<table>{''.join(rows)}</table>"


def _rows(record: Record, number: int | None) -> Iterator[tuple[Said, str]]:
    yield said.MADE, f"{datetime.fromtimestamp(record.made_at, UTC):%Y-%m-%d %H:%M} UTC"
    yield said.CHECK, record.check_value
    for at, digest in enumerate(record.digests, 1):
        if number in (None, at):
            yield said.DIGEST.filled(number=at), digest
    yield said.RECIPIENT, record.recipient
    for key in record.keys:
        yield said.KEY, key.vkey
    if not record.keys:
        yield said.KEY, f"{said.NO_KEY.en} / {said.NO_KEY.zh}"


def _how(record: Record) -> str:
    gaps = {"threshold": record.threshold}
    steps = "".join(
        f"<li>{_both(before.filled(**gaps))}<pre>{escape(command)}</pre>{_both(after)}"
        for before, command, after in said.STEPS
    )
    last = "".join(f"<li>{_both(one)}" for one in said.LAST)
    return f"<section class=how>{_title(said.HOW)}<ol>{steps}</ol><ul>{last}</ul></section>"


def _record_code(record: Record) -> str:
    from vault.recovery.record import write

    return _code(write(record), said.SCAN_RECORD, "l")


def _code(text: str, caption: Said, error: str) -> str:
    """Return a figure with the QR code of a text; "" if it holds more than a code can (ISO/IEC 18004, table 7)."""
    import segno

    try:
        code = segno.make(text, error=error, micro=False, boost_error=False)
    except segno.DataOverflowError:
        return ""
    drawn = code.svg_inline(omitsize=True, border=4, svgclass=None, lineclass=None)
    return f"<figure>{drawn}<figcaption>{_text(caption)}</figcaption></figure>"


def _title(title: Said) -> str:
    return f"<h2>{_text(title)}</h2>"


def _both(text: Said) -> str:
    return f"<p>{_text(text)}</p>"


def _text(text: Said) -> str:
    return f"<span>{_marked(text.en)}</span>{_zh('span', text)}"


def _zh(element: str, text: Said) -> str:
    return f'<{element} lang="zh">{_marked(text.zh)}</{element}>'


def _marked(text: str) -> str:
    """Return a text as HTML, what is between backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))
