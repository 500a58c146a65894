"""The service's log: one JSON line a request on standard error, of names and numbers of ours only.

Nothing that a caller sends gets here: no path, query, header, body, value, token or message of an exception;
the route's template, an API key's public id and a request id of a narrow form do.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from types import TracebackType

import msgspec
import structlog

_STANDARD_ERROR = 2
_ROOT = Path(__file__).resolve().parent.parent


class RequestLog:
    """Writes the lines; `level` is a name such as "info" (requests) or "warning" (failures only)."""

    def __init__(self, level: str = "info") -> None:
        number = logging.getLevelNamesMapping()[level.upper()]
        self._logger = structlog.wrap_logger(
            _Lines(),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(serializer=_line),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(number),
        ).bind()

    def request(self, **facts: object) -> None:
        """Write what became of a request."""
        self._logger.info("request", **facts)

    def quiet(self, **facts: object) -> None:
        """Write what became of a request that nobody reads about, such as a probe's."""
        self._logger.debug("request", **facts)

    def failure(self, error: BaseException, request_id: str) -> None:
        """Write the type of an error and the places it came through; neither its message nor any value."""
        self._logger.error(
            "failure", request_id=request_id, types=_types(error), places=_places(error.__traceback__)
        )


class _Lines:
    """Standard error, a line a system call: threads and processes share it, and a line is shorter than PIPE_BUF."""

    def write(self, line: str) -> None:
        """Write one line; a log that cannot be written stops no request (the audit does)."""
        with contextlib.suppress(OSError):
            os.write(_STANDARD_ERROR, f"{line}\n".encode())

    debug = info = error = write


def _line(facts: object, **_: object) -> str:
    return msgspec.json.encode(facts).decode()


def _types(error: BaseException) -> list[str]:
    """Return the names of an error's type and of those that caused it, latest first, at most eight."""
    names: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(names) < 8:
        names.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__ or cause.__context__
    return names


def _places(trace: TracebackType | None) -> list[str]:
    """Return file:line and function of the last eight frames, innermost last."""
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        path = Path(code.co_filename)
        name = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(path.parent.name, path.name)
        places.append(f"{name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places[-8:]
