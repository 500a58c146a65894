"""What custodians do: look at keysets, have them turned, take versions out of use, destroy them after a wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from keys.errors import KeyProblem, KeysetChanged, KeyStateError, RootCannotTurn
from keys.keyset import COUNTED, TURNS, Keyset, KeyVersion, Purpose, State
from keys.provider import TurningRoot
from vault.columns import Actor, KeyInfo, KeysetInfo, RootInfo
from vault.errors import (
    InvalidRequest,
    KeysetDoesNotTurn,
    UnknownJob,
    UnknownKeyset,
    UnknownKeyVersion,
    VaultError,
)
from vault.permitting import Permit, permit
from vault.resources import Resources
from vault.store import catalogue, inspection, jobs
from vault.store.jobs import Job
from vault.store.keysets import Keysets, put
from vault.store.needs import needs, require_none
from vault.store.writer import Refused, Transaction

DUE = 0.9  # of the cryptoperiod, in time or messages, from which a keyset should be turned
LEAST_WAIT, USUAL_WAIT, LONGEST_WAIT = 86_400, 2_592_000, 31_536_000  # seconds before a version is destroyed
MAX_JOBS = 100
ATTEMPTS = 3  # after somebody else changed the keyset first
ROOTS = "roots"  # one job at a time over all tenants works on them
EVERYBODYS = {ROOTS: "roots", "backups": "backups"}  # what calling off a job on everybody's takes


def keysets(resources: Resources, actor: Actor) -> list[KeysetInfo]:
    """Return the tenant's keysets; see `Vault.keysets`."""
    permit(resources, actor, "keys")
    generation, held = Keysets(resources.database).load(actor.tenant)
    return [_told(resources, generation, held[purpose]) for purpose in Purpose if purpose in held]


def keyset(resources: Resources, actor: Actor, purpose: str) -> KeysetInfo:
    """Return one keyset with what needs each version; see `Vault.keyset`."""
    permit(resources, actor, "keys")
    generation, found = _keyset(resources, actor, purpose)
    told, database = _told(resources, generation, found), resources.database
    with database.read() as connection:
        counted = [needs(connection, found, version, database.now()) for version in found.versions]
    versions = [replace(info, needed_by=there) for info, there in zip(told.versions, counted, strict=True)]
    return replace(told, versions=tuple(versions))


def rotate(resources: Resources, actor: Actor, purpose: str) -> Job:
    """Have a keyset turned; see `Vault.rotate_keyset`."""
    given = permit(resources, actor, "custody")
    _, found = _keyset(resources, actor, purpose)
    _must_turn(found.purpose)
    notes = {"purpose": found.purpose.value}
    return _start(given, "rotate_keyset", jobs.target_of(found.purpose), notes, purpose)


def compromise(resources: Resources, actor: Actor, key_id: str) -> Job:
    """Have everything taken from under a leaked version; see `Vault.compromise_key`."""
    given = permit(resources, actor, "custody")
    _, found, version = _version(resources, actor, key_id)
    _must_turn(found.purpose)
    if version.state in {State.DESTROYED, State.PRE_ACTIVE}:
        raise KeyStateError(f"a key version that is {version.state} has sealed nothing that is there")
    notes = {"purpose": found.purpose.value, "compromised": f"{version.id:016x}"}
    return _start(given, "compromise_key", jobs.target_of(found.purpose), notes, key_id)


def suspend(resources: Resources, actor: Actor, key_id: str) -> KeyInfo:
    """Take a version out of use that nothing needs; see `Vault.disable_key`."""
    given = permit(resources, actor, "custody")

    def turned(found: Keyset, version: KeyVersion, now: float) -> Keyset:
        _must_turn(found.purpose)
        _idle(resources, found, version, backups=False)
        return found.turned(version.id, State.SUSPENDED, now)

    return _change(given, key_id, "disable_key", turned)


def resume(resources: Resources, actor: Actor, key_id: str) -> KeyInfo:
    """Let a suspended version open again; see `Vault.enable_key`."""
    given = permit(resources, actor, "custody")

    def turned(found: Keyset, version: KeyVersion, now: float) -> Keyset:
        return found.turned(version.id, State.DEACTIVATED, now)

    return _change(given, key_id, "enable_key", turned)


def destroy(resources: Resources, actor: Actor, key_id: str, wait: int, *, forfeit: bool = False) -> KeyInfo:
    """Plan the destruction of a version that nothing needs; see `Vault.destroy_key`."""
    if not LEAST_WAIT <= wait <= LONGEST_WAIT:
        raise InvalidRequest("wait_seconds must be 86,400 to 31,536,000", "/wait_seconds")
    given = permit(resources, actor, "custody")

    def turned(found: Keyset, version: KeyVersion, now: float) -> Keyset:
        _must_turn(found.purpose)
        if version.state is State.DESTROYED:
            raise KeyStateError("this key version is destroyed already")
        _idle(resources, found, version, backups=not forfeit)
        found.turned(version.id, State.DESTROYED, now)  # must be possible from its state
        return found.put(replace(version, destroy_at=now + wait))

    return _change(given, key_id, "plan_key_destruction", turned, catalogue.forfeit if forfeit else None)


def cancel(resources: Resources, actor: Actor, key_id: str) -> KeyInfo:
    """Call a planned destruction off; see `Vault.cancel_destruction`."""
    given = permit(resources, actor, "custody")

    def turned(found: Keyset, version: KeyVersion, now: float) -> Keyset:
        if version.destroy_at is None:
            raise KeyStateError("no destruction of this key version is planned")
        return found.put(replace(version, destroy_at=None))

    return _change(given, key_id, "cancel_key_destruction", turned, catalogue.regain)


def destroy_due(resources: Resources) -> int:
    """Destroy the versions whose wait is over and that nothing needs; return how many.

    One that something needs again, since a backup came back or it was enabled, stays, and is asked again next time.
    """
    database, gone = resources.database, 0
    for tenant in inspection.due(database):
        _, held = Keysets(database).load(tenant)
        due = [
            version
            for found in held.values()
            for version in found.versions
            if version.destroy_at is not None and version.destroy_at <= database.clock()
        ]
        actor = Actor(tenant, "live", "maintenance", "maintenance", kind="local")
        given = permit(resources, actor, "custody")
        for version in due:
            gone += _destroy(given, version)
    return gone


def roots(resources: Resources, actor: Actor) -> list[RootInfo]:
    """Return the roots that the settings list; see `Vault.roots`."""
    permit(resources, actor, "keys")
    states = resources.keyring.check_roots()
    told = []
    for name, root in resources.keyring.roots.items():
        problem, version = states[name], None
        if problem is None and isinstance(root, TurningRoot):
            try:
                version = root.latest()
            except KeyProblem as error:
                problem = error
        told.append(RootInfo(name, version, problem.code if problem else "ok"))
    return told


def turn_roots(resources: Resources, actor: Actor, kind: str, root: str) -> Job:
    """Start one of the jobs that concern every tenant; see `Vault.move_root` and its kin."""
    given = permit(resources, actor, "roots")
    held = resources.keyring.root(root)
    if (problem := resources.keyring.check_roots()[root]) is not None:
        raise problem
    if kind != "move_root" and not isinstance(held, TurningRoot):
        raise RootCannotTurn("this root's own key has no versions; move the keysets to another root")
    return _start(given, kind, ROOTS, {"to" if kind == "move_root" else "root": root}, root)


def job(resources: Resources, actor: Actor, job_id: str) -> Job:
    """Return one of the tenant's jobs; UnknownJob if there is none of that id."""
    permit(resources, actor, "keys")
    return _job(resources, actor, job_id)


def _job(resources: Resources, actor: Actor, job_id: str) -> Job:
    with resources.database.read() as connection:
        found = jobs.get(connection, actor.tenant, job_id)
    if found is None:
        raise UnknownJob("no job of that id")
    return found


def cancelling(resources: Resources, actor: Actor, job_id: str) -> str:
    """Return the operation that calling a job off takes; see `Vault.cancelling`."""
    return EVERYBODYS.get(_job(resources, actor, job_id).target, "custody")


def cancel_job(resources: Resources, actor: Actor, job_id: str) -> Job:
    """Call a job off; see `Vault.cancel_job`."""
    given = permit(resources, actor, cancelling(resources, actor, job_id))
    keys = resources.keyring.keys(actor.tenant)

    def work(transaction: Transaction) -> Job:
        found = jobs.cancel(transaction, actor.tenant, job_id)
        if found is None:
            raise Refused(UnknownJob("no job of that id"))
        row = given.row(keys, transaction.now, operation="cancel_job", count=1, target=job_id)
        transaction.append("audit_record", [row])
        return found

    return resources.database.write(work, deadline=actor.deadline)


def newest_jobs(resources: Resources, actor: Actor) -> Sequence[Job]:
    """Return the tenant's newest jobs, newest first."""
    permit(resources, actor, "keys")
    with resources.database.read() as connection:
        return jobs.of_tenant(connection, actor.tenant, MAX_JOBS)


def condition(version: KeyVersion, purpose: Purpose, now: float, period: float, messages: int) -> str:
    """Return whether a version may go on sealing: "ok", "due", or "over"; `period` in seconds.

    Only an active version seals, and only keysets that seal have a number of messages.
    """
    if version.state is not State.ACTIVE or purpose not in TURNS or version.activated_at is None:
        return "ok"
    used = (now - version.activated_at) / period
    if purpose in COUNTED:
        used = max(used, version.messages / messages)
    return "over" if used > 1 else "due" if used >= DUE else "ok"


def _told(resources: Resources, generation: int, found: Keyset) -> KeysetInfo:
    keyring, now = resources.keyring, resources.database.clock()
    infos = []
    for version in found.versions:
        sealing = (
            version.state is State.ACTIVE and found.purpose in TURNS and version.activated_at is not None
        )
        infos.append(
            KeyInfo(
                f"{version.id:016x}", version.state.value, version.root, version.created_at, version.activated_at,
                version.deactivated_at, version.destroy_at, version.messages, keyring.max_messages,
                (version.activated_at or 0) + keyring.cryptoperiod if sealing else None,
                condition(version, found.purpose, now, keyring.cryptoperiod, keyring.max_messages),
            )
        )  # fmt: skip
    return KeysetInfo(found.purpose.value, found.purpose in TURNS, generation, tuple(infos))


def _keyset(resources: Resources, actor: Actor, purpose: str) -> tuple[int, Keyset]:
    generation, held = Keysets(resources.database).load(actor.tenant)
    for known, found in held.items():
        if known.value == purpose:
            return generation, found
    raise UnknownKeyset("there is no keyset of that purpose")


def _version(resources: Resources, actor: Actor, key_id: str) -> tuple[int, Keyset, KeyVersion]:
    generation, held = Keysets(resources.database).load(actor.tenant)
    for found in held.values():
        for version in found.versions:
            if f"{version.id:016x}" == key_id:
                return generation, found, version
    raise UnknownKeyVersion("the tenant has no key version of that id")


def _must_turn(purpose: Purpose) -> None:
    if purpose not in TURNS:
        raise KeysetDoesNotTurn(
            "this keyset decides where rows lie and who a subject is, so it never rotates"
        )


def _idle(resources: Resources, found: Keyset, version: KeyVersion, *, backups: bool = True) -> None:
    """Refuse while anything needs the version.

    Whole tables are counted, so not in a transaction that others wait for: what comes under a version comes there while
    it is the primary, and whoever wrote under it then has committed before it was so no more.
    """
    with resources.database.read() as connection:
        require_none(needs(connection, found, version, resources.database.now(), backups=backups))


def _change(
    given: Permit,
    key_id: str,
    operation: str,
    turned: Callable[[Keyset, KeyVersion, float], Keyset],
    settle: Callable[[Transaction, int], Sequence[int]] | None = None,
) -> KeyInfo:
    """Store what `turned` makes of a version's keyset, with the audit record; anew if somebody else was first.

    Args:
        settle: says in the same commit what that means for the backups that need the version; returns which.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _attempt(given, key_id, operation, turned, settle)
        except KeysetChanged:
            if attempt + 1 == ATTEMPTS:
                raise
    raise AssertionError


def _attempt(
    given: Permit,
    key_id: str,
    operation: str,
    turned: Callable[[Keyset, KeyVersion, float], Keyset],
    settle: Callable[[Transaction, int], Sequence[int]] | None,
) -> KeyInfo:
    resources, actor = given.resources, given.actor
    keys = resources.keyring.keys(actor.tenant)
    generation, found, version = _version(resources, actor, key_id)
    new = turned(found, version, resources.database.clock())

    def work(transaction: Transaction) -> Sequence[int]:
        put(actor.tenant, new, generation, transaction)
        numbers = settle(transaction, version.id) if settle is not None else ()
        row = given.row(keys, transaction.now, operation=operation, count=1, target=key_id)
        transaction.append("audit_record", [row])
        return numbers

    numbers = resources.database.write(work, deadline=actor.deadline)
    told = _told(resources, generation + 1, new)
    info = next(info for info in told.versions if info.id == key_id)
    return replace(info, forfeits=tuple(numbers)) if settle is catalogue.forfeit else info


def _destroy(given: Permit, version: KeyVersion) -> int:
    def turned(found: Keyset, version: KeyVersion, now: float) -> Keyset:
        if version.destroy_at is None or version.destroy_at > now:
            raise KeyStateError("the destruction was called off meanwhile")
        _idle(given.resources, found, version)
        return found.turned(version.id, State.DESTROYED, now)

    try:
        _change(given, f"{version.id:016x}", "destroy_key", turned)
    except (KeyProblem, VaultError):
        return 0
    return 1


def _start(given: Permit, kind: str, target: str, notes: dict[str, Any], named: str) -> Job:
    """Enter a job with its audit record; JobRunning if one is at work on the same thing.

    Args:
        target: what no other job may be at work on meanwhile.
        named: what the caller named: a keyset, a key version, a root.
    """
    resources, actor = given.resources, given.actor
    keys = resources.keyring.keys(actor.tenant)

    def work(transaction: Transaction) -> Job:
        started = jobs.add(
            transaction, actor.tenant, kind, target, notes, actor.name, actor.request_id,
            everywhere=target == ROOTS,
        )  # fmt: skip
        row = given.row(keys, transaction.now, operation=f"start_{kind}", count=1, target=named)
        transaction.append("audit_record", [row])
        return started

    return resources.database.write(work, deadline=actor.deadline)
