"""Make `customers.csv`: 10,000 made-up customers of a Chinese payment company, from a seed.

Every value is valid for its field type, and made so that it is nobody's as far as ranges exist for that:

- resident IDs: births of 1880 to 1899, the years of GB 11643's own first example; nobody living has one;
- phones: prefix 1349, valid to libphonenumber, whose carrier table names no operator for it;
- bank cards: 620000 with 16 or 19 digits, the prefix of UnionPay's published sandbox numbers;
- e-mail: example.com, .net and .org (RFC 2606, section 3);
- company codes: subject code M000..., as in GB 32100's own example; given-out ones begin with MA or a digit;
- bank accounts have no such range: these begin with 9999 to be recognisable.

A made-up number can still coincide with a real one. One value in twelve is written in one of the messy ways
that people use.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from unicodedata import normalize

from words import COMPOUND_SURNAMES, COUNTIES, ESTATES, GIVEN, LATIN, PINYIN, ROADS, SURNAMES, TIBETAN, UYGHUR

SEED, ROWS = 20260901, 10_000
PATH = Path(__file__).with_name("customers.csv")
COLUMNS = (
    "customer_id", "person_name", "resident_id", "phone", "bank_card",
    "bank_account", "email", "address", "uscc",
)  # fmt: skip

WIDE = {ord(c): ord(c) + 0xFEE0 for c in "0123456789"}  # full-width forms, U+FF10 and on
ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # GB 11714
USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100: no I, O, S, V, Z


def below(rng: Random, n: int) -> int:
    """Return 0 to n - 1; by `random()` alone, whose sequence is the same in every Python."""
    return int(rng.random() * n)


def pick(rng: Random, choices: Sequence[str]) -> str:
    """Return one of `choices`."""
    return choices[below(rng, len(choices))]


def digits(rng: Random, n: int) -> str:
    """Return `n` decimal digits."""
    return "".join(pick(rng, "0123456789") for _ in range(n))


def person_name(rng: Random) -> str:
    """Return a name: mostly a surname and one or two given characters, now and then another people's."""
    kind = below(rng, 100)
    if kind < 3:
        return f"{pick(rng, UYGHUR)}·{pick(rng, UYGHUR)}"
    if kind < 5:
        return pick(rng, TIBETAN) + pick(rng, TIBETAN)
    if kind < 7:
        return f"{pick(rng, LATIN)} {pick(rng, LATIN)}"
    surname = pick(rng, COMPOUND_SURNAMES) if kind < 10 else pick(rng, SURNAMES)
    return surname + "".join(pick(rng, GIVEN) for _ in range(1 + (below(rng, 10) < 7)))


def resident_id(rng: Random, county: str) -> str:
    """Return a number of `county`, born 1880 to 1899, with its check digit (GB 11643, MOD 11-2)."""
    born = date(1880, 1, 1) + timedelta(days=below(rng, 7305))
    body = f"{county}{born:%Y%m%d}{1 + below(rng, 999):03d}"
    total = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def phone(rng: Random) -> str:
    """Return a mainland mobile number's eleven digits."""
    return "1349" + digits(rng, 7)


def bank_card(rng: Random) -> str:
    """Return 16 or 19 digits that pass Luhn (ISO/IEC 7812-1, Annex B)."""
    body = "620000" + digits(rng, 9 if below(rng, 2) else 12)
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(body)))
    return body + str(-sum(n // 10 + n % 10 for n in doubled) % 10)


def bank_account(rng: Random) -> str:
    """Return a mainland account number of 17, 19 or 21 digits."""
    return "9999" + digits(rng, 13 + 2 * below(rng, 3))


def email(rng: Random) -> str:
    """Return an address at a domain that is reserved for examples."""
    name = f"{pick(rng, PINYIN)}.{pick(rng, PINYIN)}{below(rng, 100_000)}"
    return f"{name}@example.{pick(rng, ('com', 'com', 'net', 'org'))}"


def address(rng: Random, city: str, district: str) -> str:
    """Return a street address in `district`."""
    street = f"{city}{district}{pick(rng, ROADS)}路{1 + below(rng, 1999)}号"
    estate = pick(rng, ESTATES)
    room = f"{1 + below(rng, 30)}栋{1 + below(rng, 33)}0{1 + below(rng, 8)}室"
    return f"{street}{estate}{room}" if estate else street


def uscc(rng: Random, county: str) -> str:
    """Return a company's code: 91, county, subject code with its check (GB 11714), check digit (GB 32100)."""
    subject = "M000" + "".join(pick(rng, USCC) for _ in range(4))
    total = sum(ORGANISATION.index(c) * w for c, w in zip(subject, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    body = f"91{county}{subject}{'0X987654321'[total % 11]}"
    return body + USCC[-sum(USCC.index(c) * pow(3, at, 31) for at, c in enumerate(body)) % 31]


def distinct(make: Callable[[], str], seen: set[str]) -> str:
    """Return the first of `make`'s values that is not in `seen`, and add it."""
    while (value := make()) in seen:
        pass
    seen.add(value)
    return value


def grouped(value: str, separator: str) -> str:
    """Return `value` in groups of four."""
    return separator.join(value[at : at + 4] for at in range(0, len(value), 4))


MESSY: dict[str, tuple[Callable[[str], str], ...]] = {
    "person_name": (lambda v: f" {v} ", lambda v: v + "\u3000", lambda v: normalize("NFD", v)),
    "resident_id": (str.lower, lambda v: v.translate(WIDE), lambda v: f"{v[:6]} {v[6:14]} {v[14:]}"),
    "phone": (lambda v: "+86 " + v, lambda v: "0086" + v, lambda v: f"{v[:3]}-{v[3:7]}-{v[7:]}",
              lambda v: v.translate(WIDE)),
    "bank_card": (lambda v: grouped(v, " "), lambda v: grouped(v, "-"), lambda v: v.translate(WIDE)),
    "bank_account": (lambda v: grouped(v, " "), lambda v: v.translate(WIDE)),
    "email": (lambda v: v.replace("example", "Example"), lambda v: f" {v}"),
    "address": (lambda v: f" {v}", lambda v: v.translate(WIDE)),
    "uscc": (str.lower, lambda v: v.translate(WIDE)),
}  # fmt: skip


def messy(rng: Random, column: str, value: str) -> str:
    """Return `value`, one time in twelve in another form that people write it in."""
    if not value or column not in MESSY or below(rng, 12):
        return value
    return MESSY[column][below(rng, len(MESSY[column]))](value)


def customers(seed: int = SEED, rows: int = ROWS) -> Iterator[list[str]]:
    """Yield `rows` customers, each in the order of COLUMNS; all numbers and codes are distinct."""
    rng, seen = Random(seed), set[str]()
    for number in range(1, rows + 1):
        county, city, district = COUNTIES[below(rng, len(COUNTIES))]
        row = [
            f"C{number:08d}",
            person_name(rng),
            distinct(lambda: resident_id(rng, county), seen),  # noqa: B023, called at once
            distinct(lambda: phone(rng), seen),
            distinct(lambda: bank_card(rng), seen),
            distinct(lambda: bank_account(rng), seen),
            email(rng),
            address(rng, city, district),
            distinct(lambda: uscc(rng, county), seen) if below(rng, 5) == 0 else "",  # noqa: B023
        ]
        yield [messy(rng, column, value) for column, value in zip(COLUMNS, row, strict=True)]


def document(seed: int = SEED, rows: int = ROWS) -> bytes:
    """Return the CSV file (RFC 4180 but for bare line feeds, UTF-8) with its header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(customers(seed, rows))
    return text.getvalue().encode()


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PATH
    path.write_bytes(document())
    print(f"{path}: {ROWS} customers")
