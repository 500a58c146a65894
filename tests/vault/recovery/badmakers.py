"""Makers of bad backups, each wrong in its own way, and which check of a drill must say so.

All but the first few sign what they made with the right keys, and count and digest it as it is: nothing but a restore
can tell.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from keys.keyset import Purpose
from keys.secret import Secret
from tests.vault.recovery.drillhost import Hosted
from tests.vault.recovery.maker import Row, edited
from vault import cipher, index
from vault.audit.notes import Signer, Verifier
from vault.backup import manifests
from vault.backup.model import Manifest
from vault.store.streams import ESCROW, Block

DAY = 86_400_000_000  # microseconds
Make = Callable[[Hosted], None]
Edit = Callable[[Row], Row | None]


@dataclass(frozen=True, slots=True)
class Bad:
    """A bad backup: how it comes about, and the check and code that say so."""

    name: str
    make: Make
    check: str
    code: str
    again: bool = False  # another does much the same: this one is for campaigns


def rows(table: str, edit: Edit) -> Make:
    """Change rows of a table, or leave them out."""
    return lambda host: host.maker.make(harm=edited(table, edit))


def first(edit: Edit, where: Callable[[Row], bool] = lambda _: True) -> Edit:
    """Change the first row that fits, and no other."""
    done: list[bool] = []

    def once(row: Row) -> Row | None:
        if done or not where(row):
            return row
        done.append(True)
        return edit(row)

    return once


def swapped(table: str, column: str, where: Callable[[Row], bool]) -> Make:
    """Exchange a column between the first two rows that fit."""

    def harm(block: Block) -> list[Block]:
        if block.table != table:
            return [block]
        found = [dict(zip(block.columns, row, strict=True)) for row in block.rows]
        one, other = [row for row in found if where(row)][:2]
        one[column], other[column] = other[column], one[column]
        return [Block(table, block.columns, [tuple(row.values()) for row in found])]

    return lambda host: host.maker.make(harm=harm)


def told(change: Callable[[Manifest], Manifest]) -> Make:
    """Say something else in the data manifest than is so."""
    return lambda host: host.maker.make(tell=lambda made: change(made) if made.stream == "data" else made)


def on_file(place: str, change: Callable[[bytes], bytes | None]) -> Make:
    """Change a file after the backup was made; None removes it."""

    def make(host: Hosted) -> None:
        host.maker.make()
        (path, *_) = sorted(host.maker.folder.glob(place))
        data = change(path.read_bytes())
        path.unlink() if data is None else path.write_bytes(data)

    return make


def turned_over(data: bytes) -> bytes:
    """Return the bytes with one bit changed."""
    return data[:-40] + bytes([data[-40] ^ 4]) + data[-39:]


def for_another_host(host: Hosted) -> None:
    """Seal it to a drill host that is not this one, whose root is another too."""
    host.maker.make()
    host.maker.drill = Secret.random()


def signed_by_a_stranger(host: Hosted) -> None:
    """Sign it with a key that the drill host does not know."""
    host.maker.make()
    name = manifests.key_name(next(host.maker.folder.iterdir()).name)
    host.maker.trust = [Verifier(Signer(name, secrets.token_bytes(32)).vkey)]


def without_person(subject: str) -> Make:
    """Lose a person's key."""

    def make(host: Hosted) -> None:
        route = host.resources.keyring.keys(host.shop.actor.tenant).primary(Purpose.ROUTE)
        (digest,) = index.subject_digests(route, host.shop.actor.tenant, [subject])
        host.maker.make(harm=edited("subject", lambda row: None if row["digest"] == digest else row))

    return make


def twice(table: str) -> Make:
    """Have every row of a table in it twice."""

    def harm(block: Block) -> Iterable[Block]:
        return [block, block] if block.table == table else [block]

    return lambda host: host.maker.make(harm=harm)


def without_tenant(host: Hosted) -> None:
    """Leave a whole business out, as if it had never been there."""
    gone = host.shop.actor.tenant

    def harm(block: Block) -> list[Block]:
        name = "id" if block.table == "tenant" else "tenant"
        if name not in block.columns:
            return [block]
        at = list(block.columns).index(name)
        return [Block(block.table, block.columns, [row for row in block.rows if row[at] != gone])]

    def tell(made: Manifest) -> Manifest:
        return replace(
            made, checkpoints=[one for one in made.checkpoints if f"{gone:016x}" not in one], keys={}
        )

    host.maker.make(harm=harm, tell=tell)


def resealed(change: Callable[[bytes], bytes], where: Callable[[Row], bool], *, new: bool = False) -> Make:
    """Seal other values in the place of those that are there, in due form; `new`: under a token that never was."""

    def make(host: Hosted) -> None:
        tenant = host.shop.actor.tenant
        keys = host.resources.keyring.keys(tenant)

        def seal(row: Row) -> Row:
            old, token = bytes(row["token"]), bytes(row["token"])
            if new:
                token = token[:1] + secrets.token_bytes(16)
            (value,) = cipher.open_column(
                tenant, "value", [row["field"]], [old], [row["sealed"]],
                lambda key: keys.version(Purpose.SEAL, key), {},
            )  # fmt: skip
            primary = keys.primary(Purpose.SEAL)
            (sealed,) = cipher.seal(primary, tenant, row["field"], "value", [token], [change(value)])
            return {**row, "token": token, "sealed": sealed}

        def harm(block: Block) -> list[Block]:
            if block.table != "token":
                return [block]
            found = [dict(zip(block.columns, row, strict=True)) for row in block.rows]
            fit = [row for row in found if row["tenant"] == tenant and where(row)]
            made = [seal(row) for row in fit]
            kept = [row for row in found if new or row not in fit]
            every = sorted([*kept, *made], key=lambda row: (row["bucket"], row["tenant"], row["token"]))
            return [Block("token", block.columns, [tuple(row.values()) for row in every])]

        host.maker.make(harm=harm)

    return make


def _is_card(row: Row) -> bool:
    return bool(row["field"] == "bank_card" and row["kind"] == 1)


def _is_shop(row: Row) -> bool:
    return bool(row["field"] == "phone" and row["subject"] is not None)


def _card_of_nobody(value: bytes) -> bytes:
    return b"6222021234567890128" if value != b"6222021234567890128" else value


def _is_test(row: Row) -> bool:
    return bool(row["mode"] == "test")


def _of_another_key(row: Row) -> Row:
    sealed = row["sealed"]
    return {**row, "sealed": sealed[:8] + bytes([sealed[8] ^ 1]) + sealed[9:]}


def _later(note: bytes) -> bytes:
    return note.replace(b'"until":', b'"until":1', 1)


BAD: tuple[Bad, ...] = (
    Bad("a bit of a chunk is turned over", on_file("*/data/chunks/*", turned_over), "restored", "backup_damaged"),
    Bad("a chunk is cut", on_file("*/keyring/chunks/*", lambda data: data[:-1]), "restored", "backup_damaged",
        again=True),
    Bad("a chunk is not there", on_file("*/data/chunks/*", lambda _: None), "restored", "backup_damaged"),
    Bad("a manifest was changed", on_file("*/data/manifests/*", _later),
        "restored", "backup_untrusted", again=True),
    Bad("a stranger signed it", signed_by_a_stranger, "restored", "backup_untrusted"),
    Bad("it is sealed to another host", for_another_host, "restored", "backup_locked"),
    Bad("its keyring is an old one", lambda host: host.maker.make(keyring=2), "restored", "keyring_too_old"),
    Bad("fewer rows than were counted", told(lambda made: replace(made, counts={**made.counts, "policy": 1})),
        "restored", "backup_damaged"),
    Bad("a table was never read", told(lambda made: replace(
        made, counts={name: count for name, count in made.counts.items() if name != "policy"},
        digests={name: one for name, one in made.digests.items() if name != "policy"},
    )), "restored", "table_missing"),
    Bad("it is a day old", told(lambda made: replace(made, taken_at=made.taken_at - DAY)), "age", "backup_too_old"),
    Bad("rows come twice", twice("token"), "restored", "store_conflict"),
    Bad("the passwords are left out", rows("password", lambda _: None), "canary", "right_password_refused"),
    Bad("a person key is lost", without_person("person-1"), "values", "unreadable_value"),
    Bad("the person of a password is lost", without_person("strongroom-drill"), "whole", "password_of_no_person"),
    Bad("person keys are exchanged", swapped("subject", "wrapped", lambda _: True), "keys", "person_key_unreadable"),
    Bad("a value names another key", rows("token", first(_of_another_key, _is_card)), "values", "unreadable_value",
        again=True),
    Bad("values lie under each other's token", swapped("token", "sealed", _is_card), "values", "unreadable_value"),
    Bad("values are not canonical", resealed(lambda value: value[:4] + b" " + value[4:], _is_card),
        "values", "value_not_canonical"),
    Bad("values are others", resealed(_card_of_nobody, _is_card), "live", "live_differs"),
    Bad("a token came from nowhere", resealed(lambda value: value, _is_card, new=True), "live", "live_lacks_token"),
    Bad("tokens are left out", rows("token", lambda row: None if _is_shop(row) else row), "live", "backup_lacks_token"),
    Bad("an audit record was edited", rows("audit_leaf", first(
        lambda row: {**row, "leaf": row["leaf"][:-1] + bytes([row["leaf"][-1] ^ 1])})), "audit", "audit_edited"),
    Bad("the audit's end is cut off", rows("audit_leaf", lambda row: row if row["position"] < 2 else None),
        "audit", "audit_cut_tail"),
    Bad("passwords are exchanged", swapped("password", "sealed", lambda _: True), "passwords", "unreadable_value"),
    Bad("keysets are exchanged", swapped("key_version", "wrapped", lambda _: True), "restored", "unwrap_failed"),
    Bad("a keyset is lost", rows("key_version", lambda row: None if row["purpose"] == "seal" else row),
        "keys", "keyset_missing"),
    Bad("the escrow is lost", rows(ESCROW, lambda _: None), "keys", "escrow_missing"),
    Bad("a tenant is lost, and its rows are not", rows("tenant", first(lambda _: None, _is_test)),
        "whole", "row_of_no_tenant"),
    Bad("a business is left out", without_tenant, "live", "tenant_missing"),
)  # fmt: skip
