"""The bench runs and prints every line; what it measures is nobody's test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.lines import Line
from vault import fields

ROOT = Path(__file__).parents[2]


def test_a_quick_run_prints_every_line() -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--store", "sqlite", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = json.loads(done.stdout)["lines"]
    assert all(line["rate"] > 0 for line in lines)
    sections = [line["section"] for line in lines]
    counts = {
        "core": 4 + len(fields.names()),
        "audit": 3,
        "passwords": 9,
        "policy": 2,
        "logins": 4,
        "columns": 3,
        "singles": 2,
        "reveals": 4,
        "curve": 4,
        "audited": 4,
        "backups": 7,
    }
    assert {name: sections.count(name) for name in counts} == counts


def test_a_ratio_is_judged_by_its_target() -> None:
    line = Line("columns", "sqlite", "tokenize", 40.0, "values", "bulk insert", 100.0, 0.4)
    assert (line.ratio, line.verdict, line.data()["met"]) == (0.4, "met", True)
    assert "100 bulk insert = 0.40  (target 0.40, met)" in line.text()
    missed = Line("columns", "sqlite", "tokenize", 39.0, "values", "bulk insert", 100.0, 0.4)
    assert (missed.verdict, missed.data()["met"]) == ("not met", False)
    told = Line("curve", "sqlite", "new values", 7.0, "values")
    assert (told.ratio, told.verdict, told.data()["met"]) == (None, "", None)
