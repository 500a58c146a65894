"""What the vault refuses, one class a cause; each has a stable code and never holds a value, a token or a key."""

from __future__ import annotations


class VaultError(Exception):
    """Root of this package's errors; never raised itself, never holds a value or a key."""

    code = "vault_error"  # stable, part of the API


class InvalidValue(VaultError, ValueError):
    """The value is not of its field type; type and reason are kept, the value is not."""

    code = "invalid_value"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class InvalidRequest(VaultError, ValueError):
    """An argument that is not a value is out of its range.

    Attributes:
        pointer: says which (RFC 6901), "" for the whole request.
        column: which of several columns it was in, counted from 0; None where there is one.
    """

    code = "invalid_request"

    def __init__(self, reason: str, pointer: str = "") -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.column: int | None = None


class UnknownField(InvalidRequest):
    """There is no field type of that name."""

    code = "unknown_field"


class ForbiddenField(InvalidRequest):
    """No field may hold this: authentication data of a card (PCI DSS v4.0.1, 3.3.1), or a password."""

    code = "never_stored"


class InvalidOption(InvalidRequest):
    """The field type takes no such option, or not with that value."""

    code = "invalid_option"


class NotShapable(InvalidRequest):
    """The field type has no shape that a token could keep."""

    code = "not_shapable"


class DomainTooSmall(InvalidRequest):
    """After kept parts and check digits fewer than 10**6 values are reachable (SP 800-38G Rev. 1 2pd, section 5.1)."""

    code = "domain_too_small"


class LookalikeRequired(InvalidRequest):
    """The field has neither check digit nor reserved prefix, so its shaped tokens look real: say `lookalike`."""

    code = "lookalike_required"


class NotSearchable(InvalidRequest):
    """Values of this field type are not indexed, so none can be found, repeated or made one-way."""

    code = "not_searchable"


class ItemError(VaultError):
    """One item of a column was refused; the others went through."""

    code = "item_error"


class MalformedToken(ItemError):
    """The text has not the form of a token."""

    code = "malformed_token"


class UnknownToken(ItemError):
    """No such token in this tenant."""

    code = "unknown_token"


class ExpiredToken(ItemError):
    """The token's time to live is over; its value is gone or about to go."""

    code = "expired_token"


class WrongMode(ItemError):
    """A live token under a test key, or the reverse."""

    code = "wrong_mode"


class NotRevealable(ItemError):
    """A one-way token keeps no value to reveal."""

    code = "not_revealable"


class FieldNotGranted(ItemError):
    """The caller's key does not reach this token's field."""

    code = "forbidden_field"


class SubjectConflict(ItemError):
    """The deterministic token of this value in this scope already belongs to another subject."""

    code = "subject_conflict"


class TokenSpaceExhausted(ItemError):
    """The shape has too few unused tokens left to draw from."""

    code = "token_space_exhausted"


class UnknownScheme(ItemError):
    """The text is of no password hashing scheme that is known here, or needs a declared layout."""

    code = "unknown_scheme"


class UnreadableHash(ItemError):
    """The text of a password hash is cut off, or is not what its scheme writes."""

    code = "unreadable_hash"


class HashTooCostly(ItemError):
    """The hash's own parameters would take more memory or time than one log-in may."""

    code = "hash_too_costly"


class HashingBusy(VaultError):
    """Too many passwords wait to be hashed; nothing was done."""

    code = "hashing_busy"


class HashingUnavailable(VaultError):
    """The process that hashes passwords cannot be reached; nothing was done."""

    code = "hashing_unavailable"


class UnknownLogin(VaultError):
    """There is no such login, or it has no password."""

    code = "unknown_login"


class PasswordExists(VaultError):
    """The login has a password already; it is changed or reset, not stored again."""

    code = "password_exists"


class PasswordTaken(ItemError):
    """The login has a password already, which an import does not replace."""

    code = "password_exists"


class WrongPassword(VaultError):
    """The old password is not right, or there is no such login; which of the two is not said."""

    code = "wrong_password"


class PasswordUnchanged(InvalidRequest):
    """The new password is the old one."""

    code = "password_unchanged"


class TooManyAttempts(VaultError):
    """Too many wrong passwords for this login, or from this source; `retry_after` is in seconds."""

    code = "too_many_attempts"

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class LoginLocked(VaultError):
    """So many wrong passwords that only an operator, or a reset, lets the login through again."""

    code = "login_locked"


class InvalidPassword(InvalidRequest):
    """What was sent cannot be anybody's password: no text, or no length or character that a password has."""

    code = "invalid_password"


class PasswordTooShort(InvalidPassword):
    """The password has fewer characters than the rules ask for."""

    code = "password_too_short"


class PasswordTooLong(InvalidPassword):
    """The password has more bytes than the rules allow."""

    code = "password_too_long"


class CommonPassword(InvalidPassword):
    """The password is in a list of those that many people have, which are guessed first."""

    code = "password_common"


class PersonalPassword(InvalidPassword):
    """The password holds something of the person's that others know."""

    code = "password_personal"


class WeakPassword(InvalidPassword):
    """The password is guessed in too few attempts."""

    code = "password_weak"


class UnreadableValue(VaultError):
    """A sealed value does not open: it was altered, moved, or its key is wrong."""

    code = "unreadable_value"


class UnknownSubject(VaultError):
    """The tenant holds nothing of this subject."""

    code = "unknown_subject"


class UnknownApiKey(VaultError):
    """The tenant has no API key of that id."""

    code = "not_found"


class IdempotencyKeyReused(VaultError):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"


class DeadlineExceeded(VaultError):
    """The request waited too long to be written; nothing of it was."""

    code = "deadline_exceeded"


class StaleKeyset(VaultError):
    """The keyset changed after the values were sealed; seal again under the new primary."""

    code = "stale_keyset"


class JobRunning(VaultError):
    """A job is at work on the same thing; another one starts when it has ended."""

    code = "job_running"


class UnknownJob(VaultError):
    """The tenant has no job of that id."""

    code = "unknown_job"


class LeaseLost(VaultError):
    """The job belongs to another worker by now; nothing was changed."""

    code = "lease_lost"


class UnknownKeyset(VaultError):
    """There is no keyset of that purpose."""

    code = "unknown_keyset"


class UnknownKeyVersion(VaultError):
    """The tenant has no key version of that id."""

    code = "unknown_key_version"


class KeysetDoesNotTurn(VaultError):
    """What the keyset decides can never change: where rows lie, and who a subject is."""

    code = "keyset_does_not_rotate"


class KeyInUse(VaultError):
    """Something still needs the key version; it would be lost with it."""

    code = "key_in_use"


class SchemaBehind(VaultError):
    """The database's schema is not the one this version needs."""

    code = "schema_behind"


class StoreUnavailable(VaultError):
    """The database cannot be reached, or refuses to work; what was not acknowledged may be tried again."""

    code = "store_unavailable"


class StoreConflict(VaultError):
    """Something of the same name or key is in the database already."""

    code = "store_conflict"


class PolicyDenied(ItemError):
    """The tenant's policy does not let this caller do this to this field, for this purpose, in this view."""

    code = "policy_denied"


class PolicyInvalid(InvalidRequest):
    """The policy cannot be taken; the one in force stays.

    Attributes:
        line: of the document, counted from 1; 0 for the whole.
    """

    code = "policy_invalid"

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason, "/document")
        self.line, self.reason = line, reason


class PolicyUnreadable(VaultError):
    """The policy that is in force cannot be read here, so nothing is let through."""

    code = "policy_unreadable"


class PolicyConflict(VaultError):
    """Another policy was taken in the meantime."""

    code = "policy_conflict"


class UnknownPolicyVersion(VaultError):
    """The tenant never took a policy of that version."""

    code = "unknown_policy_version"


class CaseRequired(InvalidRequest):
    """The purpose needs the reference of a case."""

    code = "case_required"


class ConsentRequired(InvalidRequest):
    """The purpose needs the reference of the person's consent."""

    code = "consent_required"


class BudgetExceeded(VaultError):
    """The caller has revealed as many values as it may in this time; `retry_after` is in seconds."""

    code = "budget_exceeded"

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class SlowedDown(VaultError):
    """The caller named many tokens that there are not, as one does who tries them out; `retry_after` is in seconds."""

    code = "slow_down"

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class CallerFrozen(VaultError):
    """The caller may do nothing until somebody lets it again."""

    code = "caller_frozen"


class UnknownCaller(VaultError):
    """No caller of that name is frozen."""

    code = "unknown_caller"


class ApprovalRequired(VaultError):
    """A second person must approve; the proposal that they see is made.

    Attributes:
        proposal: its id, to be sent with the request once it is approved.
        approved, needed: people, the author included.
    """

    code = "approval_required"

    def __init__(self, reason: str, proposal: str, approved: int, needed: int) -> None:
        super().__init__(reason)
        self.proposal, self.approved, self.needed = proposal, approved, needed


class ApprovalNotValid(VaultError):
    """The proposal is of something else or of somebody else, is not approved, has expired, or was used."""

    code = "approval_not_valid"


class SelfApproval(VaultError):
    """Nobody approves what they, or a caller that they made, proposed."""

    code = "self_approval"


class UnknownProposal(VaultError):
    """The tenant has no proposal of that id."""

    code = "unknown_proposal"


class AuditUnavailable(VaultError):
    """No place outside of the database takes the audit's records now, so nothing is done."""

    code = "audit_unavailable"


class UnknownRecord(VaultError):
    """The audit has no record of that id or position, or it was archived."""

    code = "unknown_record"


class NotSealed(VaultError):
    """The record is not in the tree yet; it will be in a few seconds."""

    code = "not_sealed"


class UnknownLog(VaultError):
    """The tenant has no audit log of that number."""

    code = "unknown_log"


class AuditDamaged(VaultError):
    """The log's hashes in the database are not those of a log of its size; `strongroom audit verify` says where."""

    code = "audit_damaged"


class LogNotBehind(VaultError):
    """The outside checkpoint is not ahead of the log, so nothing was lost and no new log is opened."""

    code = "log_not_behind"


class InvalidCheckpoint(InvalidRequest):
    """The text is no checkpoint of this log that one of its keys signed."""

    code = "invalid_checkpoint"


class UnknownAlarm(VaultError):
    """The tenant has no alarm of that id."""

    code = "unknown_alarm"


class BackupsNotConfigured(VaultError):
    """The settings name no target, or no recipient, of backups."""

    code = "backups_not_configured"


class UnknownBackup(VaultError):
    """There is no backup of that number, or it was removed."""

    code = "unknown_backup"


class UnknownDrill(VaultError):
    """No drill of that id was reported."""

    code = "unknown_drill"


class BackupIncomplete(VaultError):
    """Too few targets took the backup, so it does not count as made; what was made before stays."""

    code = "backup_incomplete"


class BackupDamaged(VaultError):
    """A file of a backup is not what its manifest says, or does not open.

    Attributes:
        file: its path at the target.
        chunk: which of the manifest's chunks it is, from 0; None for the manifest itself.
    """

    code = "backup_damaged"

    def __init__(self, reason: str, file: str, chunk: int | None = None) -> None:
        super().__init__(reason)
        self.file, self.chunk = file, chunk


class BackupUntrusted(BackupDamaged):
    """No key that is trusted signed the manifest, or it belongs to another service."""

    code = "backup_untrusted"


class BackupReplayed(BackupDamaged):
    """A manifest is older than what is known to follow, or its predecessor is another one than it names."""

    code = "backup_replayed"


class KeyringTooOld(BackupDamaged):
    """The newest keyring is older than the backup needs."""

    code = "keyring_too_old"


class BackupLocked(VaultError):
    """None of the keys at hand opens the backup."""

    code = "backup_locked"


class BackupFromNewer(VaultError):
    """A later version of strongroom made the backup; this one does not know its format or schema."""

    code = "backup_from_newer"


class DatabaseNotEmpty(VaultError):
    """A restore goes into an empty database alone."""

    code = "database_not_empty"


class TargetFailed(VaultError):
    """A target of backups did not do what was asked.

    Attributes:
        problem: the stable code of what is wrong: one of `recovery.targets.protocol.CODES`.
    """

    code = "target_failed"

    def __init__(self, problem: str, reason: str) -> None:
        super().__init__(reason)
        self.problem = problem


class LastCopy(VaultError):
    """It is the last copy that was verified, which nothing removes."""

    code = "last_copy"


class FormerInUse(VaultError):
    """An installation that this one follows still makes backups, so they are not this one's to remove."""

    code = "former_in_use"


class InvalidReport(InvalidRequest):
    """The report is no report of a drill that this service's drill host signed."""

    code = "invalid_report"


class InvalidLines(InvalidRequest):
    """A text of one item a line, such as a list of recipients, has a line that is none.

    Attributes:
        line: counted from 1.
    """

    code = "invalid_lines"

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason
