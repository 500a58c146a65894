"""A folder of another machine over SFTP, laid out as `directory` does it, so that either opens what the other wrote.

Files are written below `.tmp`, synced where the server can be told to, and renamed, which a server of version 3 of
the protocol refuses where the name is taken: OpenSSH's links and unlinks.
"""

from __future__ import annotations

import errno
import secrets
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vault.recovery.targets.login import Account, connect
from vault.recovery.targets.patience import DEEPEST, Deadline, Listing
from vault.recovery.targets.places import SftpPlace
from vault.recovery.targets.protocol import File, MissingFile, TargetFailed
from vault.recovery.targets.session import FSYNC, GARBLED, Session

DRAFTS = ".tmp"
OLD = 86_400  # seconds after which nobody writes a draft any more
ROOM = 65_536  # bytes that a probe writes


class Sftp:
    """Files below the place's folder, which must be there."""

    def __init__(self, account: Account, place: SftpPlace) -> None:
        self._account, self._place = account, place
        self._line: socket.socket | None = None
        self._session: Session | None = None
        self._cleared = False
        self._syncs: bool | None = None

    @property
    def name(self) -> str:
        """The place's own."""
        return self._place.name

    def put(self, path: str, data: bytes, deadline: Deadline) -> None:
        """Write a draft, sync it, rename it, sync the folder."""
        with self._opened(deadline, len(data)) as session:
            try:
                self._compare(session, path, data, deadline)
                return
            except FileNotFoundError:
                pass
            with self._draft(session, data, deadline) as draft:
                self._make_folders(session, path)
                try:
                    session.rename(draft, self._at(path))
                except OSError:
                    with suppress(FileNotFoundError):
                        self._compare(session, path, data, deadline)
                        return
                    raise
                self._sync_folder(session, path)

    def get(self, path: str, deadline: Deadline) -> bytes:
        """Read the file."""
        with self._opened(deadline) as session:
            try:
                return self._read(session, path, deadline)
            except FileNotFoundError:
                session.stat(self._place.path)  # if that is not there either, more than a file is missing
                raise MissingFile from None

    def files(self, prefix: str, deadline: Deadline) -> list[File]:
        """Walk the folders."""
        with self._opened(deadline) as session:
            session.stat(self._place.path)
            found, listing = list[File](), Listing(deadline)
            folders = [prefix]
            while folders:
                folder = folders.pop()
                with suppress(FileNotFoundError):
                    for one in session.listdir_iter(self._at(folder)):
                        session.sock.settimeout(deadline.left())
                        listing.hear()
                        if stat.S_ISREG(one.st_mode or 0):
                            found.append(File(folder + one.filename, one.st_size or 0))
                        elif stat.S_ISDIR(one.st_mode or 0) and _is_ours(folder, one.filename):
                            folders.append(f"{folder}{one.filename}/")
            return found

    def delete(self, path: str, deadline: Deadline) -> None:
        """Remove the file and sync its folder."""
        with self._opened(deadline) as session:
            try:
                session.remove(self._at(path))
            except FileNotFoundError:
                session.stat(self._place.path)
                return
            self._sync_folder(session, path)

    def probe(self, deadline: Deadline) -> None:
        """Write a draft, sync it, remove it."""
        with self._opened(deadline, ROOM) as session, self._draft(session, bytes(ROOM), deadline):
            pass

    def weaknesses(self) -> list[str]:
        """Say if the server cannot be told to sync."""
        if self._syncs is False:
            return [f"the server does not do {FSYNC}: a power cut there may lose files that it said it has"]
        return []

    def cut(self) -> None:
        """Shut the connection down."""
        line = self._line
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the session."""
        session, self._session = self._session, None
        if session is not None:
            session.client.close()

    def _at(self, path: str) -> str:
        return f"{self._place.path}/{path}"

    @contextmanager
    def _opened(self, deadline: Deadline, size: int = 0) -> Iterator[Session]:
        """Give a session that is open; a failure of the connection ends it, and what went wrong is told by its code."""
        session = self._session
        if session is None or not _is_alive(session):
            self.close()
            session = self._session = connect(self._account, deadline, self._begin)
        try:
            session.sock.settimeout(deadline.left())
            yield session
        except TargetFailed as failure:
            if failure.problem == "target_slow":
                self.close()  # replies to what was asked may still be under way
            raise
        except TimeoutError:
            self.close()
            raise TargetFailed("target_slow", "the server did not answer in time") from None
        except GARBLED:
            self.close()
            raise TargetFailed("target_unreachable", "the connection ended") from None
        except OSError as error:
            raise self._refused(session, error, size) from None

    def _begin(self, line: socket.socket) -> None:
        self._line = line

    def _refused(self, session: Session, error: OSError, size: int) -> TargetFailed:
        """Say what a refusal means: version 3 of the protocol has a code for two causes, and one for all others."""
        if not _is_alive(session):
            self.close()
            return TargetFailed("target_unreachable", "the connection ended")
        if error.errno == errno.EACCES:
            return TargetFailed("target_permission", "the server does not allow it")
        if error.errno == errno.ENOENT:
            return TargetFailed("target_removed", "the folder is not there")
        try:
            room = session.room(self._place.path)
        except (OSError, *GARBLED):
            room = None
        if room is not None and room.read_only:
            return TargetFailed("target_read_only", "the file system is read-only")
        if room is not None and (room.size < size + ROOM or room.files == 0):
            return TargetFailed("target_full", "no room is left")
        return TargetFailed("target_broken", "the server failed, and does not say why")

    @contextmanager
    def _draft(self, session: Session, data: bytes, deadline: Deadline) -> Iterator[str]:
        """Give the path of a synced file with these bytes, which is removed at the end if it is still there."""
        self._make_folders(session, f"{DRAFTS}/")
        draft = self._at(f"{DRAFTS}/{secrets.token_hex(16)}")
        try:
            with session.open(draft, "wx") as file:
                file.chmod(0o600)
                self._clear(session, file.stat().st_mtime or 0)
                session.write_all(file, data, deadline)
                self._syncs = session.fsync(file)
            yield draft
        finally:
            if _is_alive(session):
                with suppress(OSError):
                    session.remove(draft)

    def _clear(self, session: Session, now: float) -> None:
        """Remove what writers that died have left; `now` is the server's own time, whatever clock it goes by."""
        if not self._cleared:
            for one in session.listdir_attr(self._at(DRAFTS)):
                if (one.st_mtime or 0) < now - OLD:
                    with suppress(FileNotFoundError):
                        session.remove(self._at(f"{DRAFTS}/{one.filename}"))
            self._cleared = True

    def _make_folders(self, session: Session, path: str) -> None:
        """Make the folders that the last part of `path` lies in, and sync what each lies in."""
        missing: list[str] = []
        folder = path.rpartition("/")[0]
        while folder:
            try:
                session.stat(self._at(folder))
                break
            except FileNotFoundError:
                missing.append(folder)
                folder = folder.rpartition("/")[0]
        for one in reversed(missing):
            try:
                session.mkdir(self._at(one), 0o700)
            except OSError:
                with suppress(FileNotFoundError):
                    session.stat(self._at(one))  # somebody else has made it by now
                    continue
                raise
            self._sync_folder(session, one)

    def _sync_folder(self, session: Session, path: str) -> None:
        """Sync the folder that `path` lies in: OpenSSH opens one for reading as a file, and syncs what is open."""
        if self._syncs is False:
            return
        try:
            with session.open(self._at(path.rpartition("/")[0]), "r") as folder:
                self._syncs = session.fsync(folder)
        except TimeoutError:
            raise
        except OSError:
            self._syncs = False

    def _read(self, session: Session, path: str, deadline: Deadline, sync: bool = False) -> bytes:
        with session.open(self._at(path), "r") as file:
            facts = file.stat()
            if not stat.S_ISREG(facts.st_mode or 0):
                raise TargetFailed("target_broken", "something else lies in a file's place")
            size = facts.st_size or 0
            deadline.allow(size)
            if sync:
                self._syncs = session.fsync(file)
            return session.read_all(file, size, deadline)

    def _compare(self, session: Session, path: str, data: bytes, deadline: Deadline) -> None:
        """Return if the file that is there holds `data`, and is durable; FileNotFoundError if there is none."""
        if self._read(session, path, deadline, sync=True) != data:
            raise TargetFailed("target_differs", "a file holds something else than is put there")
        self._sync_folder(session, path)


def _is_ours(folder: str, name: str) -> bool:
    """Whether what lies in a folder may be of backups: no drafts, and nothing far below."""
    return not name.startswith(".") and folder.count("/") < DEEPEST


def _is_alive(session: Session) -> bool:
    transport = session.client.get_transport()
    return transport is not None and transport.is_active() and not session.sock.closed
