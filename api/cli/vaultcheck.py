"""What `doctor` finds about the root key in HashiCorp Vault: way, login, key and policy, in this order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from api.cli.failure import explain
from api.cli.findings import Finding, fail, ok, warn
from api.config import Settings
from api.roots import look_at_secret_id, open_transit
from keys.errors import KeyProblem, RootForbidden
from keys.providers.transit import Traits, TransitRoot
from keys.secret import Secret

CONTEXT = b"check"


def vault_root(settings: Settings) -> Iterator[Finding]:
    """Check the root in Vault as far as that changes nothing: a wrapped secret id is looked at, not opened."""
    if settings.vault_addr is None:
        return
    if settings.vault_secret_id_wrapped:
        look_at_secret_id(settings)
        yield warn(
            "vault", f"{settings.vault_addr} answers, and the wrapped secret id still opens",
            "login, key and policy were not checked: that would use it up, and each start needs a new one",
        )  # fmt: skip
        return
    root = open_transit(settings)
    try:
        traits = root.traits()
        yield ok("vault", f"{settings.vault_addr} answers and lets this service log in")
        yield from _key(root, traits)
        yield from _policy(root)
    finally:
        root.close()


def _key(root: TransitRoot, traits: Traits) -> Iterator[Finding]:
    where = f"{root.place.mount}/keys/{root.place.key}"
    try:
        traits.require_fit(where)
    except KeyProblem as problem:
        failure = explain(problem)
        yield fail("vault key", str(problem), getattr(failure, "hint", None) or "")
        return
    weak = {
        "exportable": traits.exportable,
        "backed up in plain": traits.plaintext_backup,
        "deleted": traits.deletion_allowed,
    }
    may = [what for what, allowed in weak.items() if allowed]
    if may:
        text = f"{where} may be {' and '.join(may)}".replace("may be exportable", "may be exported")
        hint = "deletion: `vault write KEY/config deletion_allowed=false`; what was made exportable stays so: a new key"
        yield warn("vault key", text, hint.replace("KEY", where))
    else:
        yield ok("vault key", f"{where} is derived, version {traits.latest}, and is not exported nor deleted")


def _policy(root: TransitRoot) -> Iterator[Finding]:
    """Try what can be tried without a change; turning Vault's key is not."""
    wrapped: list[bytes] = []
    probes: tuple[Callable[[], object], ...] = (
        lambda: wrapped.extend(root.wrap([Secret.random()], [CONTEXT])),
        lambda: root.unwrap(wrapped, [CONTEXT] * len(wrapped)),
        lambda: root.rewrap(wrapped, [CONTEXT] * len(wrapped)),
        root.renew,
    )
    lacking: list[str] = []
    for probe in probes:
        try:
            probe()
        except RootForbidden as problem:
            lacking.append(str(problem))
    if lacking:
        yield fail("policy", "; ".join(lacking), "docs/operations.md has the whole policy")
    else:
        yield ok("policy", "wrap, unwrap, rewrap and renew are allowed; turning Vault's key is not tried")
