"""Requests as somebody writes them who wants a line in the log or the audit that nobody wrote: raw bytes, by a seed.

Every one carries a canary, in a text that ends lines, opens JSON, turns the direction of writing or moves a cursor.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from tests.api.callers.issuing import AUDIENCE, ISSUER, base64url, token

CANARY = "canary8642"
LINE = f'{{"event":"request","level":"info","key":"key_{CANARY}","status":200}}'
TEXTS = (
    f"\r\n{LINE}\r\n", f"\n{LINE}\n", f"\r{CANARY}", f"\x00{CANARY}", f"\x1b[2K\x1b[1A{CANARY}",
    f"\u202e{CANARY}\u2066", f"\u2028{LINE}\u2029", f"\x85{LINE}", f"\x0b\x0c{CANARY}", f'"}}\n{LINE}',
    f'","key":"{CANARY}', f"\\n{LINE}\\r\\n",
    f"\\u000a{LINE}", f"%0a{quote(LINE)}%0d%0a", f"%250a{CANARY}", f"${{jndi:ldap://{CANARY}}}", f"%s%n%x{CANARY}",
    f"{CANARY}\ufeff\u200b", f"\U0001f600{CANARY}\U000e0041", f"{{{CANARY}}}", f"\x7f\x08\x08{CANARY}", f"<{CANARY}>",
    f"' OR 1=1 --{CANARY}", f"{CANARY}" * 40,
)  # fmt: skip
PLACES = (
    "/v1/tokens", "/v1/tokens/column", "/v1/tokens/items", "/v1/reveal", "/v1/find", "/v1/tokens/describe",
    "/v1/tokens/delete", "/v1/passwords/verify", "/v1/apikeys", "/v1/logins/list",
)  # fmt: skip
HEADERS = (
    "X-Request-Id", "User-Agent", "X-Forwarded-For", "Forwarded", "Approval", "Idempotency-Key", "Content-Type", "Host",
    "Client-Cert", "Client_Cert", "Client-Cert-Chain", "Referer", "Cookie", "X-Forwarded-Host", "Accept", "Expect",
)  # fmt: skip
SUBJECTS = (
    "guest\n{}", "guest\r\nroot", "\u202etseug", "guest\x1b[2J", "guest\x00", 'guest"}', "guest\u2028", "g" * 255,
)  # fmt: skip
MEMBERS = (
    "field", "value", "values", "tokens", "purpose", "view", "subject", "scope", "source", "metadata", "name", "case",
)  # fmt: skip


@dataclass(slots=True)
class Attacker:
    """Makes requests; the same seed makes the same ones.

    Attributes:
        key: a good API key, which some of them carry.
        now: seconds since 1970, for tokens that are good.
    """

    seed: int
    key: str
    now: float

    def requests(self, count: int) -> Iterator[bytes]:
        """Yield requests, each for a connection of its own."""
        draw = random.Random(self.seed)
        ways = (
            self._header,
            self._path,
            self._query,
            self._line,
            self._body,
            self._bearer,
            self._signed,
            self._claims,
        )
        for at in range(count):
            yield ways[at % len(ways)](draw)

    def _header(self, draw: random.Random) -> bytes:
        name, text = draw.choice(HEADERS), draw.choice(TEXTS)
        form: Callable[[str], str] = {"Forwarded": 'for="{}"'.format, "Client-Cert": ":{}:".format}.get(
            name, str
        )
        return self._ask("GET", "/v1/fields", {name: form(text), **self._known(draw)})

    def _path(self, draw: random.Random) -> bytes:
        text = draw.choice(TEXTS)
        shown = draw.choice((quote(text), quote(text, safe=""), text.replace(" ", "+")))
        places = ("/{}", "/v1/{}", "/v1/tokens/{}", "/v1/subjects/{}/tokens", "/v1/apikeys/{}/rotate", "//{}")
        place = draw.choice(places)
        return self._ask(
            draw.choice(("GET", "POST", "DELETE", "PUT")), place.format(shown), self._known(draw)
        )

    def _query(self, draw: random.Random) -> bytes:
        name, text = (
            draw.choice(("field", "cursor", "limit", quote(draw.choice(TEXTS)))),
            quote(draw.choice(TEXTS)),
        )
        return self._ask("GET", f"/v1/tokens?{name}={text}", self._known(draw))

    def _line(self, draw: random.Random) -> bytes:
        text = draw.choice(TEXTS)
        forms = ("GET /{0} HTTP/1.1", "{0} / HTTP/1.1", "GET / {0}", "{0}", "{0} {0} {0}")
        line = draw.choice(forms).replace("{0}", text)
        return f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode("utf-8", "surrogatepass")

    def _body(self, draw: random.Random) -> bytes:
        said: dict[str, object] = {"field": "phone", "purpose": "service"}
        for name in draw.sample(MEMBERS, 3):
            text = draw.choice(TEXTS)
            said[name] = (
                [text] if name in {"values", "tokens"} else {text: text} if name == "metadata" else text
            )
        body = json.dumps(said, ensure_ascii=draw.random() < 0.5).encode()
        if draw.random() < 0.2:
            body = draw.choice(TEXTS).encode() + body
        return self._ask("POST", draw.choice(PLACES), {"Authorization": f"Bearer {self.key}"}, body)

    def _bearer(self, draw: random.Random) -> bytes:
        text = draw.choice(TEXTS)
        shown = draw.choice(
            (f"Bearer {text}", f"Bearer sr_live_{text}", f"Basic {text}", f"Bearer a.b.{text}", text)
        )
        return self._ask("GET", "/v1/fields", {"Authorization": shown})

    def _signed(self, draw: random.Random) -> bytes:
        """A token that is not one, with texts in its parts."""
        header = {
            "alg": draw.choice(("ES256", "none", "HS256", draw.choice(TEXTS))),
            "kid": draw.choice(TEXTS),
        }
        claims = {
            "iss": draw.choice((ISSUER, draw.choice(TEXTS))),
            "aud": draw.choice((AUDIENCE, draw.choice(TEXTS))),
        }
        parts = [
            base64url(json.dumps(part).encode()) for part in (header, {**claims, "sub": draw.choice(TEXTS)})
        ]
        return self._ask("GET", "/v1/fields", {"Authorization": f"Bearer {'.'.join(parts)}.c2ln"})

    def _claims(self, draw: random.Random) -> bytes:
        """A token that the issuer signed: its subject names the caller, all else in it is for the policy alone."""
        said = {
            "groups": [draw.choice(TEXTS), draw.choice(TEXTS)],
            "jti": draw.choice(TEXTS),
            draw.choice(TEXTS): 1,
        }
        bad = draw.choice(({}, {}, {"exp": draw.choice(TEXTS)}, {"sub": None}, {"aud": draw.choice(TEXTS)}))
        times = {"iat": self.now - 1, "exp": self.now + 600, "sub": draw.choice(SUBJECTS)}
        signed = token("ES256", {}, **{**said, **times, **bad})
        return self._ask("GET", "/v1/fields", {"Authorization": f"Bearer {signed}"})

    def _known(self, draw: random.Random) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if draw.random() < 0.7 else {}

    def _ask(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
        known = {"Host": "x", "Connection": "close", "Content-Type": "application/json", **headers}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {text}" for name, text in known.items())]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass") + body
