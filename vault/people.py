"""Person keys: each subject's values are sealed under a key of its own, which an erasure destroys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from keys.keyset import Purpose, new_key_id
from keys.openkeys import TenantKeys
from keys.secret import Secret
from keys.wrapping import wrap
from vault import cipher
from vault.columns import Actor
from vault.resources import Resources, open_person_keys, person_context
from vault.store import subjects
from vault.store.writer import Overtaken, Transaction


@dataclass(slots=True, repr=False)
class People:
    """The person keys that a request seals under, and those of them that are not stored yet.

    Attributes:
        keys: id and plain bytes, by subject digest.
        new: wrapped keys to store, by subject digest.
    """

    keys: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    new: dict[bytes, subjects.Wrapped] = field(default_factory=dict)

    def hold(self, transaction: Transaction, keys: TenantKeys) -> set[bytes]:
        """Store the new keys and keep the others as they are until the commit.

        Returns the subjects who have another key by now, which is in `self.keys`: an emergency renews so many that a
        long column would never be done with keys of before. Raises Overtaken if one was erased, or entered by another.
        """
        old = [digest for digest in self.keys if digest not in self.new]
        held = subjects.hold(transaction, keys.tenant, old) if old else {}
        if len(held) != len(old):
            raise Overtaken
        renewed = {digest: one for digest, one in held.items() if one[0] != self.keys[digest][0]}
        self.keys |= open_person_keys(keys, keys.tenant, renewed)
        if self.new and len(subjects.claim(transaction, keys.tenant, self.new)) != len(self.new):
            raise Overtaken
        return set(renewed)


def gather(
    resources: Resources, keys: TenantKeys, actor: Actor, digests: Iterable[bytes], *, store: bool = False
) -> People:
    """Return the keys of these subjects, new ones for those who have none yet.

    Args:
        store: commit the new keys first, so that nobody who enters the same subjects can come in between again.
    """
    wanted = list(dict.fromkeys(digests))
    if not wanted:
        return People()
    people = _known(resources, keys, actor.tenant, wanted)
    _add(resources, keys, actor.tenant, people, [digest for digest in wanted if digest not in people.keys])
    if not (store and people.new):
        return people

    def work(transaction: Transaction) -> None:
        subjects.claim(transaction, actor.tenant, people.new)

    resources.database.write(work, guard=(actor.tenant, keys.generation), deadline=actor.deadline)
    return gather(resources, keys, actor, wanted)


def _known(resources: Resources, keys: TenantKeys, tenant: int, wanted: Sequence[bytes]) -> People:
    with resources.database.read() as connection:
        found = subjects.known(connection, resources.database.dialect, tenant, wanted)
    return People(open_person_keys(keys, tenant, found))


def _add(
    resources: Resources, keys: TenantKeys, tenant: int, people: People, missing: Sequence[bytes]
) -> None:
    """Draw a key for each subject that has none, and wrap it."""
    if not missing:  # whoever has a key needs none that still seals
        return
    primary = keys.primary(Purpose.SEAL)
    resources.keyring.spend(tenant, primary, len(missing))
    aead = cipher.aead(primary)
    for digest in missing:
        key_id, key = new_key_id(), Secret.random().expose()
        people.keys[digest] = key_id, key
        people.new[digest] = key_id, wrap(aead, key, person_context(tenant, digest, key_id)), primary.id
