"""The Transit root: columns of keys to Vault and back, one call a column."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from keys.errors import RootForbidden, RootLoginRefused, RootUnavailable, RootUnfit, UnwrapError
from keys.providers.transit.breaker import Breaker
from keys.providers.transit.calls import Answer, Line, Refused
from keys.providers.transit.deadline import within
from keys.providers.transit.login import Login
from keys.providers.transit.place import Place
from keys.providers.transit.tokens import Tokens
from keys.providers.transit.traits import Traits
from keys.secret import Secret

BUDGET_SECONDS = 1.5  # one call, logins and retries included; a column of more than BATCH takes several
BATCH = 5_000  # items a call: Vault 1.20 and later take at most 10,000 elements of a JSON array
CIPHERTEXT = re.compile(rb"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/]+={0,2}")

Item = dict[str, str]
Question = Callable[[Any], object]


class TransitRoot:
    """A derived Transit key; safe to share between threads, and to be made anew after a fork."""

    def __init__(self, place: Place, login: Login) -> None:
        """Nothing is asked yet; RootUntrusted if the authority's file cannot be read."""
        self.place, self._line, self._breaker = place, Line(place), Breaker()
        self._tokens = Tokens(self._line, login)
        self._fit = False

    @property
    def name(self) -> str:
        """`transit:` and mount and key; the address may change."""
        return self.place.name

    @within(BUDGET_SECONDS)
    def wrap(self, keys: Sequence[Secret], contexts: Sequence[bytes]) -> list[bytes]:
        """Return each key wrapped under its context by the newest version of Vault's key."""
        self._require_fit()
        items = [
            {"plaintext": _text(key.expose()), "context": _text(context)}
            for key, context in zip(keys, contexts, strict=True)
        ]
        return [text.encode() for text in self._batch("encrypt", items, "ciphertext")]

    @within(BUDGET_SECONDS)
    def unwrap(self, wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[Secret]:
        """Return the keys; raise UnwrapError if any does not open under its context."""
        self._require_fit()
        texts = self._batch("decrypt", _sealed_items(wrapped, contexts), "plaintext")
        try:
            return [Secret(base64.b64decode(text, validate=True)) for text in texts]
        except binascii.Error:
            raise UnwrapError("Vault's answer is no key") from None

    @within(BUDGET_SECONDS)
    def rewrap(self, wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[bytes]:
        """Return each key wrapped under the newest version; the plain keys stay in Vault."""
        self._require_fit()
        texts = self._batch("rewrap", _sealed_items(wrapped, contexts), "ciphertext")
        return [text.encode() for text in texts]

    def latest(self) -> int:
        """Return the newest version of Vault's key."""
        return self.traits().latest

    @within(BUDGET_SECONDS)
    def turn(self) -> int:
        """Make a new version of Vault's key and return the newest number."""
        self._ask(self._keys_path("/rotate"), "update", self._about("rotate_key"))
        return self.latest()

    def version_of(self, wrapped: bytes) -> int:
        """Return the version that a wrapped key names; UnwrapError if it is none of Vault's."""
        found = CIPHERTEXT.fullmatch(wrapped)
        if found is None:
            raise UnwrapError("a wrapped key is not in the form that Vault writes")
        return int(found[1])

    @within(BUDGET_SECONDS)
    def retire_before(self, version: int) -> None:
        """Raise Vault's min_decryption_version to `version`, never lower it; then nothing older opens or wraps.

        min_encryption_version, where it is set below, is raised with it: Vault wants it 0 or no smaller.
        """
        traits = self.traits()
        if version <= traits.opens_from:
            return
        wraps_from = {"min_encryption_version": version} if 0 < traits.wraps_from < version else {}
        for settings in (wraps_from, {"min_decryption_version": version}):
            if settings:
                self._ask(
                    self._keys_path("/config"), "update", self._about("update_key_configuration", **settings)
                )

    @within(BUDGET_SECONDS)
    def traits(self) -> Traits:
        """Return what Vault says of the key; RootUnfit if there is none."""
        return Traits.of(self._ask(self._keys_path(), "read", self._about("read_key")))

    @within(BUDGET_SECONDS)
    def check(self) -> None:
        """Wrap a throw-away key and open it again."""
        self.unwrap(self.wrap([Secret.random()], [b"check"]), [b"check"])

    def renew(self) -> None:
        """Prolong the token now, as the thread does by itself at half of its time."""
        with within(BUDGET_SECONDS), self._breaker.guard():
            self._tokens.current()
            self._tokens.renew()

    def close(self) -> None:
        """End the thread that renews the token, and the connections."""
        self._tokens.close()
        self._line.close()

    def _about(self, operation: str, **more: object) -> Question:
        place = self.place
        return lambda client: getattr(client.secrets.transit, operation)(
            place.key, mount_point=place.mount, **more
        )

    def _keys_path(self, rest: str = "") -> str:
        return f"{self.place.mount}/keys/{self.place.key}{rest}"

    def _require_fit(self) -> None:
        if not self._fit:
            self.traits().require_fit(f"{self.place.mount}/keys/{self.place.key}")
            self._fit = True

    def _batch(self, operation: str, items: list[Item], member: str) -> list[str]:
        found: list[str] = []
        path = f"{self.place.mount}/{operation}/{self.place.key}"
        for at in range(0, len(items), BATCH):
            column = items[at : at + BATCH]
            answer = self._ask(
                path, "update", self._about(f"{operation}_data", **_arguments(operation, column))
            )
            found += _members(answer, member, len(column))
        return found

    def _ask(self, path: str, capability: str, question: Question) -> Answer:
        """Ask Vault within the budget, with another token if the first is refused."""
        timeless, cause = False, None
        try:
            with within(BUDGET_SECONDS), self._breaker.guard():
                return self._asked(path, capability, question)
        except TimeoutError:
            timeless = True
        except Refused as refused:
            cause = refused
        if timeless:
            raise RootUnavailable("Vault did not answer in time")
        raise self._problem(path, cause)

    def _asked(self, path: str, capability: str, question: Question) -> Answer:
        token: str | None = self._tokens.current()
        tries, unknown = 2, False
        while token is not None and tries:
            try:
                return self._line.ask(partial(question, self._line.client(token)))
            except Refused as refused:
                if refused.status != 403:
                    raise
                unknown = refused.cause == "token"
            tries -= 1
            token = self._tokens.instead_of(token, unknown) if tries else None
        if unknown:
            raise RootLoginRefused("Vault does not know the token: it has ended or was revoked")
        raise RootForbidden(f"Vault's policy forbids {capability} on {path}")

    def _problem(self, path: str, refused: Refused | None) -> Exception:
        if refused is None:
            return RootUnavailable("Vault gave no answer")
        if refused.cause == "item":
            return UnwrapError("a wrapped key does not open under this root and context")
        if refused.cause == "no key" or refused.status == 404:
            return RootUnfit(f"Vault has no key {self._keys_path()}")
        return RootUnavailable(f"Vault refuses {path} ({refused.status})")


def _arguments(operation: str, column: list[Item]) -> dict[str, Any]:
    more = (
        {"ciphertext": ""} if operation == "rewrap" else {}
    )  # hvac asks for it, Vault ignores it in a batch
    return {"batch_input": column, **more}


def _members(answer: Answer, member: str, count: int) -> list[str]:
    data = (answer or {}).get("data")
    results = data.get("batch_results") if isinstance(data, dict) else None
    if not isinstance(results, list) or len(results) != count:
        raise RootUnavailable("Vault's answer cannot be read")
    found = [result.get(member) for result in results if isinstance(result, dict)]
    texts = [text for text in found if isinstance(text, str) and text]
    if len(texts) != count:
        raise UnwrapError("a wrapped key does not open under this root and context")
    return texts


def _sealed_items(wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[Item]:
    if not all(CIPHERTEXT.fullmatch(blob) for blob in wrapped):
        raise UnwrapError("a wrapped key is not in the form that Vault writes")
    return [
        {"ciphertext": blob.decode(), "context": _text(context)}
        for blob, context in zip(wrapped, contexts, strict=True)
    ]


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
