"""A client's certificate as a proxy hands it on (RFC 9440), and whether it is one of those that come in.

The proxy has seen that the client holds its key and that an authority signed it. What is looked at here is whom it
names, for what and how long it is good and, where the settings name authorities, whether one of them signed it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from api.callers.refused import NotBelieved
from api.errors import SettingsError

LONGEST = 16_384  # characters of the header
LARGEST = 1_048_576  # bytes of a file of authorities

_BYTES = re.compile(r" *:([A-Za-z0-9+/]+={0,2}): *")  # a Byte Sequence (RFC 8941, section 3.3.5)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+")
_DNS = re.compile(r"dns:[a-z0-9*_-]+(\.[a-z0-9_-]+)*")
_CLIENTS = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


def read(header: str) -> x509.Certificate:
    """Return the certificate in a `Client-Cert` header (RFC 9440, section 2.2); raise NotBelieved."""
    found = _BYTES.fullmatch(header) if len(header) <= LONGEST else None
    if found is not None and len(found[1]) % 4 == 0:
        try:
            return x509.load_der_x509_certificate(base64.b64decode(found[1], validate=True))
        except (ValueError, binascii.Error, UnsupportedAlgorithm):
            pass
    raise NotBelieved("certificate_form")


def names(certificate: x509.Certificate) -> frozenset[str]:
    """Return whom a certificate names: URIs, `dns:` and DNS names in small letters, its subject (RFC 4514).

    The three never look alike: a URI that is written as one of the others is left out.

    Raises NotBelieved if it is not for clients (RFC 5280, section 4.2.1.12), or its extensions cannot be read.
    """
    try:
        subject = certificate.subject.rfc4514_string()
        found = {subject} if subject else set()
        for extension in certificate.extensions:
            if extension.oid == ExtensionOID.EXTENDED_KEY_USAGE and _CLIENTS.isdisjoint(extension.value):
                raise NotBelieved("certificate_use")
            if isinstance(extension.value, x509.SubjectAlternativeName):
                uris = extension.value.get_values_for_type(x509.UniformResourceIdentifier)
                found.update(text for text in uris if _is_uri(text))
                found.update(
                    f"dns:{name.lower()}" for name in extension.value.get_values_for_type(x509.DNSName)
                )
        return frozenset(found)
    except (ValueError, x509.DuplicateExtension, UnsupportedAlgorithm):
        pass
    raise NotBelieved("certificate_form")


def signed_by(certificate: x509.Certificate, authorities: Sequence[x509.Certificate]) -> bool:
    """Tell whether one of the authorities signed the certificate itself."""
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
            return True
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
    return False


def load_authorities(path: Path) -> list[x509.Certificate]:
    """Return the certificates in a PEM file; SettingsError if there is none."""
    try:
        with path.open("rb") as file:
            return x509.load_pem_x509_certificates(file.read(LARGEST))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except ValueError:
        reason = "holds no certificates in PEM"
    raise SettingsError(f"STRONGROOM_CALLERS_FILE: a file of authorities {reason}")


def distinguished(text: str) -> x509.Name | None:
    """Return a distinguished name (RFC 4514), None if the text is none."""
    try:
        return x509.Name.from_rfc4514_string(text) if "=" in text else None
    except ValueError:
        return None


def is_name(text: str) -> bool:
    """Whether a text may be a name as `names` gives them."""
    if text.startswith("dns:"):
        return _DNS.fullmatch(text) is not None
    return _is_uri(text) or distinguished(text) is not None


def written(text: str) -> str:
    """Return a name as `names` writes it: only subjects may be written in several ways."""
    name = None if text.startswith("dns:") or _is_uri(text) else distinguished(text)
    return text if name is None else name.rfc4514_string()


def _is_uri(text: str) -> bool:
    return _URI.fullmatch(text) is not None and not text.lower().startswith("dns:")
