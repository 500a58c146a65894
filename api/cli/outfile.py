"""A file that is there whole or not at all: written beside its place with mode 0600, synced, then renamed."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from api.cli.failure import Failure


def check(path: Path, force: bool, source: str | None = None) -> None:
    """Raise Failure if nothing can be written at `path`.

    Args:
        force: an existing file may be replaced.
        source: the file that is read; never replaced, for refused values would be lost with it.
    """
    if source not in (None, "-") and path.exists() and path.samefile(str(source)):
        raise Failure(f"{path} is the file that is read", "write to another one")
    if path.exists() and not force:
        raise Failure(f"{path} exists", "choose another name, or say --force to replace it")
    if path.is_dir() or not path.parent.is_dir():
        raise Failure(
            f"{path} cannot be written: {'it is a folder' if path.is_dir() else 'its folder does not exist'}"
        )


@contextmanager
def created(path: Path | None, force: bool = False, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Open `path` for writing, standard output for None; on an exception the file stays as it was."""
    if path is None:
        yield from _standard_output(encoding)
        return
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with open(descriptor, "w", encoding=encoding, newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(temporary, path, force)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    _sync_folder(path.parent)


def _standard_output(encoding: str) -> Iterator[TextIO]:
    sys.stdout.flush()
    text = io.TextIOWrapper(sys.stdout.buffer, encoding=encoding, newline="", write_through=False)
    try:
        yield text
    finally:
        text.flush()
        text.detach()


def _name(temporary: str, path: Path, force: bool) -> None:
    if force:
        os.replace(temporary, path)
        return
    exists = False
    try:
        os.link(temporary, path)  # unlike a rename, never replaces what came to be there meanwhile
    except FileExistsError:
        exists = True
    except OSError:  # a file system without links
        os.replace(temporary, path)
    if exists:
        raise Failure(f"{path} came to exist meanwhile, and was not replaced")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
