"""What a new policy changes, in grants and not in lines of text."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault.policy.built_in import BUILT_IN
from vault.policy.differing import MAX_LINES, difference
from vault.policy.document import read

TEXT = (Path(__file__).parent / "shop.toml").read_text("utf-8")
SHOP = read(TEXT)
CLERK = 'format = 1\n[networks]\noffice = ["10.0.0.0/8"]\n[roles.clerk]\n'
MASKED = """[[roles.clerk.allow]]
operations = ["reveal", "compare"]
fields = ["bank_card", "phone"]
purposes = ["settle"]
"""
FULL = MASKED + 'view = "full"\nreason = "x"\n'
FIND = '[[roles.clerk.allow]]\noperations = ["find"]\nfields = ["*"]\n'


def changes(old: str, new: str) -> list[str]:
    return difference(read(CLERK + old), read(CLERK + new))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (MASKED, FULL, ["clerk gains: reveal bank_card, phone in full for settle"]),
        (FULL, MASKED, ["clerk loses: reveal bank_card, phone in full for settle",
                        "clerk keeps: reveal bank_card, phone masked for settle"]),
        ("", FIND, ["clerk gains: find every field"]),
        (FIND, "", ["clerk loses: find every field"]),
        ("", MASKED, ["clerk gains: reveal bank_card, phone masked for settle",
                      "clerk gains: compare bank_card, phone for settle"]),
        (MASKED, MASKED.replace('"settle"', '"*"'),
         ["clerk gains: reveal bank_card, phone masked for audit, legal, market, notify, risk, service, statistics, "
          "subject-request, support, verify-identity",
          "clerk gains: compare bank_card, phone for audit, legal, market, notify, risk, service, statistics, "
          "subject-request, support, verify-identity"]),
        ("", FULL + MASKED.replace(', "compare"', "") + 'when = { modes = ["live"] }\n',
         ["clerk gains: reveal bank_card, phone in full for settle",
          "clerk gains: compare bank_card, phone for settle"]),
        ("", '[[roles.clerk.allow]]\noperations = ["keys", "audit"]\n', ["clerk gains: audit, keys"]),
        # on conditions
        (FIND, FIND + 'when = { networks = ["office"] }\n',
         ["clerk loses: find every field", "clerk keeps: find every field from office"]),
        (FIND + 'when = { networks = ["office"] }\n', FIND, ["clerk gains: find every field"]),
        (FIND + 'when = { tags = ["vip"] }\n', FIND + 'when = { tags = ["eu"] }\n',
         ["clerk gains: find every field if tagged eu", "clerk loses: find every field if tagged vip"]),
        # denials
        (FIND, FIND + '[[roles.clerk.deny]]\nfields = ["phone", "email"]\n', ["clerk loses: find email, phone"]),
        (FIND, FIND + '[[roles.clerk.deny]]\nfields = ["phone"]\nwhen = { tags = ["vip"] }\n',
         ["clerk is newly denied: find phone if tagged vip"]),
        (FIND + '[[roles.clerk.deny]]\nfields = ["phone"]\nwhen = { tags = ["vip"] }\n', FIND,
         ["clerk is no longer denied: find phone if tagged vip"]),
        (FULL, FULL + '[[roles.clerk.deny]]\noperations = ["reveal"]\nfields = ["phone"]\nview = "full"\n',
         ["clerk loses: reveal phone in full for settle", "clerk keeps: reveal phone masked for settle"]),
        (FULL, FULL + '[[roles.clerk.deny]]\nview = "full"\nwhen = { modes = ["test"] }\n',
         ["clerk is newly denied: reveal bank_card, phone from full on for settle in test"]),
        (FIND, FIND + '[[deny]]\nfields = ["iban"]\n', ["clerk loses: find iban"]),
        # the same in other words
        (MASKED, MASKED.replace('"phone"', '"p*ne"') + 'view = "masked"\nreason = "so"\n', []),
        (FIND, '[[roles.clerk.allow]]\noperations = ["find"]\nfields = ["*_*"]\n'
               '[[roles.clerk.allow]]\noperations = ["find"]\nfields = ["phone", "iban", "email", "text", "uscc"]\n'
               '[[roles.clerk.allow]]\noperations = ["find"]\nfields = ["passport", "address"]\n', []),
        ("# one\n" + FIND, "label = 'Clerk'\n" + FIND, []),
        # all else
        ("", "budget = { minute = 5 }\n", ["role clerk gains the limit of 5 values a minute"]),
        ("", "[roles.new]\n", ["role new is new"]),
        ("[roles.new]\n", "", ["role new is gone"]),
        ("", '[callers]\n"key_1" = ["clerk"]\n', ["caller key_1 gains the role clerk"]),
        ("", '[[claims]]\nissuer = "https://a.example"\nclaim = "groups"\nvalue = "x y"\nroles = ["clerk"]\n',
         ["claim https://a.example#groups = x y gains the role clerk"]),
        ("", '[[certificates]]\nname = "spiffe://a/b"\nroles = ["clerk"]\n',
         ["certificate spiffe://a/b gains the role clerk"]),
        ("", '[purposes.refund]\nneeds = ["case"]\n', ["purpose refund gains its name, the need of a case"]),
        ("[bulk]\nlimit = 10\n", "[sweep]\npause = 9\n[decoys]\nfreeze = true\n",
         ["the policy gains a pause of 9 s after 1,000 misses, the freezing of who reveals a decoy",
          "the policy loses a pause of 5 s after 1,000 misses, a second person's approval above 10 values"]),
    ],
)  # fmt: skip
def test_changes_are_told_in_grants(old: str, new: str, told: list[str]) -> None:
    assert changes(old, new) == told


def test_an_included_role_is_told_as_what_it_gives() -> None:
    base = f"{FIND.replace('clerk', 'base')}"
    found = changes(f"[roles.base]\n{base}", f"includes = ['base']\n[roles.base]\n{base}")
    assert found == ["clerk gains: find every field"]


def test_networks_are_told_by_their_blocks() -> None:
    other = read(TEXT.replace('vpn = ["10.9.8.0/24"]', 'vpn = ["10.9.0.0/16"]'))
    assert difference(SHOP, other) == ["network vpn gains 10.9.0.0/16", "network vpn loses 10.9.8.0/24"]


def test_nothing_changes_from_a_policy_to_itself() -> None:
    assert difference(SHOP, read(TEXT)) == []
    assert difference(BUILT_IN, BUILT_IN) == []


def test_the_first_policy_is_told_beside_the_built_in_one() -> None:
    found = difference(BUILT_IN, SHOP)
    assert "role everything is gone" in found
    assert "everything loses: reveal every field in full for every purpose" in found
    assert "caller * loses the role everything" in found
    assert (
        "clerk gains: reveal bank_card in full for chargeback from office, vpn if not tagged vip if at most 90d old"
        in found
    )
    assert [line.replace("gains", "loses") for line in found if " gains: " in line] == [
        line
        for line in difference(SHOP, BUILT_IN)
        if " loses: " in line and not line.startswith("everything")
    ]


def test_long_differences_are_cut() -> None:
    rules = "".join(
        f'[[roles.clerk.allow]]\noperations=["find"]\nfields=["*"]\nwhen={{tags=["{at}"]}}\n'
        for at in range(250)
    )
    many = "".join(f'[roles.r{at}]\nincludes = ["clerk"]\n' for at in range(9))
    found = changes("", rules + many)
    assert len(found) == MAX_LINES + 1
    assert found[-1] == "and more, which is not told here"
