"""The check of `doctor` on callers beside API keys: their file, the keys of every issuer, what certificates need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from api.cli.findings import Finding, fail, ok, warn
from api.config import Settings

if TYPE_CHECKING:
    from api.callers.document import Issuer


def callers(settings: Settings) -> Iterator[Finding]:
    """Tell whether the file can be used, and whether every issuer gives keys now; nothing without a file."""
    if settings.callers_file is None:
        return
    from api.callers import document
    from api.callers.certificate import load_authorities

    found = document.load(settings.callers_file)
    for one in found.certificates:
        if one.authorities is not None:
            load_authorities(one.authorities)
    text = f"{settings.callers_file}: {len(found.issuers)} issuers, {len(found.certificates)} entries of certificates"
    if found.certificates and not settings.client_certificates:
        yield warn("callers", f"{text}, which are not believed", "set STRONGROOM_CLIENT_CERTIFICATES=true")
    else:
        yield ok("callers", text)
    for issuer in found.issuers:
        yield _keys(issuer)


def _keys(issuer: Issuer) -> Finding:
    """Tell whether an issuer's keys can be had, and verify by the algorithms that tokens may have."""
    from api.callers import jwks
    from api.callers.directory import open_source
    from api.callers.fetching import NotFetched

    where = f"{issuer.issuer}, audience {issuer.audience}"
    try:
        keys = jwks.read(open_source(issuer).fetch(), issuer.algorithms)
    except NotFetched as error:
        hint = "callers with its tokens get in for a day with the keys fetched before: see that it answers"
        return fail("issuer", f"{where}: {error}", hint)
    except ValueError:
        return fail("issuer", f"{where}: what it publishes is no JWK Set", "see jwks_url or jwks_file")
    fit = sorted({name for one in keys.keys for name in one.algorithms})
    if not keys.keys:
        return fail(
            "issuer", f"{where}: none of its keys can be used", "see `algorithms`: do they fit its keys?"
        )
    text = f"{where}: {len(keys.keys)} keys for {', '.join(fit)}"
    if keys.passed_over:
        hint = "keys are passed over that are for other uses or algorithms, too short, or private"
        return warn("issuer", f"{text}; {keys.passed_over} cannot be used", hint)
    return ok("issuer", text)
