"""The service's own keysets: `manifest` signs what is said of backups, `backup` opens them for whoever has the root.

They are made at the first use and belong to the tenant SERVICE, which is no business and has no mode of one.
"""

from __future__ import annotations

from base64 import b64encode

from keys import identity
from keys.errors import KeysetChanged, UnknownKey
from keys.keyset import OF_SERVICE, OPENS, SERVICE, Keyset, Purpose
from keys.openkeys import OpenKey, TenantKeys
from keys.secret import Secret
from vault.audit.notes import Signer, Verifier
from vault.backup import manifests
from vault.backup.model import RootWrapped
from vault.columns import Actor
from vault.permitting import permit
from vault.recovery import telling
from vault.resources import Resources
from vault.store.keysets import Keysets, put, still_wrapped
from vault.store.writer import Refused, Transaction

NAME, MODE = "strongroom", "service"


def keys(resources: Resources) -> TenantKeys:
    """Return the service's open keys, made if there are none; KeyProblem while their root does not answer."""
    try:
        return resources.keyring.keys(SERVICE)
    except UnknownKey:
        now = resources.database.clock()
        made = [resources.keyring.create(SERVICE, purpose, now) for purpose in OF_SERVICE]
        Keysets(resources.database).create_service(NAME, MODE, made)
        return resources.keyring.reload(SERVICE)


def signers(resources: Resources, installation: str) -> list[Signer]:
    """Return what signs an installation's manifests: every version that opens, the primary first."""
    return [manifests.signer(key, installation) for key in keys(resources).openers(Purpose.MANIFEST)]


def verifiers(resources: Resources, installation: str) -> list[Verifier]:
    """Return the keys by which the service knows its own manifests."""
    return [Verifier(signer.vkey) for signer in signers(resources, installation)]


def digest_key(resources: Resources) -> OpenKey:
    """Return the version of `manifest` that digests of tables are under now."""
    return keys(resources).primary(Purpose.MANIFEST)


def recipient(resources: Resources) -> str:
    """Return the age recipient whose identity is the primary of `backup`."""
    return identity.recipient(keys(resources).primary(Purpose.BACKUP).secret)


def identities(resources: Resources) -> list[Secret]:
    """Return what opens the service's backups, the primary of `backup` first."""
    return [key.secret for key in keys(resources).openers(Purpose.BACKUP)]


def roots(resources: Resources) -> list[RootWrapped]:
    """Return every identity that opens backups as its root wraps it now."""
    held = keys(resources)
    _, stored = Keysets(resources.database).load(SERVICE)
    return [
        RootWrapped(
            f"{version.id:016x}", version.root, b64encode(version.wrapped).decode(),
            identity.recipient(held.version(Purpose.BACKUP, version.id).secret),
        )
        for version in stored[Purpose.BACKUP].versions
        if version.state in OPENS
    ]  # fmt: skip


def rotate(resources: Resources, actor: Actor) -> None:
    """Give both keysets a new primary, in one commit, which every tenant's log has on record.

    Manifests go on to be signed under the former version too, and what is at the targets is opened by it.

    Raises:
        KeysetChanged: somebody else turned them, or wrapped them anew, at the same time; nothing was changed.
    """
    given = permit(resources, actor, "roots")
    keys(resources)
    now = resources.database.clock()
    generation, stored = Keysets(resources.database).load(SERVICE)
    before = [stored[purpose] for purpose in OF_SERVICE]
    turned = [_turned(resources, keyset, now) for keyset in before]
    rows = list(telling.rows(resources, "rotate_backup_keys", given.actor))

    def work(transaction: Transaction) -> None:
        if not all(still_wrapped(SERVICE, keyset.primary, transaction) for keyset in before):
            raise Refused(KeysetChanged("the keysets were wrapped anew meanwhile"))
        reached = generation
        for keyset in turned:
            reached = put(SERVICE, keyset, reached, transaction)
        transaction.append("audit_record", rows)

    resources.database.write(work, deadline=actor.deadline)
    resources.keyring.reload(SERVICE)


def _turned(resources: Resources, keyset: Keyset, now: float) -> Keyset:
    new = resources.keyring.add(keyset, now)
    return keyset.with_version(new).activated(new.id, now)
