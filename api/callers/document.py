"""The file of callers beside API keys (TOML): issuers of tokens, and certificates; refused with line and reason.

It holds no secret. Files that it names are beside it unless their paths are absolute. It is read as policies are, so
that reasons name the line and repeat nothing.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from api.errors import SettingsError
from vault.columns import Mode
from vault.errors import PolicyInvalid
from vault.policy.cursor import Node
from vault.policy.holders import CLAIM, ISSUER
from vault.policy.positions import lines_of

VARIABLE = "STRONGROOM_CALLERS_FILE"
LARGEST = 65_536  # bytes
MOST = 256  # entries of a kind
DEFAULT_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")

# OpenID Connect Core 1.0, section 2: https, with neither query nor fragment; in characters of RFC 3986 alone.
_ISSUER = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?")
_AT_LINE = re.compile(r" \(at line ([0-9]+), column [0-9]+\)")

Members = dict[str, Node]


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


def load(path: Path) -> Document:
    """Return what the file says; SettingsError, with line and reason, if it cannot be used."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise SettingsError(f"{VARIABLE}: the file cannot be read: {error.strerror}") from None
    return read(content, path.parent)


def read(content: bytes, folder: Path) -> Document:
    """Return what a file in `folder` says; SettingsError, with line and reason, if it cannot be used."""
    try:
        root = _parse(content).table("oidc", "certificate")
        issuers = _tables(root, "oidc")
        certificates = _tables(root, "certificate")
        document = Document(
            tuple(_issuer(one, folder) for one in issuers),
            tuple(_certificates(one, folder) for one in certificates),
        )
        _check_audiences(issuers, document.issuers)
        _check_names(certificates, document.certificates)
        return document
    except PolicyInvalid as error:
        line, reason = error.line, error.reason
    raise SettingsError(f"{VARIABLE}{f', line {line}' if line else ''}: {reason}")


def _parse(content: bytes) -> Node:
    if len(content) > LARGEST:
        raise PolicyInvalid(f"the file has more than {LARGEST:,} bytes")
    try:
        text = content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise PolicyInvalid("the file is not UTF-8") from None
    lines = lines_of(text)
    try:
        return Node(tomllib.loads(text), (), lines, "the file")
    except ValueError as error:  # TOMLDecodeError, or what int() refuses
        at = _AT_LINE.search(str(error))
        raise PolicyInvalid("this is not TOML 1.0", int(at[1]) if at else text.count("\n") + 1) from None


def _tables(root: Members, kind: str) -> list[Node]:
    found = root[kind].tables() if kind in root else []
    if len(found) > MOST:
        root[kind].refuse(f"there are at most {MOST} [[{kind}]]")
    return found


def _issuer(node: Node, folder: Path) -> Issuer:
    from api.callers.jwks import ALGORITHMS

    found = node.table(
        "issuer", "audience", "tenant", "mode", "jwks_file", "jwks_url", "ca", "algorithms", "claims", "subject_claim",
        "leeway_seconds", "longest_seconds", required=("issuer", "audience", "tenant", "mode"),
    )  # fmt: skip
    found["issuer"].matching(ISSUER, "an https address")
    issuer = found["issuer"].matching(_ISSUER, "an https address without query or fragment")
    algorithms = [one.one_of(ALGORITHMS, "algorithm") for one in _list(found, "algorithms")]
    claims = [one.matching(CLAIM, "a claim's name in printable characters") for one in _list(found, "claims")]
    if "jwks_file" in found and ("jwks_url" in found or "ca" in found):
        found["jwks_file"].refuse("jwks_file leaves nothing for jwks_url and ca to do")
    if "jwks_url" in found and not _is_https(found["jwks_url"].text()):
        found["jwks_url"].refuse("jwks_url must be an https address")
    return Issuer(
        issuer, found["audience"].text(), found["tenant"].text(), _mode(found), _path(found, "jwks_file", folder),
        _text(found, "jwks_url"), _path(found, "ca", folder), tuple(algorithms) or DEFAULT_ALGORITHMS, tuple(claims),
        _text(found, "subject_claim"), _whole(found, "leeway_seconds", 30, 0, 300),
        _whole(found, "longest_seconds", 3_600, 60, 86_400),
    )  # fmt: skip


def _certificates(node: Node, folder: Path) -> Certificates:
    from api.callers.certificate import distinguished, is_name

    found = node.table("tenant", "mode", "issuer", "ca", "names", required=("tenant", "mode", "names"))
    issuer = _text(found, "issuer")
    if issuer is not None and distinguished(issuer) is None:
        found["issuer"].refuse("issuer must be a distinguished name, such as CN=Clients,O=Shop (RFC 4514)")
    names = found["names"].words()
    for one in names:
        if not is_name(one.text()):
            one.refuse(
                f"{one.title} must be a URI, dns: and a DNS name, or a subject such as CN=settlement,O=Shop"
            )
    return Certificates(
        found["tenant"].text(), _mode(found), issuer, _path(found, "ca", folder), tuple(one.text() for one in names)
    )  # fmt: skip


def _mode(found: Members) -> Mode:
    return cast("Mode", found["mode"].one_of(("live", "test"), "mode"))


def _text(found: Members, name: str) -> str | None:
    return found[name].text() if name in found else None


def _path(found: Members, name: str, folder: Path) -> Path | None:
    return folder / found[name].text() if name in found else None


def _list(found: Members, name: str) -> list[Node]:
    return found[name].words() if name in found else []


def _whole(found: Members, name: str, default: int, low: int, high: int) -> int:
    return found[name].whole(low, high) if name in found else default


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        return False


def _check_audiences(nodes: list[Node], issuers: tuple[Issuer, ...]) -> None:
    seen = set()
    for node, one in zip(nodes, issuers, strict=True):
        if (one.issuer, one.audience) in seen:
            node.refuse("issuer and audience are those of an entry above: whose callers would they be?")
        seen.add((one.issuer, one.audience))


def _check_names(nodes: list[Node], certificates: tuple[Certificates, ...]) -> None:
    seen: dict[str, set[str | None]] = {}
    for node, one in zip(nodes, certificates, strict=True):
        for name in one.names:
            others = seen.setdefault(name, set())
            if one.issuer in others or None in others or (one.issuer is None and others):
                node.refuse("a name is in an entry above, too: whose caller would it be?")
            others.add(one.issuer)
