"""The root key in a real Vault, under a running service: moved there and back, turned, and away for a while."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.scenarios import records
from tests.scenarios.caller import Caller, calling
from tests.scenarios.custodian import custody
from tests.scenarios.ledger import Ledger
from tests.scenarios.load import Load
from tests.service import NO_HASHER, Service, running
from tests.vault_server import Transit, VaultServer, fresh_transit
from tests.waiting import until

LEASE = 8.0  # seconds
REFUSES_IN = 2.0  # seconds, as issue and docs promise
BACK_IN = 10.0


def environment(folder: Path, transit: Transit) -> dict[str, str]:
    """Return the settings of a service that has both roots."""
    secret = folder / "secret-id"
    secret.write_text(transit.secret_id)
    return {
        "STRONGROOM_VAULT_ADDR": transit.server.url,
        "STRONGROOM_VAULT_CA": str(transit.server.ca),
        "STRONGROOM_VAULT_MOUNT": transit.mount,
        "STRONGROOM_VAULT_ROLE_ID": transit.role_id,
        "STRONGROOM_VAULT_SECRET_ID_FILE": str(secret),
        "STRONGROOM_MAINTENANCE_SECONDS": "1",
        "STRONGROOM_LOG_LEVEL": "error",
        **NO_HASHER,
    }


@pytest.fixture
def served(tmp_path: Path, transit: Transit) -> Iterator[Service]:
    """A service under its local root, to which a root in Vault is known."""
    with running(tmp_path, f"sqlite:///{tmp_path}/vault.db", **environment(tmp_path, transit)) as service:
        yield service


def roots_of(service: Service) -> set[str]:
    return {row[0] for row in records.rows(service.database_url, "SELECT DISTINCT root FROM key_version")}


def move(service: Service, to: str) -> None:
    with custody(service) as custodian:
        custodian.ended(custodian.vault.move_root(custodian.actor, to).id)
    assert roots_of(service) == {to}


def test_a_running_service_moves_to_vault_and_back(served: Service, transit: Transit) -> None:
    """Without a restart, and without a request that hears a no."""
    (local,) = roots_of(served)
    ledger = Ledger()
    load = Load(served.port, served.keys["live"], ledger, 3, threads=3, pause=0.02)
    load.start()
    until(lambda: len(ledger.operations) > 20)
    move(served, transit.place.name)
    done = len(ledger.operations)
    until(lambda: len(ledger.operations) > done + 20)
    with custody(served) as custodian:  # a version that is made now is Vault's, too
        custodian.ended(custodian.start("seal"))
    assert roots_of(served) == {transit.place.name}
    move(served, local)
    done = len(ledger.operations)
    until(lambda: len(ledger.operations) > done + 20)
    load.stop()
    assert load.failures == []
    ledger.check(served)
    assert served.stop() == 0
    for name in [name for name in served.settings if "VAULT" in name]:
        del served.settings[name]
    served.start()  # on the key file alone
    ledger.check(served)


def test_vaults_own_key_turns_under_load(served: Service, transit: Transit) -> None:
    move(served, transit.place.name)
    ledger = Ledger()
    load = Load(served.port, served.keys["live"], ledger, 4, threads=3, pause=0.02)
    load.start()
    until(lambda: len(ledger.operations) > 20)
    with custody(served) as custodian:
        custodian.ended(custodian.vault.rotate_root(custodian.actor, transit.place.name).id)
    load.stop()
    assert load.failures == []
    traits = transit.root().traits()
    assert (traits.latest, traits.opens_from) == (2, 2)
    wrapped = [row[0] for row in records.rows(served.database_url, "SELECT wrapped FROM key_version")]
    assert {bytes(blob)[:9] for blob in wrapped} == {b"vault:v2:"}
    assert served.stop() == 0
    (served.folder / "root.key").rename(served.folder / "kept elsewhere")
    served.start()  # on Vault alone
    ledger.check(served)


@pytest.fixture
def away(tmp_path: Path, own_vault: VaultServer) -> Iterator[tuple[Service, VaultServer]]:
    """A service whose only root is in a Vault that the test may harm; plain keys are kept for eight seconds."""
    settings = environment(tmp_path, fresh_transit(own_vault)) | {"STRONGROOM_LEASE_SECONDS": str(LEASE)}
    with running(tmp_path, f"sqlite:///{tmp_path}/data.db", **settings) as service:
        move(service, "transit:" + settings["STRONGROOM_VAULT_MOUNT"] + "/strongroom")
        service.stop()
        (tmp_path / "root.key").rename(tmp_path / "kept elsewhere")
        service.start()
        yield service, own_vault


def sealed(vault: VaultServer) -> Callable[[], None]:
    vault.seal()
    return vault.unseal


def frozen(vault: VaultServer) -> Callable[[], None]:
    vault.freeze()
    return vault.thaw


def killed(vault: VaultServer) -> Callable[[], None]:
    vault.kill()
    return vault.start


@pytest.mark.parametrize("harm", [sealed, frozen, killed])
def test_vault_is_away(
    away: tuple[Service, VaultServer], harm: Callable[[VaultServer], Callable[[], None]]
) -> None:
    """Values come and go until the lease ends and not a second longer; refusals are quick; then all is as before."""
    service, vault = away
    with calling(service) as caller:
        token = caller.token("phone", "+8613800138000")
        watcher = Watcher(service, token)
        watcher.start()
        until(lambda: watcher.good > 10)
        mend, began = harm(vault), time.monotonic()
        until(lambda: readiness(service) == (200, "held"))
        until(lambda: watcher.refused > 10)
        assert readiness(service)[0] == 503
        kept = watcher.last_good - began
        assert LEASE / 2 - REFUSES_IN < kept < LEASE + 1
        assert watcher.codes <= {"root_unavailable"}
        assert watcher.slowest_no < REFUSES_IN + 1  # a busy machine's second
        mend()
        back, before = time.monotonic(), watcher.good
        until(lambda: watcher.good > before + 10)
        assert watcher.first_good_after(back) - back < BACK_IN
        until(lambda: readiness(service) == (200, "ok"))
        watcher.stop()
        ask = {"tokens": [token], "purpose": "service", "view": "plain"}
        until(lambda: caller.post("/v1/reveal", ask).status == 200, BACK_IN)  # of the other worker, too
        assert caller.plain([token]) == ["+8613800138000"]


class Watcher(Thread):
    """Reveals and tokenizes again and again, and keeps when it heard which answer."""

    def __init__(self, service: Service, token: str) -> None:
        super().__init__(daemon=True)
        self._service, self._token, self._ending = service, token, Event()
        self._heard: list[tuple[float, float, str]] = []  # when asked, how long it took, the code or ""

    @property
    def good(self) -> int:
        return sum(not code for _, _, code in self._heard)

    @property
    def refused(self) -> int:
        return sum(bool(code) for _, _, code in self._heard)

    @property
    def codes(self) -> set[str]:
        return {code for _, _, code in self._heard if code}

    @property
    def last_good(self) -> float:
        """When the last good answer so far came."""
        return max(at + took for at, took, code in self._heard if not code)

    @property
    def slowest_no(self) -> float:
        return max(took for _, took, code in self._heard if code)

    def first_good_after(self, moment: float) -> float:
        return min(at + took for at, took, code in self._heard if not code and at + took > moment)

    def run(self) -> None:
        asks = (
            ("/v1/reveal", {"tokens": [self._token], "purpose": "service"}),
            ("/v1/tokens", {"field": "phone", "value": "+8613800138001"}),
        )
        with closing(Caller(self._service.port, self._service.keys["live"])) as caller:
            while not self._ending.wait(0.02):
                for path, body in asks:
                    at = time.monotonic()
                    answer = caller.post(path, body)
                    code = "" if answer.status in {200, 201} else str(answer.body["code"])
                    self._heard.append((at, time.monotonic() - at, code))

    def stop(self) -> None:
        self._ending.set()
        self.join(60)
        assert not self.is_alive()


def readiness(service: Service) -> tuple[int, str]:
    """Return status and what is said of the keys."""
    with closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)) as connection:
        connection.request("GET", "/readyz")
        reply = connection.getresponse()
        return reply.status, str(json.loads(reply.read())["checks"]["keys"])
