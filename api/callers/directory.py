"""Whom the file of callers lets in: from a token or certificate to a caller, with what the policy grants its roles."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from api.callers import names, token
from api.callers.caller import NOTHING, Caller
from api.callers.document import Certificates, Document, Issuer
from api.callers.refused import NotBelieved
from vault.columns import Mode
from vault.policy.model import claim_of
from vault.rights import CERTIFICATE

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from api.callers.fetching import Source
    from api.callers.issuerkeys import IssuerKeys

FILE_SECONDS = 10.0  # after which a key set in a file is read anew

FindTenant = Callable[[str, Mode], int | None]
Granted = Callable[[Caller], frozenset[str]]


class Directory:
    """The callers beside API keys."""

    def __init__(
        self,
        document: Document,
        find_tenant: FindTenant,
        granted: Granted,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the files that the document names, and ask nobody.

        Args:
            find_tenant: the id of the tenant that a business has for a mode.
            granted: the operations that the policy grants a caller that has none of its own.
        """
        self._find_tenant, self._granted = find_tenant, granted
        self._issuers = {
            (one.issuer, one.audience): (one, open_keys(one, monotonic)) for one in document.issuers
        }
        self._certificates = [_Listed(one) for one in document.certificates]
        self._tenants: dict[tuple[str, Mode], int] = {}

    def warm(self) -> None:
        """Have the issuers' keys fetched, before the first token comes."""
        for _, keys in self._issuers.values():
            keys.warm()

    def by_token(self, text: str) -> Caller:
        """Return whom a token names, good now or not.

        Raises:
            NotBelieved: it is none, none of ours, or nobody of ours signed it.
            IssuerUnavailable: that cannot be told now.
        """
        read = token.read(text)
        issuer, keys = self._issuer(read)
        token.verify(read, keys.find(read.key_id, read.algorithm))
        caller = _named(issuer, read, self._tenant(issuer.tenant, issuer.mode))
        return replace(caller, operations=self._granted(caller))

    def by_certificate(self, header: str) -> Caller:
        """Return whom a `Client-Cert` header names, good now or not; raise NotBelieved."""
        from api.callers import certificate

        shown = certificate.read(header)
        named = certificate.names(shown)
        for listed in self._certificates:
            if found := listed.of(shown, named):
                tenant = self._tenant(listed.entry.tenant, listed.entry.mode)
                caller = Caller(
                    tenant, listed.entry.mode, names.of_certificate(found[0]), NOTHING, kind="certificate",
                    claims=frozenset((CERTIFICATE, names.plain(name)) for name in found),
                    since=shown.not_valid_before_utc.timestamp(),
                    until=shown.not_valid_after_utc.timestamp() + 1,  # RFC 5280, 4.1.2.5: its last second included
                )  # fmt: skip
                return replace(caller, operations=self._granted(caller))
        raise NotBelieved("certificate_unknown")

    def _issuer(self, read: token.Token) -> tuple[Issuer, IssuerKeys]:
        issuer = read.claims.get("iss")
        if not isinstance(issuer, str):
            raise NotBelieved("token_issuer")
        wanted = dict.fromkeys(token.audiences(read.claims))
        found = [self._issuers[issuer, one] for one in wanted if (issuer, one) in self._issuers]
        if len(found) != 1:  # none of ours, or of two tenants of ours
            known = any(issuer == one for one, _ in self._issuers)
            raise NotBelieved("token_audience" if known else "token_issuer")
        if read.algorithm not in found[0][0].algorithms:
            raise NotBelieved("token_algorithm")
        return found[0]

    def _tenant(self, business: str, mode: Mode) -> int:
        found = self._tenants.get((business, mode)) or self._find_tenant(business, mode)
        if found is None:
            raise NotBelieved("tenant_unknown")
        self._tenants[business, mode] = found
        return found


class _Listed:
    """An entry of certificates, its files read and its names as certificates have them."""

    def __init__(self, entry: Certificates) -> None:
        from api.callers import certificate

        self.entry = entry
        self._issuer = None if entry.issuer is None else certificate.distinguished(entry.issuer)
        self._authorities = None
        if entry.authorities is not None:
            self._authorities = certificate.load_authorities(entry.authorities)
        self._names = [certificate.written(name) for name in entry.names]

    def of(self, shown: Certificate, named: frozenset[str]) -> list[str]:
        """Return those of the entry's names that a certificate has; none if it is not of the entry."""
        from api.callers import certificate

        found = [name for name in self._names if name in named]
        if not found or (self._issuer is not None and shown.issuer != self._issuer):
            return []
        if self._authorities is not None and not certificate.signed_by(shown, self._authorities):
            raise NotBelieved("certificate_signature")
        return found


def open_keys(issuer: Issuer, monotonic: Callable[[], float]) -> IssuerKeys:
    """Return the keys of an issuer, not fetched yet."""
    from api.callers.issuerkeys import FRESH_SECONDS, IssuerKeys

    fresh = FRESH_SECONDS if issuer.file is None else FILE_SECONDS
    return IssuerKeys(open_source(issuer), issuer.algorithms, monotonic, fresh)


def open_source(issuer: Issuer) -> Source:
    """Return where an issuer's keys come from."""
    from api.callers.fetching import File, Web

    return Web(issuer.issuer, issuer.url, issuer.ca) if issuer.file is None else File(issuer.file)


def _named(issuer: Issuer, read: token.Token, tenant: int) -> Caller:
    """Return whom a verified token names."""
    claims = read.claims
    if "cnf" in claims:  # RFC 7800: good only together with a proof that is not looked at here
        raise NotBelieved("token_bound")
    name, subject = _name(issuer, claims.get("sub")), None
    if issuer.subject_claim is not None:
        subject = _person(claims.get(issuer.subject_claim))
    since, until, why = _times(issuer, claims)
    said = frozenset(
        (claim_of(issuer.issuer, claim), value) for claim in issuer.claims for value in token.texts(claims.get(claim))
    )  # fmt: skip
    return Caller(
        tenant, issuer.mode, name, NOTHING, kind="oidc", claims=said, subject=subject, since=since, until=until,
        why=why,
    )  # fmt: skip


def _name(issuer: Issuer, subject: object) -> str:
    if isinstance(subject, str) and 0 < len(subject) <= token.LONGEST_SUBJECT:
        try:
            return names.of_token(issuer.issuer, subject)
        except UnicodeEncodeError:  # half a surrogate pair
            pass
    raise NotBelieved("token_subject")


def _person(value: object) -> str:
    """Return the person a caller acts for; a token that does not say is not good for one who acts for somebody."""
    found = token.texts(value)
    if isinstance(value, bool | list) or len(found) != 1 or not found[0]:
        raise NotBelieved("token_person")
    try:
        found[0].encode()
        return found[0]
    except UnicodeEncodeError:
        pass
    raise NotBelieved("token_person")


def _times(issuer: Issuer, claims: dict[str, object]) -> tuple[float, float, str]:
    """Return from when until when a token is good, and what is wrong with that."""
    issued, end = token.moment(claims, "iat"), token.moment(claims, "exp")
    begin = token.moment(claims, "nbf")
    if issued is None or end is None:
        raise NotBelieved("token_times")
    since = max(issued, -inf if begin is None else begin) - issuer.leeway
    return since, end + issuer.leeway, "token_lifetime" if end - issued > issuer.longest else ""
