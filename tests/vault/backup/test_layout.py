"""Where files lie: a manifest's path is read back to what it was made of, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.backup import layout
from vault.store.streams import STREAMS, Stream


@given(st.integers(0, 2**64 - 1), st.sampled_from(STREAMS), st.integers(1, 9_999_999_999))
def test_a_manifests_path_says_what_it_is_of(installation: int, stream: Stream, number: int) -> None:
    name = layout.installation(installation)
    path = layout.manifest(name, stream, number)
    assert layout.parsed(path) == (name, stream, number)
    assert path.startswith(layout.manifests(name, stream))


def test_paths_sort_by_number() -> None:
    paths = [layout.manifest("00000000000000a1", "data", number) for number in (1, 9, 10, 999, 10**9)]
    assert paths == sorted(paths)


@pytest.mark.parametrize(
    "path",
    [
        "00000000000000a1/data/manifests/1.txt",
        "00000000000000a1/data/manifests/0000000001.txt\n",
        "00000000000000a1/data/manifests/0000000001.txt.part",
        "00000000000000a1/other/manifests/0000000001.txt",
        "00000000000000A1/data/manifests/0000000001.txt",
        "x/00000000000000a1/data/manifests/0000000001.txt",
        "00000000000000a1/data/manifests/٠٠٠٠٠٠٠٠٠١.txt",
        "",
    ],
)
def test_nothing_else_is_a_manifests_path(path: str) -> None:
    assert layout.parsed(path) is None
