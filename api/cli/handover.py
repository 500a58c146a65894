"""A wrapped secret id opens once, and several processes need it: `serve` opens it and hands it on in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from api.config import Settings, load
from api.roots import open_secret_id

FILE, WRAPPED = "STRONGROOM_VAULT_SECRET_ID_FILE", "STRONGROOM_VAULT_SECRET_ID_WRAPPED"


@contextmanager
def secret_id_handed_on(settings: Settings) -> Iterator[tuple[Settings, tuple[int, ...]]]:
    """Give the settings for this process and its children, and the descriptors that children started anew must get.

    A wrapped secret id is opened and put into an anonymous file in memory, which the environment then names; forked
    processes have it, others need its descriptor.

    Raises:
        RootLoginRefused: it was opened before, or has ended.
        RootUnavailable, RootUntrusted: Vault does not open it now.
    """
    if settings.vault_addr is None or not settings.vault_secret_id_wrapped:
        yield settings, ()
        return
    secret = open_secret_id(settings)
    descriptor = os.memfd_create("secret-id")
    before = {name: os.environ.get(name) for name in (FILE, WRAPPED)}
    try:
        os.write(descriptor, secret.expose())
        secret.wipe()
        os.environ |= {FILE: f"/dev/fd/{descriptor}", WRAPPED: "false"}
        yield load(), (descriptor,)
    finally:
        os.close(descriptor)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
