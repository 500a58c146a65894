"""Everything under an older version of the seal keyset comes under its primary: person keys, and values of nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from keys.errors import UnknownKey
from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from keys.wrapping import wrap
from vault import cipher
from vault.errors import UnreadableValue
from vault.resources import open_person_key, person_context
from vault.rotate.run import Run
from vault.store import stale
from vault.store.writer import Transaction

T = TypeVar("T")

BATCH = 200  # rows in one commit: others wait for it a few milliseconds, and more would gain little


def people(run: Run) -> bool:
    """Wrap the next person keys under the primary; their values stay as they are, and so does a damaged key."""
    keys, database = run.keys(), run.resources.database
    primary = keys.primary(Purpose.SEAL)
    with database.read() as connection:
        where = stale.wrapped_by_another(primary.id)
        found = stale.people(connection, run.tenant, where, run.job.place, BATCH)
    if not found:
        return True
    plain = dict[bytes, bytes]()

    def opened(one: stale.Person) -> None:
        plain[one.digest] = open_person_key(keys, run.tenant, one.digest, one.key, one.wrapped, one.wrap_key)

    good = readable(found, opened)
    run.resources.keyring.spend(run.tenant, primary, len(good))
    rows = []
    for one in good:
        context = person_context(run.tenant, one.digest, one.key)
        rows.append((wrap(cipher.aead(primary), plain[one.digest], context), primary.id, one))

    def work(transaction: Transaction) -> None:
        changed = [
            (blob, key, transaction.epoch, one.bucket, one.digest, one.key, one.wrap_key)
            for blob, key, one in rows
        ]
        columns, on = ("wrapped", "wrap_key", "epoch"), ("bucket", "digest", "key", "wrap_key")
        transaction.dialect.change(transaction.connection, "subject", columns, on, run.tenant, changed)

    run.commit(
        work, keys=keys, place=stale.place_of(found[-1]), done=run.job.done + len(good),
        skipped=run.job.skipped + len(found) - len(good),
    )  # fmt: skip
    return False


def rows(run: Run) -> bool:
    """Seal the next values anew under the primary; what does not open is left as it is, and counted."""
    keys, database = run.keys(), run.resources.database
    primary = keys.primary(Purpose.SEAL)
    with database.read() as connection:
        found = stale.seals(connection, run.tenant, primary.id, run.job.place, BATCH)
    if not found:
        return True
    good, opened = _opened(run, keys, found)
    run.resources.keyring.spend(run.tenant, primary, sum(len(part) for part in opened))
    sealed = _sealed(run, keys, good, opened)

    def work(transaction: Transaction) -> None:
        changed = [
            (value, note, primary.id, transaction.epoch, row.bucket, row.token, row.seal_key)
            for row, value, note in zip(good, *sealed, strict=True)
        ]
        columns, on = ("sealed", "metadata", "seal_key", "epoch"), ("bucket", "token", "seal_key")
        transaction.dialect.change(transaction.connection, "token", columns, on, run.tenant, changed)

    run.commit(
        work, keys=keys, place=stale.place_of(found[-1]), done=run.job.done + len(good),
        skipped=run.job.skipped + len(found) - len(good),
    )  # fmt: skip
    return False


def _opened(
    run: Run, keys: TenantKeys, found: Sequence[stale.Sealed]
) -> tuple[Sequence[stale.Sealed], tuple[dict[int, bytes], dict[int, bytes]]]:
    """Return the rows that open, and their values and metadata by their number among them."""
    try:
        return found, (_slot(run, keys, found, "value"), _slot(run, keys, found, "metadata"))
    except UnreadableValue:
        good = readable(found, lambda row: [_slot(run, keys, [row], slot) for slot in ("value", "metadata")])
        return good, (_slot(run, keys, good, "value"), _slot(run, keys, good, "metadata"))


def readable(found: Sequence[T], attempt: Callable[[T], object]) -> list[T]:
    """Return the rows that open, tried one by one: a damaged one must not hold up the others."""
    good = []
    for row in found:
        try:
            attempt(row)
        except (UnreadableValue, UnknownKey):
            continue
        good.append(row)
    return good


def _slot(run: Run, keys: TenantKeys, found: Sequence[stale.Sealed], slot: str) -> dict[int, bytes]:
    blobs = [row.sealed if slot == "value" else row.metadata for row in found]
    there = [at for at, blob in enumerate(blobs) if blob is not None]
    opened = cipher.open_column(
        run.tenant, slot, [found[at].field for at in there], [found[at].token for at in there],
        [blobs[at] or b"" for at in there], lambda key_id: keys.version(Purpose.SEAL, key_id), {},
    )  # fmt: skip
    return dict(zip(there, opened, strict=True))


def _sealed(
    run: Run,
    keys: TenantKeys,
    good: Sequence[stale.Sealed],
    opened: tuple[dict[int, bytes], dict[int, bytes]],
) -> tuple[list[bytes | None], list[bytes | None]]:
    """Return values and metadata as the primary seals them, a column for each field."""
    primary = keys.primary(Purpose.SEAL)
    made: tuple[list[bytes | None], list[bytes | None]] = ([None] * len(good), [None] * len(good))
    for slot, plain, out in zip(("value", "metadata"), opened, made, strict=True):
        by_field: dict[str, list[int]] = defaultdict(list)
        for at in plain:
            by_field[good[at].field].append(at)
        for field, places in by_field.items():
            tokens, texts = [good[at].token for at in places], [plain[at] for at in places]
            column = cipher.seal(primary, run.tenant, field, slot, tokens, texts)
            for at, blob in zip(places, column, strict=True):
                out[at] = blob
    return made
