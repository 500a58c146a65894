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
        (OIDC + 'jwks_file = "a"\nca = "ca.pem"', 6, "jwks_file leaves nothing"),
        (OIDC + 'algorithms = ["ES256", "none"]', 6, "algorithms must be of ES256"),
        (OIDC + 'algorithms = ["HS256"]', 6, "algorithms must be of ES256"),
        (OIDC + "algorithms = []", 6, "algorithms must be of ES256"),
        (OIDC + 'algorithms = ["ES256", "ES256"]', 6, "algorithms must be different"),
        (OIDC + 'claims = "groups"', 6, "claims must be a list of texts"),
        (OIDC + "claims = [1]", 6, "claims must be a list of texts"),
        (OIDC + 'subject_claim = ""', 6, "subject_claim must be a text"),
        (OIDC + "leeway_seconds = 301", 6, "leeway_seconds must be a whole number from 0 to 300"),
        (OIDC + "leeway_seconds = true", 6, "leeway_seconds must be a whole number"),
        (OIDC + "longest_seconds = 59", 6, "longest_seconds must be a whole number"),
        (OIDC + "longest_seconds = 1.5", 6, "longest_seconds must be a whole number"),
        (OIDC + 'secret = "x"', 6, "secret is none of the names"),
        (OIDC + '\n# more\n"\\u0007" = "x"', 1, "is none of the names"),
        (OIDC.replace("https:", "http:"), 2, "issuer must be an https address"),
        (OIDC.replace(".com", ".com?x=1"), 2, "issuer must be an https address"),
        (OIDC.replace(".com", ".com#x"), 2, "issuer must be an https address"),
        (OIDC.replace(".com", ".com/a b"), 2, "issuer must be an https address"),
        (OIDC.replace('"live"', '"prod"'), 5, 'mode must be "live" or "test"'),
        (OIDC.replace('mode = "live"\n', ""), 1, "mode must be a text"),
        (OIDC.replace('"shop"', "7"), 4, "tenant must be a text"),
        (OIDC.replace('"shop"', '"a\\u202eb"'), 4, "tenant must be a text"),
        (OIDC + CERTIFICATE + OIDC, 12, "audience is that of another entry"),
        (CERTIFICATE + OIDC + CERTIFICATE, 13, "names holds one of another entry"),
        (CERTIFICATE + CERTIFICATE + 'issuer = "CN=A"', 8, "names holds one of another entry"),
        (CERTIFICATE + 'issuer = "nobody"', 5, "issuer must be a distinguished name"),
        (CERTIFICATE.replace("dns:settlement", "dns:a b"), 4, "names must be URIs"),
        (CERTIFICATE.replace("spiffe://shop/settlement", "settlement"), 4, "names must be URIs"),
        ('[[certificate]]\ntenant = "shop"\nmode = "live"\nnames = []', 4, "names must be URIs"),
        ('[[certificate]]\ntenant = "shop"\nmode = "live"', 1, "names must be a list"),
        (OIDC + "[[clients]]", 0, "clients is neither"),
        ("oidc = 1", 0, "oidc must be tables"),
        ("oidc = [1]", 0, "oidc must be tables"),
        ("oidc = [{}]", 0, "issuer must be a text"),
        ("[oidc]", 0, "oidc must be tables"),
        (OIDC + "audience = 1\n# end", 6, "Cannot overwrite a value"),
        (OIDC + "leeway_seconds = \n# end", 6, "Invalid value"),
        (OIDC + "leeway_seconds = ", 0, "Invalid value"),
        ("[[oidc]]\n" * (MOST + 1), 0, f"there are more than {MOST}"),
        ("x = " + "[" * 5_000, 0, "nested too deep"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, line: int, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text.encode(), Path())
    place = f"STRONGROOM_CALLERS_FILE{f', line {line}' if line else ''}: "
    assert str(caught.value).startswith(place)
    assert reason in str(caught.value)


def test_a_text_that_looks_like_a_table_is_told_without_a_line() -> None:
    with pytest.raises(SettingsError, match=r"^STRONGROOM_CALLERS_FILE: secret is none"):
        read((OIDC.replace('"shop"', '"""\\\n[[oidc]]"""') + "secret = 1").encode(), Path())


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff", "not UTF-8"), (b"#" * (LARGEST + 1), "more than"), (None, "No such")]
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "callers.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=reason):
        load(tmp_path / "callers.toml")
