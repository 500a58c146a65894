"""The vault: puts the steps in order; every door calls this and nothing below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vault import deleting, finding, granting, revealing, tokenizing
from vault.audit import journal
from vault.columns import (
    Actor,
    ApiKeyRecord,
    Column,
    Deleted,
    Described,
    Erasure,
    Found,
    Mode,
    Page,
    Remember,
    Revealed,
    Tokenized,
    View,
)
from vault.resources import Resources
from vault.store import apikeys, migrate
from vault.store.writer import Transaction


class Vault:
    """Values in, tokens out. Safe to share between threads; every call takes columns and writes its audit record."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

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
    ) -> Revealed:
        """Turn tokens back into values, or into their masks.

        Args:
            tokens: at most 10,000 public tokens.
            purpose: one of `columns.PURPOSES`; kept in the audit record.
            field: the field type of shaped tokens; opaque ones need none.
            metadata: return each token's metadata too.
        Raises:
            InvalidRequest: the purpose or view is none of ours.
            UnreadableValue: a stored value was altered or its key is gone; nothing is returned.
        """
        return revealing.reveal(self._resources, actor, tokens, purpose, view, field, metadata)

    def describe(self, actor: Actor, tokens: Sequence[object], field: str | None = None) -> Described:
        """Return what may be said of tokens without their values; at most 10,000."""
        return revealing.describe(self._resources, actor, tokens, field)

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

    def create_api_key(
        self,
        actor: Actor,
        name: str,
        operations: Sequence[str],
        fields: Sequence[str] | None = None,
        expires_in: int | None = None,
        remember: Remember | None = None,
    ) -> granting.Made:
        """Make an API key of the caller's tenant; return its record and its text, which is kept nowhere.

        Args:
            operations: of `granting.OPERATIONS`.
            fields: the field types it reaches; None for all.
            expires_in: seconds, 1 to 315,360,000; None for never.
        """
        return granting.create(self._resources, actor, name, operations, fields, expires_in, remember)

    def list_api_keys(self, actor: Actor) -> list[ApiKeyRecord]:
        """Return the tenant's API keys, oldest first, ended ones too."""
        with self._resources.database.read() as connection:
            return apikeys.of_tenant(connection, actor.tenant)

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

    def record_refusal(self, actor: Actor, operation: str, code: str) -> None:
        """Write the audit record of an operation that a door refused."""
        keys = self._resources.keyring.keys(actor.tenant)
        row = journal.row(keys, actor, self._resources.database.now(), operation, result=code)

        def work(transaction: Transaction) -> None:
            transaction.append("audit_record", [row])

        self._resources.database.write(work, deadline=actor.deadline, reads=False)

    def bootstrap(self, name: str, again: bool = False) -> dict[Mode, granting.Made]:
        """Create a business, its live and test data apart, with keysets and a first API key each.

        Args:
            name: 1 to 64 letters and digits of any script, spaces or _.:-
            again: the business is there; make one more such key for each mode, and change nothing else.
        Raises:
            InvalidRequest: the name is no name, or is taken, or with `again` is not.
        """
        return granting.bootstrap(self._resources, name, again)

    def ready(self) -> dict[str, str]:
        """Return "ok", or what is wrong, for the database, its schema and the root keys."""
        return {
            "database": self._state(self._probe_database),
            "schema": self._state(self._probe_schema),
            "keys": self._state(self._resources.keyring.check_roots),
        }

    def close(self) -> None:
        """Wipe the keys in memory and close the database."""
        self._resources.keyring.forget()
        self._resources.database.close()

    def _probe_database(self) -> None:
        with self._resources.database.read() as connection:
            connection.exec_driver_sql("SELECT 1")

    def _probe_schema(self) -> None:
        migrate.require_head(self._resources.database)

    @staticmethod
    def _state(probe: object) -> str:
        try:
            probe()  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001
            return getattr(error, "code", "unavailable")
        return "ok"
