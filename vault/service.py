"""The vault: puts the steps in order; every door calls this and nothing below it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from vault import (
    authenticating,
    comparing,
    custody,
    deleting,
    enrolling,
    finding,
    granting,
    importing,
    recalling,
    revealing,
    rights,
    tokenizing,
)
from vault.alarming import Alarms
from vault.audit import journal
from vault.auditing import Auditing
from vault.columns import (
    NO_GROUNDS,
    Actor,
    ApiKeyRecord,
    CallerKind,
    Column,
    Compared,
    Deleted,
    Described,
    Erasure,
    Found,
    Grounds,
    KeyInfo,
    KeysetInfo,
    Mode,
    Page,
    Remember,
    Revealed,
    RootInfo,
    Tokenized,
    View,
)
from vault.credentials import NOWHERE, Chosen, Import, Imported, Login, LoginPage, Origin, Status, Verified
from vault.errors import VaultError
from vault.gauging import Gauges, Numbers
from vault.governing import Governing
from vault.passwords.hasher import Load
from vault.recovery.asking import Backups
from vault.recovery.standing import Standing, Standings
from vault.resources import Resources
from vault.store import apikeys, inspection, revision
from vault.store.jobs import Job
from vault.store.keysets import Keysets
from vault.store.writer import Transaction


class Vault:
    """Values in, tokens out. Safe to share between threads; every call takes columns and writes its audit record.

    Attributes:
        alarms: what somebody should look at.
        audit: what auditors ask.
        backups: what operators ask.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.governance = Governing(resources)
        self.alarms = Alarms(resources)
        self._gauges, self._standings = Gauges(resources), Standings(resources)
        self.audit = Auditing(resources)
        self.backups = Backups(resources)

    def tokenize(
        self, actor: Actor, columns: Sequence[Column], remember: Remember | None = None
    ) -> list[Tokenized]:
        """Exchange columns of values for tokens, in one commit.

        Args:
            columns: at most 10,000 values in all.
            remember: keeps the reply under an Idempotency-Key; `render` gets this call's result.
        Returns:
            For each column its tokens in order, None where a value was refused, and the refusals by index.
        Raises:
            InvalidRequest and its kinds: the column as a whole cannot be tokenized as asked; nothing was stored.
            AlreadyDone: the request was carried out before; carries the reply.
            DeadlineExceeded: its turn came too late; nothing was stored.
        """
        return tokenizing.tokenize(self._resources, actor, columns, remember)

    def reveal(
        self,
        actor: Actor,
        tokens: Sequence[object],
        purpose: str,
        view: View = "masked",
        field: str | None = None,
        metadata: bool = False,
        grounds: Grounds = NO_GROUNDS,
    ) -> Revealed:
        """Turn tokens back into values, or into what a view shows of them.

        Args:
            tokens: at most 10,000 public tokens.
            purpose: one of `columns.PURPOSES`, or one that the policy adds; kept in the audit record.
            view: `full`, `masked`, `last4`, or `fingerprint`: `fp_` and 32 hex digits, for ever the same for the same
                value of a field.
            field: the field type of shaped tokens; opaque ones need none.
            metadata: return each token's metadata too, which the policy must grant as it grants view `full`.
            grounds: references that the purpose needs; the person whose tokens alone are meant.
        Raises:
            InvalidRequest: the purpose or view is none of ours, or a reference is none.
            PolicyDenied, CaseRequired, ConsentRequired: nothing of it is allowed to this caller, or not without more.
            BudgetExceeded, ApprovalRequired, ApprovalNotValid, SlowedDown: not now, not alone, not yet.
            UnreadableValue: a stored value was altered or its key is gone; nothing is returned.
        """
        return revealing.reveal(self._resources, actor, tokens, purpose, view, field, metadata, grounds)

    def compare(
        self,
        actor: Actor,
        tokens: Sequence[object],
        values: Sequence[object],
        purpose: str,
        field: str | None = None,
        options: Mapping[str, object] | None = None,
        grounds: Grounds = NO_GROUNDS,
    ) -> Compared:
        """Return whether each token stands for the value beside it, and nothing else of it.

        Args:
            tokens: at most 10,000 public tokens.
            values: as long as `tokens`; each is brought to canonical form as a value of its token's field.
            purpose, field, grounds: as `reveal` has them.
            options: what the field type lets the caller say.
        Raises what `reveal` raises. A value that is none of the field is refused alone, with InvalidValue.
        """
        return comparing.compare(self._resources, actor, tokens, values, purpose, field, options, grounds)

    def describe(
        self,
        actor: Actor,
        tokens: Sequence[object],
        field: str | None = None,
        grounds: Grounds = NO_GROUNDS,
    ) -> Described:
        """Return what may be said of tokens without their values; at most 10,000."""
        return revealing.describe(self._resources, actor, tokens, field, grounds)

    def find(
        self,
        actor: Actor,
        field: str,
        values: Sequence[object],
        scope: str | None = None,
        options: Mapping[str, object] | None = None,
    ) -> Found:
        """Return the tokens that stand for each value in a scope (default: the field), oldest first.

        Raises NotSearchable if values of this field type are not indexed.
        """
        return finding.find_column(self._resources, actor, field, values, scope, options or {})

    def list_tokens(
        self,
        actor: Actor,
        field: str | None = None,
        subject: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        """Return up to `limit` (1 to 1,000) of the tenant's tokens behind `cursor`, described."""
        return finding.list_page(self._resources, actor, field, subject, cursor, limit)

    def delete(
        self,
        actor: Actor,
        tokens: Sequence[object],
        field: str | None = None,
        remember: Remember | None = None,
    ) -> Deleted:
        """Delete tokens with their values and index entries, for good; at most 10,000."""
        return deleting.delete(self._resources, actor, tokens, field, remember)

    def erase(self, actor: Actor, subject: str) -> Erasure:
        """Destroy a subject's key, tokens and index entries and enter it in the erasure ledger, in one commit.

        Raises UnknownSubject if the tenant holds nothing of the subject.
        """
        return deleting.erase(self._resources, actor, subject)

    def store_password(self, actor: Actor, login: Login, password: object) -> Chosen:
        """Give a login its first password.

        Args:
            password: at least as long as the rules ask, at most 1,024 bytes in UTF-8.
        Raises:
            UnknownLogin: there is no such login.
            PasswordExists: it has one already.
            InvalidPassword and its kinds: this one may not be had.
            HashingBusy, HashingUnavailable: nothing was done; try again.
        """
        return enrolling.store(self._resources, actor, login, password)

    def verify_password(
        self, actor: Actor, login: Login, password: object, origin: Origin = NOWHERE
    ) -> Verified:
        """Return whether a password is the login's; the answer, and the work, are alike where there is no such login.

        A password that is right is hashed anew if what is kept of it is behind today's profile.

        Raises:
            TooManyAttempts, LoginLocked: too many were wrong; the password was not looked at.
            HashingBusy, HashingUnavailable: nothing was done, and nothing counted; try again.
        """
        return authenticating.verify(self._resources, actor, login, password, origin)

    def change_password(
        self, actor: Actor, login: Login, password: object, new: object, origin: Origin = NOWHERE
    ) -> Chosen:
        """Replace a password by another; the old one must be right.

        Raises WrongPassword, and what `verify_password` and `store_password` raise.
        """
        return authenticating.change(self._resources, actor, login, password, new, origin)

    def reset_password(self, actor: Actor, login: Login, password: object) -> Chosen:
        """Replace a password without the old one, and unlock the login; UnknownLogin if it has none."""
        return enrolling.reset(self._resources, actor, login, password)

    def delete_password(self, actor: Actor, login: Login) -> None:
        """Delete a login's password; UnknownLogin if it has none."""
        enrolling.remove(self._resources, actor, login)

    def unlock_login(self, actor: Actor, login: Login) -> bool:
        """Forget the wrong passwords of a login; return whether there were any."""
        return enrolling.unlock(self._resources, actor, login)

    def import_passwords(self, actor: Actor, asked: Import) -> Imported:
        """Take password hashes of another system, of logins that have no password yet; in one commit.

        Raises InvalidRequest if there are too many, or columns of different lengths.
        """
        return importing.take(self._resources, actor, asked)

    def password_status(self, actor: Actor) -> Status:
        """Return how many passwords there are of each kind, and how many are behind; reads whole tables."""
        return enrolling.status(self._resources, actor)

    def log_ins(
        self,
        actor: Actor,
        login: Login,
        purpose: str,
        view: View = "masked",
        since: float = 0.0,
        cursor: str | None = None,
        limit: int = 100,
        grounds: Grounds = NO_GROUNDS,
    ) -> LoginPage:
        """Return up to `limit` (1 to 1,000) log-ins of a person, the newest first, not before `since` (seconds).

        Raises UnknownLogin if there is no such login.
        """
        return recalling.log_ins(self._resources, actor, login, purpose, view, since, cursor, limit, grounds)

    def create_api_key(
        self,
        actor: Actor,
        name: str,
        operations: Sequence[str],
        fields: Sequence[str] | None = None,
        expires_in: int | None = None,
        remember: Remember | None = None,
        roles: Sequence[str] = (),
    ) -> granting.Made:
        """Make an API key of the caller's tenant; return its record and its text, which is kept nowhere.

        It does not outlive the key that makes it, however long it was asked for.

        Args:
            operations: of `granting.OPERATIONS`.
            fields: the field types it reaches; None for all.
            expires_in: seconds, 1 to 315,360,000; None for never.
            roles: of the policy, those that it has whatever the policy says of its name; PolicyDenied if the caller
                lacks one.
        """
        return granting.create(self._resources, actor, name, operations, fields, expires_in, remember, roles)

    def list_api_keys(self, actor: Actor) -> list[ApiKeyRecord]:
        """Return the tenant's API keys, oldest first, ended ones too."""
        return granting.keys_of(self._resources, actor)

    def revoke_api_key(self, actor: Actor, key_id: str) -> None:
        """End an API key now; UnknownApiKey if the tenant has none of that id."""
        granting.revoke(self._resources, actor, key_id)

    def rotate_api_key(
        self, actor: Actor, key_id: str, overlap: int, remember: Remember | None = None
    ) -> granting.Made:
        """Make a key with the same grants; the old one works for `overlap` seconds more (0 to 2,592,000)."""
        return granting.rotate(self._resources, actor, key_id, overlap, remember)

    def find_api_key(self, text: str) -> ApiKeyRecord | None:
        """Return the record of an API key's text, ended or not; None if there is none."""
        with self._resources.database.read() as connection:
            return apikeys.by_digest(connection, granting.digest_of(text))

    def keysets(self, actor: Actor) -> list[KeysetInfo]:
        """Return the tenant's keysets and their versions, without counting what needs them."""
        return custody.keysets(self._resources, actor)

    def keyset(self, actor: Actor, purpose: str) -> KeysetInfo:
        """Return one keyset, with how much needs each version; reads whole tables."""
        return custody.keyset(self._resources, actor, purpose)

    def rotate_keyset(self, actor: Actor, purpose: str) -> Job:
        """Start a job that gives a keyset a new primary and brings everything under it.

        Raises:
            UnknownKeyset, KeysetDoesNotTurn: there is none of that purpose, or it never turns.
            JobRunning: one is at work on it.
        """
        return custody.rotate(self._resources, actor, purpose)

    def compromise_key(self, actor: Actor, key_id: str) -> Job:
        """Start a job that takes everything from under a leaked version, person keys too, and destroys it."""
        return custody.compromise(self._resources, actor, key_id)

    def disable_key(self, actor: Actor, key_id: str) -> KeyInfo:
        """Suspend a version that nothing needs; KeyInUse says what does."""
        return custody.suspend(self._resources, actor, key_id)

    def enable_key(self, actor: Actor, key_id: str) -> KeyInfo:
        """Let a suspended version open again."""
        return custody.resume(self._resources, actor, key_id)

    def destroy_key(
        self, actor: Actor, key_id: str, wait: int = custody.USUAL_WAIT, *, forfeit_backups: bool = False
    ) -> KeyInfo:
        """Plan the destruction of a version in `wait` seconds (86,400 to 31,536,000); KeyInUse says what needs it.

        Args:
            forfeit_backups: give the backups up that need it, which can then not be restored in full: `forfeits`.
        """
        return custody.destroy(self._resources, actor, key_id, wait, forfeit=forfeit_backups)

    def cancel_destruction(self, actor: Actor, key_id: str) -> KeyInfo:
        """Call a planned destruction off."""
        return custody.cancel(self._resources, actor, key_id)

    def roots(self, actor: Actor) -> list[RootInfo]:
        """Return the root keys that the settings list, and whether they work."""
        return custody.roots(self._resources, actor)

    def move_root(self, actor: Actor, to: str) -> Job:
        """Start a job that wraps every tenant's keysets under another root; UnknownRoot if it is not listed."""
        return custody.turn_roots(self._resources, actor, "move_root", to)

    def rotate_root(self, actor: Actor, root: str) -> Job:
        """Start a job that turns a root's own key, wraps every keyset anew, and retires its older versions."""
        return custody.turn_roots(self._resources, actor, "rotate_root", root)

    def rewrap(self, actor: Actor, root: str) -> Job:
        """Start a job that wraps every keyset under the newest version of its root's own key."""
        return custody.turn_roots(self._resources, actor, "rewrap", root)

    def job(self, actor: Actor, job_id: str) -> Job:
        """Return one of the tenant's jobs; UnknownJob if there is none of that id."""
        return custody.job(self._resources, actor, job_id)

    def cancelling(self, actor: Actor, job_id: str) -> str:
        """Return the operation that calling a job off takes, roots or custody; UnknownJob if there is none."""
        return custody.cancelling(self._resources, actor, job_id)

    def cancel_job(self, actor: Actor, job_id: str) -> Job:
        """Call a job off, so that another may be at work on the same thing; return it, as it is if it had ended.

        What it did stays done: rows under a new version, keysets under another root. A version that it had not yet made
        active stays pre-active.
        """
        return custody.cancel_job(self._resources, actor, job_id)

    def jobs(self, actor: Actor) -> Sequence[Job]:
        """Return the tenant's newest 100 jobs, newest first."""
        return custody.newest_jobs(self._resources, actor)

    def record_refusal(self, actor: Actor, operation: str, code: str) -> None:
        """Write the audit record of an operation that a door refused."""
        keys = self._resources.keyring.keys(actor.tenant)
        row = journal.row(keys, actor, self._resources.database.now(), operation, result=code)

        def work(transaction: Transaction) -> None:
            transaction.append("audit_record", [row])

        self._resources.database.write(work, deadline=actor.deadline, reads=False)

    def find_tenant(self, business: str, mode: Mode) -> int | None:
        """Return the id of the tenant that holds a business's data of a mode; None if there is none."""
        return Keysets(self._resources.database).tenants(business).get(mode)

    def granted(
        self, tenant: int, name: str, kind: CallerKind, claims: frozenset[tuple[str, str]]
    ) -> frozenset[str]:
        """Return the operations that the policy grants a caller that has none of its own.

        Args:
            name, kind, claims: as `Actor` has them.
        """
        return rights.operations(self._resources, tenant, name, kind, claims)

    def bootstrap(self, name: str, again: bool = False, operator: bool = False) -> dict[Mode, granting.Made]:
        """Create a business, its live and test data apart, with keysets and a first API key each.

        Args:
            name: 1 to 64 letters and digits of any script, spaces or _.:-
            again: the business is there; make one more such key for each mode, and change nothing else.
            operator: these keys may also turn and move root keys, which every tenant's keysets hang on.
        Raises:
            InvalidRequest: the name is no name, or is taken, or with `again` is not.
        """
        return granting.bootstrap(self._resources, name, again, operator)

    def require_audit(self) -> None:
        """Raise AuditUnavailable while no place outside of the database takes the audit's records."""
        self._resources.gate.require()

    def ready(self) -> dict[str, str]:
        """Return "ok", or what is wrong, for the database, its schema, the keys and the places outside.

        A root that does not answer is no reason to look away while keys are held in memory: "held" says so.
        """
        keyring = self._resources.keyring
        used, states = self._used_roots(), keyring.check_roots()
        problems = [problem.code for name, problem in states.items() if problem is not None and name in used]
        held = keyring.lease_left() is not None
        return {
            "database": self._state(self._probe_database),
            "schema": self._state(self._probe_schema),
            "keys": "ok" if not problems else "held" if held else problems[0],
            "audit": self._audit_state(),
        }

    def audit_numbers(self) -> Numbers:
        """Return how the audit stands, as metrics tell it; read at most once a second."""
        return self._gauges.read()

    def backup_standing(self) -> Standing:
        """Return how backups stand; read at most once a second."""
        return self._standings.read()

    def lease_left(self) -> float | None:
        """Return the seconds until the first lease of keys in memory ends; None if none are held."""
        return self._resources.keyring.lease_left()

    def hashing_load(self) -> Load:
        """Return how busy what hashes passwords is; HashingUnavailable if it cannot say."""
        return self._resources.hashing().load()

    def root_states(self) -> dict[str, str]:
        """Return "ok", or what is wrong, for each root key by name; asked at most every two seconds."""
        checked = self._resources.keyring.check_roots()
        return {name: "ok" if problem is None else problem.code for name, problem in checked.items()}

    def close(self) -> None:
        """Wipe the keys in memory and close the database."""
        self._resources.close()

    def _used_roots(self) -> Collection[str]:
        """Return the roots that keysets are wrapped under; another one that is listed may come later, or be gone."""
        try:
            return inspection.roots(self._resources.database)
        except VaultError:
            return self._resources.keyring.roots

    def _probe_database(self) -> None:
        with self._resources.database.read() as connection:
            connection.exec_driver_sql("SELECT 1")

    def _probe_schema(self) -> None:
        revision.require_head(self._resources.database)

    def _audit_state(self) -> str:
        try:
            return self._resources.gate.state()
        except VaultError as error:
            return error.code

    @staticmethod
    def _state(probe: object) -> str:
        try:
            probe()  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001
            return getattr(error, "code", "unavailable")
        return "ok"
