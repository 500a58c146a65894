"""Measure strongroom beside simple peers in the same run, and print the ratios; a missed target fails nothing."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from bench import (
    audit,
    audited,
    backups,
    columns,
    core,
    curve,
    logins,
    passwords,
    policy,
    reveals,
    singles,
    turning,
)
from bench.lines import Line
from bench.places import Place, places
from bench.plan import FULL, QUICK, SHORT, Plan
from tests.databases import KINDS

IN_PROCESS = {"core": core.run, "audit": audit.run, "passwords": passwords.run, "policy": policy.run}
OVER_HTTP = {"columns": columns.run, "singles": singles.run, "reveals": reveals.run}
ALONE = {
    "curve": curve.run,
    "turning": turning.run,
    "logins": logins.run,
    "audited": audited.run,
}  # on a table that is empty at first
OWN = {"backups": backups.run}  # with services of their own
SECTIONS = (*IN_PROCESS, *OVER_HTTP, *ALONE, *OWN)


def main() -> None:
    """Run what the command line asks for."""
    asked = _parser().parse_args()
    plan = QUICK if asked.quick else FULL if asked.full else SHORT
    if asked.rows:
        plan = replace(plan, backed=asked.rows)
    sections = tuple(asked.section or SECTIONS)
    stores = tuple(asked.store or KINDS)
    start = time.monotonic()
    lines: list[Line] = []
    for line in measure(plan, sections, stores):
        lines.append(line)
        if not asked.json:
            print(line.text(), flush=True)
    took = time.monotonic() - start
    if asked.json:
        json.dump({"seconds": round(took, 1), "lines": [line.data() for line in lines]}, sys.stdout, indent=1)
        print()
    else:
        judged = [line for line in lines if line.verdict]
        print(f"{sum(line.verdict == 'met' for line in judged)} of {len(judged)} targets met, {took:.0f} s")


def measure(plan: Plan, sections: tuple[str, ...], stores: tuple[str, ...]) -> Iterator[Line]:
    """Yield the lines of the sections as they are found."""
    for name, run in IN_PROCESS.items():
        if name in sections:
            yield from run(plan)
    if set(sections) <= set(IN_PROCESS):
        return
    with places(stores) as found:
        for place in found:
            yield from _over_http(place, plan, sections)


def _over_http(place: Place, plan: Plan, sections: tuple[str, ...]) -> Iterator[Line]:
    asked = [OVER_HTTP[name] for name in OVER_HTTP if name in sections]
    if asked:
        with place.service() as service:
            for run in asked:
                yield from run(place, service, plan)
    for name, run in ALONE.items():
        if name in sections:
            with place.service() as service:
                yield from run(place, service, plan)
    for name, run_own in OWN.items():
        if name in sections:
            yield from run_own(place, plan)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="tiny sizes, for a test: measures nothing")
    length.add_argument("--full", action="store_true", help="the curve to 1,000,000 rows; some 10 minutes")
    parser.add_argument(
        "--store", choices=KINDS, action="append", help="one kind of database (default: both)"
    )
    parser.add_argument("--section", choices=SECTIONS, action="append", help="one section (default: all)")
    parser.add_argument("--rows", type=int, help="so many are backed up and restored")
    parser.add_argument("--json", action="store_true", help="print JSON at the end instead of lines")
    return parser


main()
