"""Certificates that come in, and those that do not, as the proxy hands them on."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from api.callers.directory import Directory
from api.callers.document import read
from api.callers.refused import NotBelieved
from api.errors import SettingsError
from tests.api.callers.certificates import CLIENT, NOW, SETTLEMENT, Authority, header, uri

FILE = """
[[certificate]]
tenant = "shop"
mode = "live"
issuer = "CN=Clients,O=Shop"
names = ["spiffe://shop/settlement", "dns:pay.shop.example", "CN=desk one,O=Shop"]

[[certificate]]
tenant = "shop"
mode = "test"
names = ["spiffe://shop/tests"]

[[certificate]]
tenant = "shop"
mode = "live"
ca = "clients.pem"
names = ["spiffe://shop/checked"]
"""
AUTHORITY = Authority()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Directory:
    folder = tmp_path_factory.mktemp("callers")
    both = [Authority("CN=Other").certificate, AUTHORITY.certificate]
    (folder / "clients.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in both))
    return Directory(
        read(FILE.encode(), folder), lambda _, mode: {"live": 1, "test": 2}[mode], lambda _: frozenset()
    )


def refused(directory: Directory, text: str) -> str:
    with pytest.raises(NotBelieved) as caught:
        directory.by_certificate(text)
    assert caught.value.__context__ is None
    return caught.value.code


@pytest.mark.parametrize(
    ("subject", "names", "known"),
    [
        ("CN=x", [uri()], "spiffe://shop/settlement"),
        ("CN=x", [x509.DNSName("Pay.Shop.Example")], "dns:pay.shop.example"),
        ("CN=desk one,O=Shop", [], "CN=desk%20one,O=Shop"),
        ("CN=x", [uri("spiffe://shop/other"), uri()], "spiffe://shop/settlement"),
    ],
)
def test_whom_a_certificate_names(
    directory: Directory, subject: str, names: list[x509.GeneralName], known: str
) -> None:
    caller = directory.by_certificate(header(AUTHORITY.sign(subject, *names, usage=CLIENT)))
    assert (caller.tenant, caller.mode, caller.kind) == (1, "live", "certificate")
    assert caller.name == f"cert:{known}"
    assert caller.claims == {("certificate", known)}
    assert caller.operations == frozenset()


def test_all_names_of_the_entry_are_told(directory: Directory) -> None:
    caller = directory.by_certificate(header(AUTHORITY.sign("CN=x", x509.DNSName("pay.shop.example"), uri())))
    assert caller.name == f"cert:{SETTLEMENT}"  # the first in the file
    assert caller.claims == {("certificate", SETTLEMENT), ("certificate", "dns:pay.shop.example")}


@pytest.mark.parametrize(
    ("subject", "names"),
    [
        ("CN=x", []), ("CN=x", [uri(SETTLEMENT + "/")]), ("CN=x", [uri("SPIFFE://shop/settlement")]),
        ("CN=x", [uri("spiffe://shop")]), ("CN=x", [x509.DNSName("x.pay.shop.example")]),
        ("CN=x", [x509.DNSName("spiffe://shop/settlement")]), ("CN=desk one", []), ("O=Shop,CN=desk one", []),
        ("CN=spiffe://shop/settlement", []), ("CN=x", [x509.RFC822Name("dns:pay.shop.example")]),
        ("CN=x", [uri("dns:pay.shop.example.evil")]),
    ],
)  # fmt: skip
def test_names_are_exact(directory: Directory, subject: str, names: list[x509.GeneralName]) -> None:
    assert refused(directory, header(AUTHORITY.sign(subject, *names))) == "certificate_unknown"


def test_a_uri_cannot_say_it_is_a_dns_name_or_a_subject(directory: Directory) -> None:
    """One kind of name must not pass for another: the client chose the text of it."""
    for text in ("dns:pay.shop.example", "CN=desk one,O=Shop"):
        assert refused(directory, header(AUTHORITY.sign("CN=x", uri(text)))) == "certificate_unknown"


def test_another_issuer(directory: Directory) -> None:
    other = Authority("CN=Clients,O=Evil")
    assert refused(directory, header(other.sign("CN=x", uri()))) == "certificate_unknown"
    assert directory.by_certificate(header(other.sign("CN=x", uri("spiffe://shop/tests")))).tenant == 2


def test_a_signature_that_the_file_asks_for(directory: Directory) -> None:
    name = uri("spiffe://shop/checked")
    assert directory.by_certificate(header(AUTHORITY.sign("CN=x", name))).tenant == 1
    same_name = Authority()
    assert refused(directory, header(same_name.sign("CN=x", name))) == "certificate_signature"
    assert refused(directory, header(Authority("CN=x").sign("CN=x", name))) == "certificate_signature"


def test_what_it_may_be_used_for(directory: Directory) -> None:
    server = ExtendedKeyUsageOID.SERVER_AUTH
    for usage in (CLIENT, (*CLIENT, server), (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), ()):
        assert directory.by_certificate(header(AUTHORITY.sign("CN=x", uri(), usage=usage)))
    assert refused(directory, header(AUTHORITY.sign("CN=x", uri(), usage=(server,)))) == "certificate_use"


def test_times(directory: Directory) -> None:
    begin, end = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    caller = directory.by_certificate(header(AUTHORITY.sign("CN=x", uri(), begin=begin, end=end)))
    at = NOW.timestamp()
    assert [caller.good(at + s) for s in (-3_601, -3_600, 0, 3_600, 3_601)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_extensions_that_cannot_be_read(directory: Directory) -> None:
    broken = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x80broken")
    assert refused(directory, header(AUTHORITY.sign("CN=x", extra=broken))) == "certificate_form"


def test_forms_of_the_header(directory: Directory) -> None:
    good = header(AUTHORITY.sign("CN=x", uri()))
    assert directory.by_certificate(f" {good} ").tenant == 1
    der = base64.b64decode(good.strip(":"))
    for text in (
        "", ":", "::", good[1:], good[:-1], good.strip(":"), f"{good},{good}", f"{good}, {good}", f"{good};q=1", '"x"',
        f":{'A' * 20_000}:", ":AAAA:", f":{base64.b64encode(der[:-1]).decode()}:", good.replace("A", "-", 1),
        f":{base64.b64encode(der + b'x').decode()}:", f":{good[1:-1]}=:", ":MIIB\n:", "\x00", "é",
        f":{base64.b64encode(AUTHORITY.certificate.public_bytes(Encoding.PEM)).decode()}:",
    ):  # fmt: skip
        assert refused(directory, text) == "certificate_form", text


def test_files_of_authorities_that_are_none(tmp_path: Path) -> None:
    document = read(FILE.encode(), tmp_path)
    with pytest.raises(SettingsError, match="authorities cannot be read: No such file"):
        Directory(document, lambda *_: 1, lambda _: frozenset())
    (tmp_path / "clients.pem").write_text("hello")
    with pytest.raises(SettingsError, match="no certificates in PEM"):
        Directory(document, lambda *_: 1, lambda _: frozenset())
