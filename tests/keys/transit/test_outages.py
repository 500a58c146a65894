"""Real outages of a real Vault: the right code in two seconds, and normal by itself within ten of its return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from keys.errors import RootLoginRefused, RootUnavailable, RootUntrusted
from keys.keyset import Purpose, new_key_id, wrapping_context
from keys.providers.transit import TokenFile, TransitRoot
from keys.secret import Secret
from tests.keys.transit.outage import assert_clean, mended, refused
from tests.vault_server import Transit, VaultServer, fresh_transit


@pytest.fixture
def own(own_vault: VaultServer) -> Iterator[Transit]:
    made = fresh_transit(own_vault)
    yield made
    made.close()


@pytest.fixture
def working(own: Transit) -> TransitRoot:
    root = own.root()
    root.check()
    return root


def test_stopped_and_started(own: Transit, working: TransitRoot) -> None:
    contexts = [wrapping_context(1, Purpose.SEAL, new_key_id())]
    wrapped = working.wrap([Secret.random()], contexts)
    own.server.stop()
    assert_clean(refused(working, RootUnavailable), [own.secret_id, own.role_id])
    own.server.start()
    mended(working)
    assert working.unwrap(wrapped, contexts)


def test_restarted_between_two_calls(own: Transit, working: TransitRoot) -> None:
    """Connections kept open are dead; nobody notices."""
    own.server.stop()
    own.server.start()
    working.check()


def test_killed(own: Transit, working: TransitRoot) -> None:
    own.server.kill()
    refused(working, RootUnavailable)
    own.server.start()
    mended(working)


def test_sealed(own: Transit, working: TransitRoot) -> None:
    own.server.seal()
    assert "sealed" in str(refused(working, RootUnavailable))
    own.server.unseal()
    mended(working)


def test_sealed_before_the_first_login(own: Transit) -> None:
    own.server.seal()
    root = own.root()
    assert "sealed" in str(refused(root, RootUnavailable))
    own.server.unseal()
    mended(root)


def test_frozen(own: Transit, working: TransitRoot) -> None:
    own.server.freeze()
    refused(working, RootUnavailable)
    refused(own.root(), RootUnavailable)
    own.server.thaw()
    mended(working)


def test_the_token_was_revoked(transit: Transit) -> None:
    root = transit.root()
    root.check()
    transit.server.admin.auth.token.revoke(root._tokens.current())
    root.check()  # logs in again, unnoticed


def test_the_secret_id_was_destroyed(transit: Transit) -> None:
    root, admin = transit.root(), transit.server.admin
    root.check()
    admin.adapter.post(
        f"/v1/auth/approle/role/{transit.role}/secret-id/destroy", json={"secret_id": transit.secret_id}
    )
    root.check()  # the token lives on until it ends
    admin.auth.token.revoke(root._tokens.current())
    error = refused(root, RootLoginRefused)
    assert "auth/approle/login" in str(error)
    assert_clean(error, [transit.secret_id, transit.role_id])
    transit.secret_id = transit.new_secret_id()
    mended(root)


def test_another_authority(transit: Transit, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for ca in (other, None):
        root = transit.root(replace(transit.place, ca=ca))
        assert_clean(refused(root, RootUntrusted), [transit.secret_id])


def test_an_authority_that_cannot_be_read(transit: Transit, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for ca in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        with pytest.raises(RootUntrusted, match=ca.name):
            transit.root(replace(transit.place, ca=ca))


def test_http_where_https_listens(transit: Transit) -> None:
    plain = replace(transit.place, address=transit.server.url.replace("https", "http"))
    refused(transit.root(plain), RootUnavailable)


def test_nobody_listens(transit: Transit) -> None:
    refused(transit.root(replace(transit.place, address="https://127.0.0.1:1")), RootUnavailable)


def test_a_name_that_is_not_known(transit: Transit) -> None:
    refused(transit.root(replace(transit.place, address="https://vault.invalid:8200")), RootUnavailable)


def test_too_many_requests(own: Transit, working: TransitRoot) -> None:
    admin = own.server.admin
    admin.adapter.post(
        "/v1/sys/quotas/rate-limit/tight", json={"path": own.mount, "rate": 0.01, "interval": "60s"}
    )
    for _ in range(2):
        try:
            working.check()
        except RootUnavailable:
            break
    assert "429" in str(refused(working, RootUnavailable))
    admin.adapter.delete("/v1/sys/quotas/rate-limit/tight")
    mended(working)


def test_a_token_file_whose_token_ended(transit: Transit, tmp_path: Path) -> None:
    admin, file = transit.server.admin, tmp_path / "token"

    def new() -> str:
        made = admin.auth.token.create(policies=[transit.role], no_default_policy=True, ttl="1h")
        return str(made["auth"]["client_token"])

    file.write_text(new())
    root = transit.root(login=TokenFile(file, lambda: file.read_text().strip()))
    root.check()
    admin.auth.token.revoke(file.read_text())
    assert_clean(refused(root, RootLoginRefused), [file.read_text()])
    file.write_text(new())
    mended(root)
