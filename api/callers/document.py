"""The file of callers beside API keys (TOML): issuers of tokens, and certificates; refused with line and reason.

It holds no secret. Files that it names are beside it unless their paths are absolute.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from api.errors import SettingsError
from vault.columns import Mode

VARIABLE = "STRONGROOM_CALLERS_FILE"
LARGEST = 65_536  # bytes
MOST = 256  # entries of a kind
LONGEST = 512  # characters of a text
DEFAULT_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")

_HEADER = re.compile(r"\s*\[\[\s*([a-z]+)\s*\]\]")
_ISSUER = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?")
_SYNTAX = re.compile(r"(.*) \(at line (\d+), column \d+\)")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues tokens, for whom, and what of them is looked at.

    Attributes:
        issuer, audience: exactly as tokens have them.
        tenant, mode: whose callers these are.
        file, url, ca: where the keys are; neither file nor url: where the issuer's configuration says.
        claims: those that the policy may look at.
        subject_claim: the one that holds the person a caller acts for; None if callers act for nobody.
        leeway: seconds that clocks may differ.
        longest: seconds that a token may be good for.
    """

    issuer: str
    audience: str
    tenant: str
    mode: Mode
    file: Path | None
    url: str | None
    ca: Path | None
    algorithms: tuple[str, ...]
    claims: tuple[str, ...]
    subject_claim: str | None
    leeway: int
    longest: int


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certificates that come in.

    Attributes:
        issuer: the issuer's distinguished name (RFC 4514); None for any that the proxy trusts.
        authorities: PEM file of the authorities that must have signed them themselves; None to leave that to the proxy.
        names: URIs as they are, DNS names behind `dns:`, or subjects (RFC 4514); a certificate has one of them.
    """

    tenant: str
    mode: Mode
    issuer: str | None
    authorities: Path | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What the file says."""

    issuers: tuple[Issuer, ...] = ()
    certificates: tuple[Certificates, ...] = ()


@dataclass(slots=True)
class _Entry:
    """One table of the file; what is taken out of it is known."""

    values: dict[str, Any]
    line: int  # of its header; 0 if that cannot be told
    lines: dict[str, int] = field(default_factory=dict)

    def fail(self, name: str, reason: str) -> SettingsError:
        return _error(f"{name} {reason}" if name else reason, self.lines.get(name, self.line))

    def text(self, name: str, default: str | None = None) -> str:
        found = self.values.pop(name, default)
        if not isinstance(found, str) or not 0 < len(found) <= LONGEST or not found.isprintable():
            raise self.fail(name, f"must be a text of 1 to {LONGEST} characters that can be printed")
        return found

    def maybe(self, name: str) -> str | None:
        return self.text(name) if name in self.values else None

    def path(self, name: str, folder: Path) -> Path | None:
        found = self.maybe(name)
        return None if found is None else folder / found

    def texts(self, name: str, default: Iterable[str] | None = None) -> tuple[str, ...]:
        found = self.values.pop(name, None if default is None else list(default))
        if not isinstance(found, list) or not all(
            isinstance(one, str) and one.isprintable() for one in found
        ):
            raise self.fail(name, "must be a list of texts that can be printed")
        if len(set(found)) != len(found) or not all(0 < len(one) <= LONGEST for one in found):
            raise self.fail(name, f"must be different texts of 1 to {LONGEST} characters")
        return tuple(found)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        found = self.values.pop(name, default)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise self.fail(name, f"must be a whole number from {least:,} to {most:,}")
        return found

    def mode(self) -> Mode:
        found = self.text("mode")
        if found not in ("live", "test"):
            raise self.fail("mode", 'must be "live" or "test"')
        return cast("Mode", found)

    def end(self) -> None:
        for name in self.values:
            raise self.fail(name if name.isprintable() else "", "is none of the names that may be here")


def load(path: Path) -> Document:
    """Return what the file says; SettingsError, with line and reason, if it cannot be used."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise _error(f"the file cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise _error(f"the file has more than {LARGEST:,} bytes")
    return read(content, path.parent)


def read(content: bytes, folder: Path) -> Document:
    """Return what a file in `folder` says; SettingsError, with line and reason, if it cannot be used."""
    text, values = _parsed(content)
    for name in values.keys() - {"oidc", "certificate"}:
        raise _error(f"{name if name.isprintable() else 'a name'} is neither [[oidc]] nor [[certificate]]")
    issuers = [(entry, _issuer(entry, folder)) for entry in _entries(text, values, "oidc")]
    certificates = [(entry, _certificates(entry, folder)) for entry in _entries(text, values, "certificate")]
    _check_different(issuers)
    _check_names(certificates)
    return Document(tuple(one for _, one in issuers), tuple(one for _, one in certificates))


def _parsed(content: bytes) -> tuple[str, dict[str, Any]]:
    try:
        text = content.decode("utf-8")
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:  # its text may repeat a key of the file, which holds no secret
        found = _SYNTAX.fullmatch(str(error))
        problem, line = (found[1], int(found[2])) if found else (str(error), 0)
    except UnicodeDecodeError:
        problem, line = "the file is not UTF-8", 0
    except RecursionError:
        problem, line = "the file is nested too deep", 0
    raise _error(problem, line)


def _entries(text: str, values: dict[str, Any], kind: str) -> list[_Entry]:
    """Return the tables of a kind with their lines, which tomllib does not say."""
    tables = values.get(kind, [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise _error(f"{kind} must be tables: [[{kind}]]")
    if len(tables) > MOST:
        raise _error(f"there are more than {MOST} [[{kind}]]")
    found: list[_Entry] = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            inside = header[1] == kind
            if inside:
                found.append(_Entry({}, number))
        elif inside and (key := re.match(r"\s*\"?([A-Za-z0-9_-]+)\"?\s*=", line)):
            found[-1].lines.setdefault(key[1], number)
    if len(found) != len(tables):  # written in another way, or something in a text looks like a header
        found = [_Entry({}, 0) for _ in tables]
    for entry, table in zip(found, tables, strict=True):
        entry.values = table
    return found


def _issuer(entry: _Entry, folder: Path) -> Issuer:
    from api.callers.jwks import ALGORITHMS

    issuer = entry.text("issuer")
    if not _ISSUER.fullmatch(issuer):
        raise entry.fail("issuer", "must be an https address without query or fragment")
    algorithms = entry.texts("algorithms", DEFAULT_ALGORITHMS)
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        raise entry.fail("algorithms", f"must be of {', '.join(ALGORITHMS)}")
    made = Issuer(
        issuer, entry.text("audience"), entry.text("tenant"), entry.mode(),
        entry.path("jwks_file", folder), entry.maybe("jwks_url"), entry.path("ca", folder), algorithms,
        entry.texts("claims", ()), entry.maybe("subject_claim"),
        entry.number("leeway_seconds", 30, 0, 300), entry.number("longest_seconds", 3_600, 60, 86_400),
    )  # fmt: skip
    entry.end()
    if made.file is not None and (made.url is not None or made.ca is not None):
        raise entry.fail("jwks_file", "leaves nothing for jwks_url and ca to do")
    if made.url is not None and not _is_https(made.url):
        raise entry.fail("jwks_url", "must be an https address")
    return made


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        return False


def _certificates(entry: _Entry, folder: Path) -> Certificates:
    from api.callers.certificate import distinguished, is_name

    made = Certificates(
        entry.text("tenant"), entry.mode(), entry.maybe("issuer"), entry.path("ca", folder), entry.texts("names")
    )  # fmt: skip
    entry.end()
    if made.issuer is not None and distinguished(made.issuer) is None:
        raise entry.fail("issuer", "must be a distinguished name, such as CN=Clients,O=Shop (RFC 4514)")
    if not made.names or not all(map(is_name, made.names)):
        raise entry.fail(
            "names", "must be URIs, dns: and a DNS name, or subjects such as CN=settlement,O=Shop"
        )
    return made


def _check_different(issuers: list[tuple[_Entry, Issuer]]) -> None:
    seen = set()
    for entry, one in issuers:
        if (one.issuer, one.audience) in seen:
            raise entry.fail(
                "audience", "is that of another entry of this issuer: whose callers would they be?"
            )
        seen.add((one.issuer, one.audience))


def _check_names(certificates: list[tuple[_Entry, Certificates]]) -> None:
    seen: dict[str, set[str | None]] = {}
    for entry, one in certificates:
        for name in one.names:
            others = seen.setdefault(name, set())
            if one.issuer in others or None in others or (one.issuer is None and others):
                raise entry.fail("names", "holds one of another entry: whose caller would it be?")
            others.add(one.issuer)


def _error(reason: str, line: int = 0) -> SettingsError:
    return SettingsError(f"{VARIABLE}{f', line {line}' if line else ''}: {reason}")
