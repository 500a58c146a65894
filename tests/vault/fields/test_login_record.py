"""Records of log-ins: one spelling, nothing unexpected in them, and what of one is shown."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault import fields
from vault.errors import InvalidValue
from vault.fields import login_record
from vault.fields.login_record import mask, normalize, record

LEAST: dict[str, object] = {"result": "ok", "ip": "203.0.113.77"}
PRINTED = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="=^"), min_size=1, max_size=128
)
TOKEN = "tok_live_" + "0" * 35


def written(**members: object) -> str:
    return json.dumps({**LEAST, **members})


@pytest.mark.parametrize(
    ("members", "canonical"),
    [
        ({}, '{"ip":"203.0.113.77","result":"ok"}'),
        ({"ip": "2001:DB8:0::1"}, '{"ip":"2001:db8::1","result":"ok"}'),
        ({"ip": "::ffff:203.0.113.7"}, '{"ip":"203.0.113.7","result":"ok"}'),
        (
            {"result": "refused", "login": TOKEN},
            f'{{"ip":"203.0.113.77","login":"{TOKEN}","result":"refused"}}',
        ),
        (
            {"latitude": -0.001, "longitude": 116.407},
            '{"ip":"203.0.113.77","latitude":0.0,"longitude":116.41,"result":"ok"}',
        ),
        (
            {"latitude": 90, "longitude": -180},
            '{"ip":"203.0.113.77","latitude":90.0,"longitude":-180.0,"result":"ok"}',
        ),
        (
            {"new_device": True, "impossible_travel": False},
            '{"impossible_travel":false,"ip":"203.0.113.77","new_device":true,"result":"ok"}',
        ),
        ({"agent": 'a "b" 马'}, '{"agent":"a \\"b\\" 马","ip":"203.0.113.77","result":"ok"}'),
    ],
)
def test_a_record_has_one_spelling(members: dict[str, Any], canonical: str) -> None:
    assert record(**{**LEAST, **members}) == canonical
    assert normalize(written(**members)) == canonical
    assert normalize(canonical) == canonical


@given(
    ip=st.ip_addresses().map(str),
    device=st.none() | PRINTED.filter(str.isprintable),
    place=st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    flags=st.tuples(st.none() | st.booleans(), st.none() | st.booleans()),
)
def test_a_record_is_canonical_and_says_what_was_said(
    ip: str, device: str | None, place: tuple[float, float] | None, flags: tuple[bool | None, bool | None]
) -> None:
    latitude, longitude = place or (None, None)
    made = record(
        result="refused", ip=ip, device=device, latitude=latitude, longitude=longitude,
        new_device=flags[0], impossible_travel=flags[1],
    )  # fmt: skip
    assert normalize(made) == made
    assert len(made) <= login_record.max_length
    said = json.loads(made)
    assert said.get("device") == device
    assert (said.get("new_device"), said.get("impossible_travel")) == flags
    assert said["ip"] not in mask(made)
    assert place is None or abs(said["latitude"] - place[0]) <= 0.0051


def test_the_longest_record_fits() -> None:
    longest = record(
        result="refused", ip="2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", device='"' * 128, agent="\\" * 256,
        latitude=-89.99, longitude=-179.99, new_device=False, impossible_travel=False, login='"' * 64,
    )  # fmt: skip
    assert len(longest) <= login_record.max_length
    assert normalize(longest) == longest


@pytest.mark.parametrize(
    "wrong",
    [
        "", "null", "[]", "{}", '"ok"', "{", "[" * 5_000, "1" * 5_000, '{"a":' * 900,
        '{"ip":"203.0.113.77"}', '{"result":"ok","ip":"203.0.113.77","result":"ok"}',
        '{"result":"ok","ip":"203.0.113.77","device":{"a":1,"a":2}}',
        '{"result":"ok","ip":"203.0.113.77","latitude":NaN,"longitude":1}',
        '{"result":"ok","ip":"203.0.113.77","device":"\\ud800"}',
        '{"result":"ok","ip":"203.0.113.77","device":"a\\u0000b"}',
        written(result="maybe"), written(result=True), written(result=None),
        written(ip="203.0.113.256"), written(ip=3405803853), written(ip="fe80::1%eth0"), written(ip="203.0.113.0/24"),
        written(ip=""), written(ip="localhost"), written(device=""), written(device="a" * 129), written(device=7),
        written(agent="a" * 257), written(agent="a\u200bb"), written(latitude=1), written(longitude=1),
        written(latitude=90.01, longitude=0), written(latitude=0, longitude=-180.5),
        written(latitude=True, longitude=0), written(latitude="1", longitude=0),
        written(latitude=10**400, longitude=0), written(new_device=1), written(impossible_travel="no"),
        written(login=""), written(login="a b"), written(login="a" * 65), written(password="x"), written(extra=1),
        written(agent="4111 1111 1111 1111=2912"), written(device="4111111111111111=2912"),
        written(agent="4111111111111111D2912"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused_without_a_word_of_it(wrong: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        normalize(wrong)
    assert refused.value.field == "login_record"
    assert refused.value.__context__ is None
    assert "203" not in str(refused.value)


def test_a_device_in_hex_is_no_track_data() -> None:
    assert "123456789012D2912" in record(result="ok", ip="203.0.113.77", device="ab-123456789012D2912")


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({}, {"ip": "203.0.113.*"}),
        ({"ip": "2001:db8:12:34::56"}, {"ip": "2001:db8:12:*"}),
        ({"ip": "::1"}, {"ip": "0:0:0:*"}),
        ({"device": "7f00-9a3c41d8"}, {"ip": "203.0.113.*", "device": "*********41d8"}),
        ({"device": "abcdef"}, {"ip": "203.0.113.*", "device": "****ef"}),
        ({"device": "abcd"}, {"ip": "203.0.113.*", "device": "****"}),
        ({"agent": "Mozilla/5.0"}, {"ip": "203.0.113.*", "agent": "********"}),
        (
            {"latitude": -33.87, "longitude": 151.21},
            {"ip": "203.0.113.*", "latitude": -34, "longitude": 151},
        ),
        ({"login": TOKEN, "new_device": True}, {"ip": "203.0.113.*", "login": TOKEN, "new_device": True}),
    ],
)
def test_what_of_a_record_is_shown(members: dict[str, Any], shown: dict[str, object]) -> None:
    assert json.loads(mask(record(**{**LEAST, **members}))) == {"result": "ok", **shown}


@given(st.ip_addresses(v=6))
def test_the_network_that_is_shown_is_the_first_48_bits(address: ipaddress.IPv6Address) -> None:
    canonical = record(result="ok", ip=str(address))
    shown = json.loads(mask(canonical))["ip"]
    if address.ipv4_mapped:
        assert shown == str(address.ipv4_mapped).rpartition(".")[0] + ".*"
    else:
        network = ipaddress.ip_network((address, 48), strict=False)
        assert ipaddress.IPv6Address(shown.replace("*", "0:0:0:0:0")) == network.network_address


def test_it_is_a_field_like_any_other_that_nobody_finds_by_value() -> None:
    assert fields.get("login_record") is login_record
    assert not login_record.lookup
