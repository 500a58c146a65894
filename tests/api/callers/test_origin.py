"""Where a request comes from: what the network says, or the last word of the proxy."""

from __future__ import annotations

import pytest

from api.callers import origin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("::1", "::1"),
        ("", None), ("192.0.2.01", None), ("192.0.2.1 ", None), ("fe80::1%eth0", None), ("localhost", None),
        ("1.2.3", None), ("192.0.2.1\n", None), ("１.2.3.4", None),
    ],
)  # fmt: skip
def test_one_form(text: str, expected: str | None) -> None:
    assert origin.normal(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"), ("198.51.100.9, 192.0.2.1", "192.0.2.1"), ("evil,192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"), ("[2001:db8::1]:4711", "2001:db8::1"), ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("192.0.2.1,", None), ("", None),
        ("unknown", None), ("192.0.2.1, unknown", None), ("192.0.2.1;x", None), ('"192.0.2.1"', None),
        ("192.0.2.1:999999", None), ("[192.0.2.1", None),
    ],
)  # fmt: skip
def test_x_forwarded_for(text: str, expected: str | None) -> None:
    assert origin.last(text, "x-forwarded-for") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for=192.0.2.1", "192.0.2.1"), ("For=192.0.2.1;proto=https;by=203.0.113.43", "192.0.2.1"),
        ("for=198.51.100.9, for=192.0.2.1", "192.0.2.1"), ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ('proto=https;for="192.0.2.1:80"', "192.0.2.1"), ('for="a,for=1.1.1.1", for=192.0.2.1', "192.0.2.1"),
        ("for=1.1.1.1;for=192.0.2.1", None), ("for=unknown", None), ("for=_hidden", None), ("proto=https", None),
        ('for="192.0.2.1', None), ("for=192.0.2.1,", None), ("for = 192.0.2.1", None), ("192.0.2.1", None),
        ('for="a\\"b", for=192.0.2.1', "192.0.2.1"), ('for="x, for=192.0.2.1', None), ("for=[::1]", None),
        ('by="for=1.1.1.1";for=192.0.2.1', "192.0.2.1"), ('by=";for=1.1.1.1;"', None), (";" * 4_000, None),
    ],
)  # fmt: skip
def test_forwarded(text: str, expected: str | None) -> None:
    assert origin.last(text, "forwarded") == expected


def test_headers_are_for_the_socket_alone() -> None:
    said = {"HTTP_X_FORWARDED_FOR": "198.51.100.9", "HTTP_FORWARDED": "for=203.0.113.7"}
    assert origin.of({"REMOTE_ADDR": "::ffff:192.0.2.1", **said}, "forwarded") == "192.0.2.1"
    assert origin.of({"REMOTE_ADDR": "", **said}, "forwarded") == "203.0.113.7"
    assert origin.of({"REMOTE_ADDR": "", **said}, "x-forwarded-for") == "198.51.100.9"
    assert origin.of({"REMOTE_ADDR": ""}, "x-forwarded-for") is None
    assert (
        origin.of(
            {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "1.1.1.1," * 600 + "1.1.1.1"}, "x-forwarded-for"
        )
        is None
    )
