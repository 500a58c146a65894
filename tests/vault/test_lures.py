"""Values of decoys: every field type takes its own, and they are of nobody."""

from __future__ import annotations

import random

import pytest

from vault import fields, lures
from vault.errors import InvalidRequest

MADE_UP = [name for name in fields.names() if name != "login_record"]


@pytest.mark.parametrize("field", MADE_UP)
def test_a_lure_is_a_value_of_its_field_in_canonical_form(field: str) -> None:
    made = lures.values(field, 200, random.Random(7).randrange)
    normal, refused = fields.normalize_column(field, made, {})
    assert refused == {}
    assert normal == made
    assert len(set(made)) > (1 if field == "text" else 100)


def test_records_of_log_ins_are_not_made_up() -> None:
    with pytest.raises(InvalidRequest):
        lures.values("login_record", 1, random.Random(7).randrange)
