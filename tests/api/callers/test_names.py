"""Names of callers: safe wherever they are written, and no two callers have one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.callers import names

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=255)
ISSUERS = st.sampled_from(
    ["https://a.example", "https://a.example/", "https://a.example/b", "https://a.example:443"]
)


@given(ISSUERS, TEXTS, ISSUERS, TEXTS)
def test_no_two_have_one(issuer: str, subject: str, other: str, another: str) -> None:
    one, two = names.of_token(issuer, subject), names.of_token(other, another)
    assert (one == two) == ((issuer, subject) == (other, another))
    for name in (one, two, names.of_certificate(subject)):
        assert 5 < len(name) <= 128
        assert name.isascii()
        assert name.isprintable()
        assert " " not in name


def test_long_names_stay_two() -> None:
    one, two = (names.of_token("https://a.example", "x" * 200 + end) for end in "ab")
    assert one != two
    assert one[:95] == two[:95]
    assert len(one) == 128
    assert one != names.of_token("https://a.example", one.partition("#")[2])


def test_what_is_left_as_it_is() -> None:
    assert (
        names.of_token("https://login.example.com", "ada@example.com|7")
        == "oidc:login.example.com#ada@example.com|7"
    )
    assert names.of_certificate("spiffe://shop/settlement") == "cert:spiffe://shop/settlement"
    assert names.of_certificate("CN=a b") == "cert:CN=a%20b"
