"""Settings: the environment, read once and frozen; secrets come from files, never from the environment itself."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.errors import SettingsError
from vault.errors import InvalidRequest
from vault.passwords.limits import Limits
from vault.passwords.profiles import DEFAULT, Profile, parse

_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
_PATH = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"
SECRETS = (
    "VAULT_TOKEN",
    "VAULT_SECRET_ID",
    "VAULT_JWT",
    "ROOT_PASSPHRASE",
    "AUDIT_S3_ACCESS_KEY",
    "AUDIT_S3_SECRET_KEY",
    "BACKUP_S3_ACCESS_KEY",
    "BACKUP_S3_SECRET_KEY",
    "ALARM_WEBHOOK_SECRET",
)  # in files only, never themselves
LONGEST_SOCKET = 107  # bytes of a Unix socket's path (unix(7): 108 with the zero behind it)


class Settings(BaseSettings):
    """Every setting, from the environment variable of its name behind `STRONGROOM_`.

    Attributes:
        database_url: `sqlite:///path` (relative to the working folder) or `postgresql://…`.
        database_url_file: a file that holds the URL instead, since a PostgreSQL URL may hold a password.
        root_key_file: the local root's key file (mode 0600).
        root_passphrase_file: a file with its passphrase, where it has one.
        root: which root key wraps the keysets of new tenants: `local` or `vault`; both open what they wrapped.
        vault_addr: HashiCorp Vault's address; the other vault_ settings mean nothing without it.
        vault_namespace: of Vault Enterprise or HCP.
        vault_ca: PEM file of the one authority to trust; the system's without it.
        vault_mount, vault_key: of the Transit engine, and the key in it.
        vault_auth, vault_auth_mount: how to log in, and where that auth method is mounted (default: its own name).
        vault_role_id, vault_role_id_file: of AppRole, either of them.
        vault_secret_id_file, vault_secret_id_wrapped: of AppRole; wrapped: the file holds a wrapping token.
        vault_token_file: a token that somebody else keeps good.
        vault_kubernetes_role, vault_jwt_file: of the Kubernetes auth method.
        host, port: where `strongroom serve` listens; a host that is not loopback needs TLS.
        socket: a Unix socket to listen on instead, for a proxy of this machine that is then believed what it adds.
        origin_header: where that proxy writes the address that a request comes from.
        callers_file: who may come beside API keys: issuers of tokens, and certificates.
        client_certificates: believe the certificates that the proxy hands on in `Client-Cert` (RFC 9440).
        workers, threads: serving processes, and threads in each.
        tls_certificate, tls_key: PEM files.
        lease_seconds: how long plain keys stay in memory, 1 to 86,400.
        request_seconds: a request that was not written by then is refused.
        max_body_bytes: the largest request body.
        maintenance_seconds: the pause between two rounds of background work.
        cryptoperiod_days: how long a version of a keyset seals (SP 800-57 Part 1 Rev. 5, 5.3.6: two years).
        max_messages: how many messages it seals (SP 800-38D, section 8.3: 2**32).
        hasher_socket: of a `strongroom hasher` that runs on its own, for the whole host; without, `serve` has one.
        hashing_memory_mib: ceiling of the memory of all password hashes that run at once.
        hashing_wait_seconds: how long a request waits for its turn to hash; it is refused then.
        hashing_waiting: how many requests with passwords a serving process lets wait; the next are refused at once.
        password_profile: what new hashes cost: a profile's name, or what `strongroom passwords calibrate` printed.
        password_words_file: more passwords that nobody may have, one a line.
        password_min_characters: of a new password; SP 800-63B-4, 3.1.1.2 wants 15 where nothing else is asked for.
        password_min_score: how hard a new one must be to guess, 0 to 4; the standards ask for none.
        password_normalize: bring new ones to NFC before they are hashed.
        password_free_attempts, password_longest_wait_seconds, password_lock_after: wrong passwords of a login that cost
            no wait, the longest wait, and after how many only an operator or a reset lets it through again.
        password_source_free_attempts, password_source_longest_wait_seconds: the same of an address.
        login_record_days: how long a log-in is kept on record.
        audit_sinks: places outside of the database that take the audit's records, URLs separated by spaces; while none
            of those that hold records takes them, every request is refused (docs/operations.md has their forms).
        audit_s3_access_key_file, audit_s3_secret_key_file: files with the credentials of `s3:` among them.
        alarm_webhooks: addresses that alarms are posted to (Standard Webhooks), separated by spaces; https, or http of
            this machine.
        alarm_webhook_secret_file: a file with the secret that they are signed with: `whsec_` and base64.
        alarm_mail_to, alarm_mail_from: mail addresses; alarms are sent there where both are set.
        alarm_sendmail: the program that takes a message on its standard input as sendmail does.
        audit_archive: the folder that old audit records go to, which must be there; without one all stay at hand.
        audit_days: from which age they go there.
        backup_targets: servers that backups go to, URLs separated by spaces: `file:`, `sftp://`, `s3://`.
        backup_quorum: how many must have a backup before it counts as made; without, 2, or all where there are fewer.
        backup_recipients: the file that `strongroom recovery init` and `strongroom drill init` write: whom backups are
            sealed to, a line each.
        backup_ssh_key_file, backup_known_hosts: of the targets that speak SFTP.
        backup_s3_access_key_file, backup_s3_secret_key_file: files with the credentials of those that speak S3.
        backup_journal_seconds: how often what changed is shipped between two backups; at most twice as much is at risk.
        backup_full_hours, backup_incremental_hours, backup_keyring_hours: how often a whole backup, one of changes,
            and a whole keyring are made.
        backup_keyrings: whole keyrings that are kept; an erased person is gone from all backups with the last of them.
        backup_keep: restore points that are kept.
        drill_hours: hours without a drill that passed after which an alarm says so; 0 for never.
    """

    model_config = SettingsConfigDict(env_prefix="STRONGROOM_", frozen=True, hide_input_in_errors=True)

    database_url: str = "sqlite:///var/strongroom.db"
    database_url_file: Path | None = None
    root_key_file: Path = Path("var/root.key")
    root_passphrase_file: Path | None = None
    root: Literal["local", "vault"] | None = None
    vault_addr: str | None = None
    vault_namespace: str = ""
    vault_ca: Path | None = None
    vault_mount: str = Field(default="transit", pattern=_PATH, max_length=64)
    vault_key: str = Field(default="strongroom", pattern=_NAME, max_length=48)
    vault_auth: Literal["approle", "token", "kubernetes"] = "approle"
    vault_auth_mount: str | None = Field(default=None, pattern=_PATH)
    vault_role_id: str | None = None
    vault_role_id_file: Path | None = None
    vault_secret_id_file: Path | None = None
    vault_secret_id_wrapped: bool = False
    vault_token_file: Path | None = None
    vault_kubernetes_role: str | None = None
    vault_jwt_file: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    host: str = "127.0.0.1"
    port: int = Field(default=8700, ge=0, le=65_535)
    socket: Path | None = None
    origin_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    callers_file: Path | None = None
    client_certificates: bool = False
    workers: int = Field(default=2, ge=1, le=64)
    threads: int = Field(default=8, ge=1, le=128)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    lease_seconds: float = Field(default=900.0, ge=1, le=86_400)
    request_seconds: float = Field(default=30.0, gt=0, le=600)
    max_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1_024, le=64 * 1024 * 1024)
    maintenance_seconds: float = Field(default=60.0, ge=1, le=86_400)
    cryptoperiod_days: float = Field(default=730.0, gt=0, le=3_650)
    max_messages: int = Field(default=2**32, ge=1_000, le=2**32)
    hasher_socket: Path | None = None
    hashing_memory_mib: int = Field(default=512, ge=32, le=1_048_576)
    hashing_wait_seconds: float = Field(default=5.0, gt=0, le=60)
    hashing_waiting: int = Field(default=32, ge=1, le=256)
    password_profile: str = DEFAULT.name
    password_words_file: Path | None = None
    password_min_characters: int = Field(default=12, ge=8, le=64)
    password_min_score: int = Field(default=0, ge=0, le=4)
    password_normalize: bool = True
    password_free_attempts: int = Field(default=10, ge=1, le=99)
    password_longest_wait_seconds: int = Field(default=1_800, ge=1, le=86_400)
    password_lock_after: int = Field(default=100, ge=2, le=100)
    password_source_free_attempts: int = Field(default=50, ge=1, le=1_000_000)
    password_source_longest_wait_seconds: int = Field(default=3_600, ge=1, le=86_400)
    login_record_days: int = Field(default=184, ge=1, le=3_650)
    audit_sinks: str = ""
    audit_s3_access_key_file: Path | None = None
    audit_s3_secret_key_file: Path | None = None
    alarm_webhooks: str = ""
    alarm_webhook_secret_file: Path | None = None
    alarm_mail_to: str | None = None
    alarm_mail_from: str | None = None
    alarm_sendmail: Path = Path("/usr/sbin/sendmail")
    audit_archive: Path | None = None
    audit_days: int = Field(default=366, ge=1, le=36_500)
    backup_targets: str = ""
    backup_quorum: int | None = Field(default=None, ge=1, le=16)
    backup_recipients: Path | None = None
    backup_ssh_key_file: Path | None = None
    backup_known_hosts: Path | None = None
    backup_s3_access_key_file: Path | None = None
    backup_s3_secret_key_file: Path | None = None
    backup_journal_seconds: float = Field(default=5.0, ge=0.2, le=3_600)
    backup_full_hours: float = Field(default=168.0, gt=0, le=8_760)
    backup_incremental_hours: float = Field(default=1.0, gt=0, le=8_760)
    backup_keyring_hours: float = Field(default=24.0, gt=0, le=8_760)
    backup_keyrings: int = Field(default=2, ge=1, le=100)
    backup_keep: str = "last=3 daily=7 weekly=4 monthly=12"
    drill_hours: float = Field(default=0.0, ge=0, le=8_760)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_dir: Path | None = None

    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.socket is not None or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def database(self) -> str:
        """Return the database URL, from its file where one is named."""
        if self.database_url_file is None:
            return self.database_url
        return read_secret(self.database_url_file).decode()

    def limits(self) -> Limits:
        """Return how much guessing is let through; SettingsError if a login would be locked before it has to wait."""
        try:
            return Limits(
                self.password_free_attempts, self.password_longest_wait_seconds, self.password_lock_after,
                self.password_source_free_attempts, self.password_source_longest_wait_seconds,
            )  # fmt: skip
        except InvalidRequest:
            raise SettingsError(
                "STRONGROOM_PASSWORD_LOCK_AFTER: must be more than STRONGROOM_PASSWORD_FREE_ATTEMPTS"
            ) from None

    def profile(self) -> Profile:
        """Return what new password hashes cost; SettingsError if it is no profile, or needs more than the ceiling."""
        try:
            profile = parse(self.password_profile)
        except InvalidRequest as error:
            raise SettingsError(f"STRONGROOM_PASSWORD_PROFILE: {error}") from None
        if profile.memory > self.hashing_memory_mib * 1_024:
            needed = -(-profile.memory // 1_024)
            raise SettingsError(
                f"STRONGROOM_PASSWORD_PROFILE: one hash takes {needed} MiB, more than STRONGROOM_HASHING_MEMORY_MIB"
            )
        return profile


def load() -> Settings:
    """Read the settings from the environment; SettingsError names the variables that are wrong, never their values."""
    for name in SECRETS:
        if f"STRONGROOM_{name}" in os.environ:
            raise SettingsError(
                f"STRONGROOM_{name}: a secret is not taken from the environment; STRONGROOM_{name}_FILE names its file"
            )
    try:
        settings = Settings()
    except ValidationError as error:
        problems = [
            f"STRONGROOM_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise SettingsError("; ".join(problems)) from None
    settings.profile()
    settings.limits()
    for name, socket in (("HASHER_SOCKET", settings.hasher_socket), ("SOCKET", settings.socket)):
        if len(os.fsencode(socket or "")) > LONGEST_SOCKET:
            raise SettingsError(f"STRONGROOM_{name}: a socket's path has at most {LONGEST_SOCKET} bytes")
    if settings.client_certificates and (settings.socket is None or settings.callers_file is None):
        raise SettingsError(
            "STRONGROOM_CLIENT_CERTIFICATES: needs STRONGROOM_SOCKET, which only the proxy reaches, and "
            "STRONGROOM_CALLERS_FILE, which says whose certificates come in"
        )
    if settings.callers_file is not None:
        from api.callers import document  # here, for most processes have none

        document.load(settings.callers_file)
    return settings


def read_secret(path: Path) -> bytes:
    """Return a secret file's content without its last line break; SettingsError if it cannot be read."""
    try:
        return path.read_bytes().removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise SettingsError(f"a secret file cannot be read ({error.strerror})") from None
