"""Logging in to a real Vault: AppRole, plain and wrapped, Kubernetes and token files; renewing and logging in anew."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keys.errors import RootLoginRefused
from keys.providers.transit import AppRole, Kubernetes, TokenFile, TransitRoot, look_at_wrapped, open_wrapped
from tests.keys.transit.outage import assert_clean
from tests.vault_server import Transit, VaultServer, fresh_transit


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def calls(transit: Transit, path: str) -> int:
    return sum(
        entry["type"] == "response" and entry["request"]["path"] == path and not entry.get("error")
        and transit.role in (entry.get("auth") or {}).get("policies", ())
        for entry in transit.server.audit()
    )  # fmt: skip


def test_a_token_is_renewed_before_it_ends(vault_server: VaultServer) -> None:
    with closing(
        fresh_transit(vault_server, ttl="8s")
    ) as transit:  # renewed after half of it: a busy machine has time
        root = transit.root()
        root.check()
        until(lambda: calls(transit, "auth/token/renew-self") >= 2)
        root.check()
        assert calls(transit, "auth/approle/login") == 1


def test_a_token_at_its_greatest_age_is_replaced(vault_server: VaultServer) -> None:
    transit = fresh_transit(vault_server, ttl="2s", max_ttl="3s")
    root = transit.root()
    root.check()
    until(lambda: calls(transit, "auth/approle/login") >= 3)
    root.check()
    transit.close()


def test_an_idle_root_works_after_its_token_ended(vault_server: VaultServer) -> None:
    """Without the thread, as after a long suspension: the next call logs in."""
    transit = fresh_transit(vault_server, ttl="1s")
    root = transit.root()
    root.check()
    root._tokens.close()
    time.sleep(1.5)
    root.check()
    transit.close()


@pytest.mark.parametrize("wrong", ["role_id", "secret_id"])
def test_a_wrong_role_or_secret(transit: Transit, wrong: str) -> None:
    setattr(transit, wrong, "canary-wrong")
    with pytest.raises(RootLoginRefused, match="auth/approle/login") as caught:
        transit.root().check()
    assert_clean(caught.value, ["canary-wrong", transit.secret_id, transit.role_id])


def test_an_auth_method_that_is_not_there(transit: Transit) -> None:
    login = AppRole(lambda: transit.role_id, lambda: transit.secret_id, wrapped=False, mount="elsewhere")
    with pytest.raises(RootLoginRefused, match="auth/elsewhere/login"):
        transit.root(login=login).check()


def wrapped_secret_id(transit: Transit, ttl: str = "60s") -> str:
    made = transit.server.admin.adapter.post(
        f"/v1/auth/approle/role/{transit.role}/secret-id", json={}, headers={"X-Vault-Wrap-TTL": ttl}
    )
    return str(made["wrap_info"]["token"])


def test_a_wrapped_secret_id_opens_once(transit: Transit) -> None:
    wrapping = wrapped_secret_id(transit)
    look_at_wrapped(transit.place, wrapping)
    look_at_wrapped(transit.place, wrapping)
    transit.secret_id = open_wrapped(transit.place, wrapping).expose().decode()
    transit.root().check()
    for use in (open_wrapped, look_at_wrapped):
        with pytest.raises(RootLoginRefused, match="unwrapped before") as caught:
            use(transit.place, wrapping)
        assert_clean(caught.value, [wrapping, transit.secret_id])


def test_a_wrapped_secret_id_that_ended(transit: Transit) -> None:
    wrapping = wrapped_secret_id(transit, "1s")
    time.sleep(1.5)
    with pytest.raises(RootLoginRefused, match="it has ended or was unwrapped before"):
        open_wrapped(transit.place, wrapping)


def test_something_else_that_was_wrapped(transit: Transit) -> None:
    made = transit.server.admin.sys.wrap({"other": "canary"}, ttl=60)
    with pytest.raises(RootLoginRefused, match="no secret id"):
        open_wrapped(transit.place, made["wrap_info"]["token"])


def test_a_root_unwraps_its_secret_id_and_logs_in_again_with_it(transit: Transit) -> None:
    wrapping = wrapped_secret_id(transit)
    root = transit.root(
        login=AppRole(lambda: transit.role_id, lambda: wrapping, wrapped=True, mount="approle")
    )
    root.check()
    transit.server.admin.auth.token.revoke(root._tokens.current())
    root.check()


def test_a_token_file_is_read_again_when_it_changes(transit: Transit, tmp_path: Path) -> None:
    file, admin = tmp_path / "token", transit.server.admin
    tokens = [
        admin.auth.token.create(policies=[transit.role], no_default_policy=True, ttl="1h")["auth"][
            "client_token"
        ]
        for _ in range(2)
    ]
    file.write_text(tokens[0] + "\n")
    root = transit.root(login=TokenFile(file, lambda: file.read_text().strip()))
    root.check()
    draft = tmp_path / "draft"
    draft.write_text(tokens[1])
    draft.rename(file)
    root.check()
    assert root._tokens.current() == tokens[1]


@contextmanager
def token_review(good: str) -> Iterator[str]:
    """Give the URL of a Kubernetes API that knows one JWT of the service account payments/strongroom."""

    class Api(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = asked["spec"]["token"] == good
            user = {"username": "system:serviceaccount:payments:strongroom", "uid": "17", "groups": []}
            review = {
                "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": asked["spec"],
                "status": {"authenticated": True, "user": user} if known else {"authenticated": False, "error": "no"},
            }  # fmt: skip
            body = json.dumps(review).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}"
    finally:
        listening.shutdown()
        thread.join(10)
        listening.server_close()


def jwt(subject: str) -> str:
    """Return an unsigned JWT as Kubernetes lays it out; its TokenReview decides, not the signature."""
    import base64

    claims = {
        "iss": "kubernetes/serviceaccount", "sub": f"system:serviceaccount:payments:{subject}",
        "kubernetes.io/serviceaccount/namespace": "payments",
        "kubernetes.io/serviceaccount/service-account.name": subject,
        "kubernetes.io/serviceaccount/service-account.uid": "17",
    }  # fmt: skip
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)] + [b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_kubernetes(transit: Transit) -> None:
    """Vault's own Kubernetes auth method, against a stub of the one call it makes, TokenReview."""
    admin, mount = transit.server.admin, f"kubernetes-{transit.mount}"
    admin.sys.enable_auth_method("kubernetes", path=mount)
    with token_review(jwt("strongroom")) as api:
        admin.adapter.post(
            f"/v1/auth/{mount}/config",
            json={"kubernetes_host": api, "disable_local_ca_jwt": True, "token_reviewer_jwt": jwt("vault")},
        )
        admin.adapter.post(
            f"/v1/auth/{mount}/role/app",
            json={
                "bound_service_account_names": "strongroom", "bound_service_account_namespaces": "payments",
                "token_policies": [transit.role], "token_no_default_policy": True, "token_ttl": "20m",
            },
        )  # fmt: skip
        root: TransitRoot = transit.root(login=Kubernetes("app", lambda: jwt("strongroom"), mount))
        root.check()
        with pytest.raises(RootLoginRefused, match=f"auth/{mount}/login") as caught:
            transit.root(login=Kubernetes("app", lambda: jwt("other"), mount)).check()
        assert_clean(caught.value, [jwt("other")])
