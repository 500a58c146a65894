"""The live service as a drill sees it, asked in this process: the shop's own vault, with what an API key may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.vault.audit.sealed import sealer
from tests.vault.conftest import Shop
from vault.audit import checkpoints, notes
from vault.audit.answers import Query
from vault.errors import UnknownToken
from vault.recovery.checks.live import Listed


@dataclass(slots=True)
class Beside:
    """A `checks.live.Live` over a shop."""

    shop: Shop
    owner: bytes

    def tenant(self) -> int | None:
        return self.shop.actor.tenant

    def fingerprints(self, tokens: Sequence[str], field: str | None) -> list[str | None]:
        found = self.shop.vault.reveal(self.shop.actor, tokens, "audit", "fingerprint", field)
        assert all(isinstance(error, UnknownToken) for error in found.errors.values())
        return found.values

    def listed(self, most: int) -> list[Listed]:
        page = self.shop.vault.list_tokens(self.shop.actor, limit=most)
        return [Listed(one.token, one.field, int(one.created_at * 1e6)) for one in page.tokens]

    def removed(self, token: str, field: str | None, since: int) -> bool:
        sealer(self.shop.resources).run_once()
        asked = Query(token=token, field=field, since=since / 1e6)
        found = self.shop.vault.audit.records(self.shop.actor, asked).records
        return any(one.record.operation in ("delete", "erase", "expire") for one in found)

    def log(self) -> tuple[int, int]:
        sealer(self.shop.resources).run_once()
        status = self.shop.vault.audit.status(self.shop.actor)
        return status.log, status.size

    def root(self, size: int) -> bytes:
        note = self.shop.vault.audit.checkpoint(self.shop.actor, size=size)
        return checkpoints.read(notes.parse(note).text).root

    def consistency(self, first: int, second: int) -> list[bytes]:
        return list(self.shop.vault.audit.consistency(self.shop.actor, None, first, second).proof)
