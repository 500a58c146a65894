"""What an S3 client's error means: its text has the server's status and code, which it keeps nowhere else."""

from __future__ import annotations

import re

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from vault.recovery.targets.protocol import MissingFile, TargetFailed

_STATUS = re.compile(r"status code: ([0-9]{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>|\(code: ([A-Za-z]{1,64})\)")
_LOCKED = re.compile(r"object lock|objectlock|worm|legal hold|retention", re.IGNORECASE)
_FULL = {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}


def explained(error: Exception) -> TargetFailed:
    """Return what the error means; MissingFile if the bucket is there and the object is not."""
    text = str(error)
    status, found = _STATUS.search(text), _CODE.search(text)
    code = "" if found is None else found[1] or found[2]
    number = 0 if status is None else int(status[1])
    if code == "NoSuchBucket":
        return TargetFailed("target_removed", "the bucket is not there")
    if isinstance(error, FileNotFoundError):
        return MissingFile()
    refused = isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError)
    if refused or number in {401, 403} or code in {"AccessDenied", "ObjectLocked", "InvalidRequest"}:
        return _refused(text)
    if code in _FULL or number == 507:
        return TargetFailed("target_full", "the store is full")
    if number == 0 and not code:
        return _silent(text)
    return _failed(number, text)


def _refused(text: str) -> TargetFailed:
    if _LOCKED.search(text):
        return TargetFailed("target_locked", "the store keeps the object for longer")
    return TargetFailed("target_permission", "the store refuses these credentials")


def _silent(text: str) -> TargetFailed:
    """Say why no answer came: the store is not who it should be, not there, or took too long."""
    if "certificate" in text or "UnknownIssuer" in text:
        return TargetFailed("target_untrusted", "nobody who is trusted vouches for the store")
    if "TimedOut" in text and "kind: Connect" not in text:
        return TargetFailed("target_slow", "the store did not answer in time")
    return TargetFailed("target_unreachable", "no connection to the store")


def _failed(number: int, text: str) -> TargetFailed:
    if "read-only file system" in text:
        return TargetFailed("target_read_only", "the store is read-only")
    if number in {429, 503}:
        return TargetFailed("target_slow", "the store asks for less")
    return TargetFailed("target_broken", "the store failed, and does not say why")
