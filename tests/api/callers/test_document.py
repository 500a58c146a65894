"""The file of callers: taken whole, or refused with the line and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.callers.document import LARGEST, MOST, Certificates, Issuer, load, read
from api.errors import SettingsError

OIDC = """\
[[oidc]]
issuer = "https://login.example.com"
audience = "strongroom"
tenant = "shop"
mode = "live"
"""
CERTIFICATE = """\
[[certificate]]
tenant = "shop"
mode = "live"
names = ["spiffe://shop/settlement", "dns:settlement.shop.example", "CN=settlement,O=Shop"]
"""


def test_what_is_left_out() -> None:
    document = read((OIDC + CERTIFICATE).encode(), Path("/etc/strongroom"))
    assert document.issuers == (
        Issuer("https://login.example.com", "strongroom", "shop", "live", None, None, None,
               ("ES256", "RS256", "PS256", "EdDSA"), (), None, 30, 3_600),
    )  # fmt: skip
    assert document.certificates == (
        Certificates("shop", "live", None, None, (
            "spiffe://shop/settlement", "dns:settlement.shop.example", "CN=settlement,O=Shop",
        )),
    )  # fmt: skip
    assert read(b"", Path()).issuers == ()


def test_everything() -> None:
    more = (
        'jwks_url = "https://login.example.com/keys"\nca = "ca.pem"\nalgorithms = ["ES512", "Ed25519"]\n'
        'claims = ["groups"]\nsubject_claim = "customer_id"\nleeway_seconds = 0\nlongest_seconds = 86400\n'
    )
    issuer = 'issuer = "CN=Clients,O=Shop"\nca = "/etc/ssl/clients.pem"\n'
    document = read((OIDC + more + CERTIFICATE + issuer).encode(), Path("/etc/strongroom"))
    (one,), (other,) = document.issuers, document.certificates
    assert (one.url, one.ca, one.file) == (
        "https://login.example.com/keys",
        Path("/etc/strongroom/ca.pem"),
        None,
    )
    assert (one.algorithms, one.claims, one.subject_claim) == (
        ("ES512", "Ed25519"),
        ("groups",),
        "customer_id",
    )
    assert (one.leeway, one.longest) == (0, 86_400)
    assert (other.issuer, other.authorities) == ("CN=Clients,O=Shop", Path("/etc/ssl/clients.pem"))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (OIDC + 'jwks_url = "http://login.example.com"', 6, "jwks_url must be an https address"),
        (OIDC + 'jwks_url = "https://"', 6, "jwks_url must be an https address"),
        (OIDC + 'jwks_file = "a"\njwks_url = "https://login.example.com/"', 6, "jwks_file leaves nothing"),
        (OIDC + 'ca = "ca.pem"\njwks_file = "a"', 7, "jwks_file leaves nothing"),
        (OIDC + 'algorithms = ["ES256",\n"none"]', 7, "there is no algorithm of that name"),
        (OIDC + 'algorithms = ["HS256"]', 6, "there is no algorithm of that name"),
        (OIDC + "algorithms = []", 6, "algorithms must have 1 to"),
        (OIDC + 'algorithms = ["ES256", "ES256"]', 6, "is in the list already"),
        (OIDC + 'claims = "groups"', 6, "claims must be a list of strings"),
        (OIDC + "claims = [1]", 6, "must be a string"),
        (OIDC + 'claims = ["a b"]', 6, "must be a claim's name"),
        (OIDC + 'subject_claim = ""', 6, "subject_claim must be a string"),
        (OIDC + "leeway_seconds = 301", 6, "leeway_seconds must be a whole number, 0 to 300"),
        (OIDC + "leeway_seconds = true", 6, "leeway_seconds must be a whole number"),
        (OIDC + "longest_seconds = 59", 6, "longest_seconds must be a whole number"),
        (OIDC + "longest_seconds = 1.5", 6, "longest_seconds must be a whole number"),
        (OIDC + 'canary = "x"', 6, "there is no key of that name"),
        (OIDC + '\n# more\n"canary\\u0007" = "x"', 8, "there is no key of that name"),
        (OIDC.replace("https:", "http:"), 2, "issuer must be an https address"),
        (OIDC.replace(".com", ".com?x=1"), 2, "issuer must be an https address"),
        (OIDC.replace(".com", ".com#x"), 2, "issuer must be an https address"),
        (OIDC.replace(".com", ".com/a b"), 2, "issuer must be an https address"),
        (OIDC.replace('"live"', '"canary"'), 5, "there is no mode of that name"),
        (OIDC.replace('mode = "live"\n', ""), 1, "mode is missing"),
        (OIDC.replace('"shop"', "7"), 4, "tenant must be a string"),
        (OIDC.replace('"shop"', '"a\\u202eb"'), 4, "tenant has a control character"),
        (OIDC + CERTIFICATE + OIDC, 10, "issuer and audience are those of an entry above"),
        (CERTIFICATE + OIDC + CERTIFICATE, 10, "a name is in an entry above"),
        (CERTIFICATE + CERTIFICATE + 'issuer = "CN=A"', 5, "a name is in an entry above"),
        (CERTIFICATE + 'issuer = "canary"', 5, "issuer must be a distinguished name"),
        (CERTIFICATE.replace("dns:settlement", "dns:a b"), 4, "must be a URI"),
        (CERTIFICATE.replace("spiffe://shop/settlement", "canary"), 4, "must be a URI"),
        ('[[certificate]]\ntenant = "shop"\nmode = "live"\nnames = []', 4, "names must have 1 to"),
        ('[[certificate]]\ntenant = "shop"\nmode = "live"', 1, "names is missing"),
        (OIDC + "[[canary]]", 6, "there is no key of that name"),
        ("oidc = 1", 1, "oidc must be an array of tables"),
        ("oidc = [1]", 1, "must be a table"),
        ("\noidc = [{}]", 2, "issuer is missing"),
        ("[oidc]", 1, "oidc must be an array of tables"),
        (OIDC + "audience = 1\n# end", 6, "this is there already"),
        (OIDC + "leeway_seconds = \n# end", 6, "there is no value"),
        (OIDC + "leeway_seconds = 99999999999999999999-1", 6, "this is not TOML"),
        ("[[oidc]]\n" * (MOST + 1), 1, f"there are at most {MOST}"),
        ("x = " + "[" * 5_000, 1, "nested"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, line: int, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text.encode(), Path())
    assert str(caught.value).startswith(f"STRONGROOM_CALLERS_FILE, line {line}: ")
    assert reason in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_certificates_of_two_issuers_may_have_one_name() -> None:
    text = CERTIFICATE + 'issuer = "CN=A"\n' + CERTIFICATE + 'issuer = "CN=B"'
    assert len(read(text.encode(), Path()).certificates) == 2


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff", "not UTF-8"), (b"#" * (LARGEST + 1), "more than"), (None, "No such")]
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "callers.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=reason):
        load(tmp_path / "callers.toml")
