"""The policy of a tenant that has none: what API keys carry by themselves."""

from __future__ import annotations

from pathlib import Path

from vault.policy.document import read

BUILT_IN = read((Path(__file__).parent / "built_in.toml").read_text(encoding="utf-8"))
