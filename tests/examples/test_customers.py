"""The made-up customers: the seed gives the committed bytes, and every value is of its field type."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from vault import fields

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_seed_gives_the_committed_file(tmp_path: Path) -> None:
    made = tmp_path / "customers.csv"
    subprocess.run([sys.executable, EXAMPLES / "make_customers.py", made], check=True, capture_output=True)
    assert made.read_bytes() == (EXAMPLES / "customers.csv").read_bytes()


@pytest.fixture(scope="module")
def customers() -> list[dict[str, str]]:
    with (EXAMPLES / "customers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_ten_thousand(customers: list[dict[str, str]]) -> None:
    assert len({row["customer_id"] for row in customers}) == 10_000


@pytest.mark.parametrize(
    "field",
    ["person_name", "resident_id", "phone", "bank_card", "bank_account", "email", "address", "uscc"],
)
def test_every_value_is_of_its_field_type(field: str, customers: list[dict[str, str]]) -> None:
    values = [row[field] for row in customers if row[field]]
    canonical, errors = fields.normalize_column(field, values, {})
    assert errors == {}
    assert canonical != values, "some are written in a messy way"
