"""The Transit root on a real Vault: what it wraps opens in its place alone, turns, and costs one call a column."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from keys.errors import RootUnfit, UnwrapError
from keys.keyset import Purpose, new_key_id, wrapping_context
from keys.providers import memory
from keys.providers.transit import TransitRoot
from keys.secret import Secret
from tests.vault_server import Transit


def column(size: int) -> tuple[list[Secret], list[bytes]]:
    keys = [Secret.random() for _ in range(size)]
    return keys, [wrapping_context(7, Purpose.SEAL, new_key_id()) for _ in keys]


def test_what_is_wrapped_opens(transit: Transit) -> None:
    root, (keys, contexts) = transit.root(), column(3)
    wrapped = root.wrap(keys, contexts)
    assert all(blob.startswith(b"vault:v1:") for blob in wrapped)
    assert root.unwrap(wrapped, contexts) == keys
    assert transit.root().unwrap(wrapped, contexts) == keys
    root.check()


def test_an_empty_column_is_no_call(transit: Transit) -> None:
    root = transit.root()
    root.check()
    before = asked(transit)
    assert (root.wrap([], []), root.unwrap([], []), root.rewrap([], [])) == ([], [], [])
    assert asked(transit) == before


def asked(transit: Transit) -> int:
    """Return how often this Transit engine was asked for anything; other tests use the same Vault."""
    return sum(entry["request"]["path"].startswith(transit.mount + "/") for entry in transit.server.audit())


def test_the_name_is_stable_and_says_no_address(transit: Transit) -> None:
    assert transit.root().name == f"transit:{transit.mount}/strongroom"


def test_a_thousand_keys_are_one_call(transit: Transit) -> None:
    """1,000 keyset versions at start-up: the issue's number."""
    root, (keys, contexts) = transit.root(), column(1000)
    wrapped = root.wrap(keys, contexts)
    path = f"{transit.mount}/decrypt/strongroom"
    assert root.unwrap(wrapped, contexts) == keys
    calls = [entry for entry in transit.server.audit() if entry["request"].get("path") == path]
    assert [entry["type"] for entry in calls] == ["request", "response"]


def test_a_column_longer_than_vault_takes_is_several_calls(transit: Transit) -> None:
    root, (keys, contexts) = transit.root(), column(5001)
    assert root.unwrap(root.wrap(keys, contexts), contexts) == keys


@pytest.mark.parametrize("operation", ["unwrap", "rewrap"])
def test_a_moved_key_does_not_open(transit: Transit, operation: str) -> None:
    root, (keys, contexts) = transit.root(), column(3)
    wrapped = root.wrap(keys, contexts)
    moved = [contexts[1], contexts[0], contexts[2]]
    with pytest.raises(UnwrapError) as caught:
        getattr(root, operation)(wrapped, moved)
    assert "vault:" not in str(caught.value)
    with pytest.raises(UnwrapError):
        getattr(root, operation)(wrapped[:1], [moved[0]])


def altered(blob: bytes) -> bytes:
    return blob[:-8] + (b"AAAA" if blob[-8:-4] != b"AAAA" else b"BBBB") + blob[-4:]


@pytest.mark.parametrize("operation", ["unwrap", "rewrap"])
def test_an_altered_or_foreign_key_does_not_open(transit: Transit, operation: str) -> None:
    root, (keys, contexts) = transit.root(), column(2)
    wrapped = root.wrap(keys, contexts)
    other = memory.create().wrap(keys, contexts)
    ahead = wrapped[0].replace(b":v1:", b":v9:")
    for bad in (
        altered(wrapped[0]),
        b"",
        b"vault:v1:",
        b"vault:v1:!",
        ahead,
        "vault:v1:é".encode(),
        other[0],
    ):
        with pytest.raises(UnwrapError):
            getattr(root, operation)([bad, wrapped[1]], contexts)


def test_vaults_key_turns_and_what_it_wrapped_is_rewrapped_inside(transit: Transit) -> None:
    root, (keys, contexts) = transit.root(), column(5)
    old = root.wrap(keys, contexts)
    assert (root.latest(), root.turn(), root.latest()) == (1, 2, 2)
    assert root.unwrap(old, contexts) == keys
    new = root.rewrap(old, contexts)
    assert [root.version_of(blob) for blob in (*old, *new)] == [1] * 5 + [2] * 5
    assert root.unwrap(new, contexts) == keys
    assert [root.version_of(blob) for blob in root.wrap(keys, contexts)] == [2] * 5
    root.retire_before(2)
    root.retire_before(2)
    root.retire_before(1)  # never lowered
    assert root.unwrap(new, contexts) == keys
    for operation in (root.unwrap, root.rewrap):
        with pytest.raises(UnwrapError):
            operation(old, contexts)


def test_retiring_takes_a_smaller_encryption_version_along(transit: Transit) -> None:
    root = transit.root()
    transit.server.admin.secrets.transit.update_key_configuration(
        "strongroom", min_encryption_version=1, mount_point=transit.mount
    )
    root.turn()
    root.retire_before(2)
    assert (root.traits().opens_from, root.traits().wraps_from) == (2, 2)


@pytest.mark.parametrize("blob", [b"", b"vault:v0:AAAA", b"vault:v1", b"\x01abc", b"vault:v1:AAAA\n"])
def test_version_of_something_else(transit: Transit, blob: bytes) -> None:
    with pytest.raises(UnwrapError):
        transit.root().version_of(blob)


def test_a_key_that_is_not_derived_is_refused(transit: Transit) -> None:
    """Vault ignores the context of such a key: what it wraps would open anywhere."""
    admin = transit.server.admin
    admin.secrets.transit.create_key("plain", mount_point=transit.mount)
    text = admin.sys.read_policy(transit.role)["data"]["rules"]
    transit.set_policy(text.replace("strongroom", "plain"))
    root = transit.root(replace(transit.place, key="plain"))
    for operation in (
        root.check,
        lambda: root.wrap(*column(1)),
        lambda: root.unwrap([b"vault:v1:AAAA"], [b"x"]),
    ):
        with pytest.raises(RootUnfit, match="not derived"):
            operation()


def test_a_key_that_is_missing(transit: Transit) -> None:
    text = transit.server.admin.sys.read_policy(transit.role)["data"]["rules"]
    transit.set_policy(text.replace("strongroom", "missing"))
    with pytest.raises(RootUnfit, match=f"{transit.mount}/keys/missing"):
        transit.root(replace(transit.place, key="missing")).check()


def test_a_key_that_was_deleted_later(transit: Transit) -> None:
    root, (keys, contexts) = transit.root(), column(1)
    wrapped = root.wrap(keys, contexts)
    engine = transit.server.admin.secrets.transit
    engine.update_key_configuration("strongroom", deletion_allowed=True, mount_point=transit.mount)
    engine.delete_key("strongroom", mount_point=transit.mount)
    with pytest.raises(RootUnfit):
        root.unwrap(wrapped, contexts)


def test_eight_threads_use_one_root(transit: Transit) -> None:
    root, start = transit.root(), threading.Barrier(8)

    def use(_: int) -> bool:
        start.wait(30)
        keys, contexts = column(20)
        return all(root.unwrap(root.wrap(keys, contexts), contexts) == keys for _ in range(5))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(8)))
    logins = [
        entry for entry in transit.server.audit()
        if entry["type"] == "response" and entry["request"]["path"] == "auth/approle/login"
        and transit.role in (entry.get("auth") or {}).get("policies", ())
    ]  # fmt: skip
    assert len(logins) == 1


def test_closing_ends_the_thread(transit: Transit) -> None:
    root: TransitRoot = transit.root()
    before = threading.active_count()
    root.check()
    assert threading.active_count() == before + 1
    root.close()
    assert threading.active_count() == before
