"""The examples in docstrings."""

from __future__ import annotations

import doctest

import strongroom_client.client


def test_docstrings() -> None:
    assert doctest.testmod(strongroom_client.client) == (0, 1)
