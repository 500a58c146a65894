"""Certificates of clients for tests: from an authority of their own, good and bad."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

SETTLEMENT = "spiffe://shop/settlement"
NOW = datetime.fromtimestamp(1_800_000_000, UTC)
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)


class Authority:
    """An authority that signs what it is told to."""

    def __init__(self, name: str = "CN=Clients,O=Shop") -> None:
        self.name, self.key = x509.Name.from_rfc4514_string(name), ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.sign(name, issuer=self.name, key=self.key.public_key())

    def sign(
        self,
        subject: str = "CN=settlement",
        *names: x509.GeneralName,
        usage: Sequence[x509.ObjectIdentifier] = (),
        begin: datetime = NOW - timedelta(days=1),
        end: datetime = NOW + timedelta(days=1),
        issuer: x509.Name | None = None,
        key: ec.EllipticCurvePublicKey | None = None,
        extra: x509.ExtensionType | None = None,
    ) -> x509.Certificate:
        """Return a certificate."""
        builder = x509.CertificateBuilder(
            issuer or self.name, x509.Name.from_rfc4514_string(subject),
            key or ec.generate_private_key(ec.SECP256R1()).public_key(), x509.random_serial_number(), begin, end,
        )  # fmt: skip
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        if extra is not None:
            builder = builder.add_extension(extra, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def uri(text: str = SETTLEMENT) -> x509.GeneralName:
    return x509.UniformResourceIdentifier(text)


def header(certificate: x509.Certificate) -> str:
    """Return the value of Client-Cert (RFC 9440)."""
    return f":{base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()}:"
