"""A bucket of an object store that speaks S3: what a URL says of it, and the client that reaches it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote

from vault.errors import InvalidRequest
from vault.sinks.posting import is_fit

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config, S3Store

NAME = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"  # of a general purpose bucket, as S3 allows it


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the objects go, and with which credentials.

    Attributes:
        endpoint: an https address, or http of this machine; None for the region's own at AWS.
    """

    bucket: str
    prefix: str
    region: str
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    endpoint: str | None = None

    @property
    def name(self) -> str:
        """`s3://bucket/prefix`."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def parse(url: SplitResult, options: Mapping[str, str]) -> Bucket:
    """Return what `s3://bucket/prefix?region=…[&endpoint=…]` names, without credentials; raise InvalidRequest."""
    endpoint = options.get("endpoint")
    if not re.fullmatch(NAME, url.netloc):
        raise InvalidRequest("an S3 URL names a bucket")
    if not re.fullmatch(r"[a-z0-9-]{1,32}", options.get("region", "")):
        raise InvalidRequest("an S3 URL says region=")
    if endpoint is not None and not is_fit(endpoint):
        raise InvalidRequest("an S3 endpoint is an https address, or http of this machine")
    return Bucket(url.netloc, unquote(url.path).strip("/"), options["region"], endpoint=endpoint)


def with_keys(bucket: Bucket, keys: tuple[str, str] | None) -> Bucket:
    """Return the bucket with access key and secret key; InvalidRequest where there are none."""
    if keys is None:
        raise InvalidRequest("an S3 URL needs an access key and a secret key, each in a file")
    return replace(bucket, access_key=keys[0], secret_key=keys[1])


def open_store(bucket: Bucket, connect: float, total: float | None = None) -> S3Store:
    """Return a client that tries once; it must be made in the process that uses it: it has threads.

    Args:
        connect: seconds for a connection; `total` for a whole request, None for as long as it takes.
    """
    from obstore.store import S3Store  # here: whoever parses a name alone needs no client

    options: ClientConfig = {
        "allow_http": (bucket.endpoint or "").startswith("http://"),
        "connect_timeout": timedelta(seconds=connect),
        "timeout": timedelta(days=1) if total is None else timedelta(seconds=total),
    }
    elsewhere: S3Config = {} if bucket.endpoint is None else {"endpoint": bucket.endpoint}
    # A bucket whose objects are locked takes none without a checksum (S3 API reference, PutObject).
    return S3Store(
        bucket.bucket, prefix=bucket.prefix or None, region=bucket.region, access_key_id=bucket.access_key,
        secret_access_key=bucket.secret_key, checksum_algorithm="SHA256", client_options=options, config=elsewhere,
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=connect)},
    )  # fmt: skip
