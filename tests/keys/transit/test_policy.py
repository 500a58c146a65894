"""The policy of docs/operations.md is exactly what is needed, and Vault's audit log holds nothing of ours in clear."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from keys.errors import RootForbidden
from keys.keyset import Purpose, new_key_id, wrapping_context
from keys.providers.transit import TransitRoot
from keys.secret import Secret
from tests.keys.transit.outage import assert_clean
from tests.vault_server import Transit, policy_paths, policy_text

CONTEXT = wrapping_context(7, Purpose.SEAL, new_key_id())

OPERATIONS: dict[str, Callable[[TransitRoot, bytes], object]] = {
    "transit/encrypt/strongroom": lambda root, _: root.wrap([Secret.random()], [CONTEXT]),
    "transit/decrypt/strongroom": lambda root, wrapped: root.unwrap([wrapped], [CONTEXT]),
    "transit/rewrap/strongroom": lambda root, wrapped: root.rewrap([wrapped], [CONTEXT]),
    "transit/keys/strongroom": lambda root, _: root.latest(),
    "transit/keys/strongroom/rotate": lambda root, _: root.turn(),
    "transit/keys/strongroom/config": lambda root, _: root.retire_before(2),
    "auth/token/renew-self": lambda root, _: root.renew(),
}


def test_every_path_of_the_document_is_tried() -> None:
    assert set(OPERATIONS) == set(policy_paths())


def test_the_whole_policy_does_and_nothing_else_is_asked(transit: Transit) -> None:
    root = transit.root()
    (wrapped,) = root.wrap([Secret.random()], [CONTEXT])
    root.turn()
    (wrapped,) = root.rewrap([wrapped], [CONTEXT])
    for operation in OPERATIONS.values():
        operation(root, wrapped)
    root.close()
    asked = {path.replace(transit.mount, "transit") for _, path in transit.asked()}
    assert asked == set(policy_paths())


@pytest.mark.parametrize("path", policy_paths())
def test_one_path_less_and_what_needs_it_says_so(transit: Transit, path: str) -> None:
    (wrapped,) = transit.root().wrap([Secret.random()], [CONTEXT])
    transit.server.admin.secrets.transit.rotate_key("strongroom", mount_point=transit.mount)
    transit.set_policy(policy_text(transit.mount, without=path))
    with pytest.raises(RootForbidden, match=path.replace("transit/", f"{transit.mount}/", 1)) as caught:
        OPERATIONS[path](transit.root(), wrapped)
    assert_clean(caught.value, [transit.secret_id, wrapped.decode()])


def test_a_policy_that_was_mended_works_without_a_restart(transit: Transit) -> None:
    root = transit.root()
    transit.set_policy(policy_text(transit.mount, without="transit/encrypt/strongroom"))
    with pytest.raises(RootForbidden):
        root.check()
    transit.set_policy(policy_text(transit.mount))
    root.check()


def test_vaults_audit_log_has_nothing_of_ours_in_clear(transit: Transit) -> None:
    """Vault hides JSON strings of requests and replies by HMAC; what is a number or a name it writes as it is."""
    before = len(transit.server.audit_text())
    root, keys = transit.root(), [Secret.random() for _ in range(3)]
    contexts = [wrapping_context(7, Purpose.SEAL, new_key_id()) for _ in keys]
    old = root.wrap(keys, contexts)
    root.turn()
    new = root.rewrap(old, contexts)
    assert root.unwrap(new, contexts) == keys
    root.retire_before(2)
    root.renew()
    token = root._tokens.current()
    root.close()
    log = transit.server.audit_text()[before:]
    assert log.count("hmac-sha256:") > 20
    secret = [blob.decode() for blob in (*old, *new)] + [transit.secret_id, token]
    secret += [base64.b64encode(key.expose()).decode() for key in keys]
    secret += [base64.b64encode(context).decode() for context in contexts] + [transit.role_id]
    for text in secret:
        assert text not in log
    assert not any(key.expose().hex() in log for key in keys)
