"""Whether a file can grow: asked of the file system and tried, without a byte that anybody reads."""

from __future__ import annotations

import ctypes
import errno
import os

from vault.sinks.protocol import LONGEST_RECORD, SinkFailed

ROOM = 2 * LONGEST_RECORD  # bytes that must be free: the line of the longest record
AHEAD = 65_536  # bytes reserved behind the end of the file, which a quota may refuse before the disk is full

_KEEP_SIZE = 1  # FALLOC_FL_KEEP_SIZE, fallocate(2)
_UNABLE = {errno.EOPNOTSUPP, errno.ENOSYS}
_CODES = {
    errno.ENOSPC: "sink_full", errno.EDQUOT: "sink_full", errno.EFBIG: "sink_full", errno.EROFS: "sink_read_only",
    errno.EACCES: "sink_permission", errno.EPERM: "sink_permission", errno.ENXIO: "sink_no_reader",
    errno.EPIPE: "sink_no_reader", errno.ENOTDIR: "sink_no_folder", errno.ELOOP: "sink_not_a_file",
    errno.EISDIR: "sink_not_a_file",
}  # fmt: skip


def failed(error: OSError) -> SinkFailed:
    """Return what an error of the file system means for a sink."""
    return SinkFailed(_CODES.get(error.errno or 0, "sink_broken"), os.strerror(error.errno or 0))


def require_room(file: int, size: int) -> None:
    """Raise SinkFailed unless the open file, `size` bytes long, can grow by a batch's worth."""
    found = os.fstatvfs(file)
    if found.f_flag & os.ST_RDONLY:
        raise SinkFailed("sink_read_only", os.strerror(errno.EROFS))
    if found.f_blocks and found.f_bavail * found.f_frsize < ROOM:
        raise SinkFailed("sink_full", os.strerror(errno.ENOSPC))
    _reserve(file, size)


def _reserve(file: int, size: int) -> None:
    """Reserve blocks behind the end; a file system that cannot is asked no more than how much is free."""
    reserve = getattr(_LIBRARY, "fallocate", None)
    if reserve is None:
        return
    if reserve(file, _KEEP_SIZE, ctypes.c_longlong(size), ctypes.c_longlong(AHEAD)) != 0:
        code = ctypes.get_errno()
        if code not in _UNABLE:
            raise failed(OSError(code, ""))


_LIBRARY = ctypes.CDLL(None, use_errno=True)
