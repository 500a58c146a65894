"""What a database says as errors of this package: its own words may hold a row, so only their kind goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError

from vault.errors import StoreConflict, StoreUnavailable


@contextmanager
def translating() -> Iterator[None]:
    """Raise the errors of this package, in the context of nothing: a trace would tell the database's words."""
    failure: StoreConflict | StoreUnavailable | None = None
    try:
        yield
    except DBAPIError as error:
        failure = translated(error)
    if failure is not None:
        try:
            raise failure
        except (StoreConflict, StoreUnavailable):
            failure.__context__ = None  # which the interpreter has set, for the error that left the block
            raise


def translated(error: DBAPIError) -> StoreConflict | StoreUnavailable:
    """Return what to raise instead."""
    if isinstance(error, IntegrityError):
        return StoreConflict("the database holds something of this name or key already")
    if _is_full(error.orig):
        return StoreUnavailable("there is no room left on the database's disk")
    return StoreUnavailable(f"the database does not work now ({type(error.orig).__name__})")


def _is_full(error: BaseException | None) -> bool:
    """Whether a database says that its disk is full: SQLITE_FULL (sqlite3.h), or disk_full (PostgreSQL, appendix A)."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or (
        getattr(error, "sqlstate", None) == "53100"
    )
