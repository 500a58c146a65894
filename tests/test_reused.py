"""Databases that tests use one after the other are each as new, or are not used again."""

from __future__ import annotations

import psycopg
import pytest

from tests import reused

ROWS = {"epoch": 1}


def rows(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
            for name in reused.full(connection)
        }


def test_what_one_left_the_next_does_not_find(postgres: str) -> None:
    with reused.borrowed(postgres) as url, psycopg.connect(url) as left:  # whose connection stays open
        assert rows(url) == ROWS
        left.execute("INSERT INTO lease VALUES ('a', 'b', 1, 1)")
        left.execute("INSERT INTO epoch VALUES (2, 3)")
        left.commit()
        assert rows(url) == {"epoch": 2, "lease": 1}
        with reused.borrowed(postgres) as other:
            assert other != url
    with reused.borrowed(postgres) as again:
        assert rows(again) == ROWS


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX ix_token_subject", "ALTER TABLE lease ADD COLUMN more text", "DROP TABLE lease",
        "ALTER TABLE lease ALTER COLUMN holder DROP NOT NULL", "CREATE TABLE more (id int)",
    ],
)  # fmt: skip
def test_another_schema_is_not_used_again(postgres: str, change: str) -> None:
    with reused.borrowed(postgres) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(change)
    with reused.borrowed(postgres) as next_one:
        assert next_one != url
        assert rows(next_one) == ROWS
