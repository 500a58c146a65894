"""Which columns of a file hold which field types."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.cli.failure import Failure


@dataclass(frozen=True, slots=True)
class Target:
    """A column to work on: its place among the cells, its name, its field type."""

    position: int
    column: str
    field: str


def targets(
    name: str,
    header: Sequence[str],
    *,
    said: Iterable[str],
    left: Sequence[str],
    known: Sequence[str],
    never: Sequence[str],
) -> list[Target]:
    """Return the columns to work on: those `said` names, and those named like a field type and not in `left`.

    Args:
        name: of the file, for messages.
        said: texts "column=field".
        known, never: names of the field types there are, and of those that are never stored.
    Raises:
        Failure: a column or a field type does not exist, or there is nothing to do. Column names that the
            user did not say stay unsaid: in a file without a header they are values.
    """
    asked = dict(_pair(text) for text in said)
    for column in (*asked, *left):
        position(name, header, column)
    for field in asked.values():
        _known(field, known, never)
    found = [
        Target(place, column, asked.get(column, column))
        for place, column in enumerate(header)
        if column in asked or (column in known and column not in left)
    ]
    if not found:
        hint = "say which with --field COLUMN=TYPE; `strongroom fields` lists the types"
        raise Failure(f"{name}: no column is named like a field type", hint)
    for target in found:
        position(name, header, target.column)
    return found


def position(name: str, header: Sequence[str], column: str) -> int:
    """Return where `column` is; raise Failure if it is nowhere or in two places."""
    places = [place for place, title in enumerate(header) if title == column]
    if len(places) == 1:
        return places[0]
    if places:
        raise Failure(f"{name} has {len(places)} columns named {column}")
    raise Failure(f"{name} has no column {column}", _guess(column, header))


def _guess(column: str, header: Sequence[str]) -> str:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return "are its cells separated by something else than a comma? see --delimiter"
    near = difflib.get_close_matches(column, header, 1)
    return f"is it {near[0]}?" if near else f"columns in its header: {len(header)}"


def _pair(text: str) -> tuple[str, str]:
    column, equals, field = text.rpartition("=")
    if not (column and equals and field):
        raise Failure(f"--field {text}: not of the form COLUMN=TYPE", "such as --field card=bank_card")
    return column, field


def names_password(field: str) -> bool:
    """Tell whether `field`, one of the names that no field type may have, names a password."""
    from vault.fields import forbidden  # here, for it brings all field types with it

    return forbidden.is_password(field)


def _forbidden(field: str) -> Failure:
    if names_password(field):
        return Failure(
            f"{field} is no field type", "POST /v1/passwords keeps a hash of each, which nothing reveals"
        )
    return Failure(
        f"{field} must never be stored", "PCI DSS v4.0.1, 3.3.1: delete that column after authorisation"
    )


def _known(field: str, known: Sequence[str], never: Sequence[str]) -> None:
    if field in known:
        return
    if field in never:
        raise _forbidden(field)
    near = difflib.get_close_matches(field, known, 1)
    raise Failure(
        f"there is no field type {field}", f"is it {near[0]}?" if near else "`strongroom fields` lists them"
    )
