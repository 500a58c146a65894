"""Tokenize every column of customers.csv through the HTTP API, reveal every token again and compare.

Exits 0 if every value came back as its field type's canonical form of the original, 1 otherwise.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from service import Service, end_on_signals, free_port
from strongroom_client import Client

from vault import fields

ROOT = Path(__file__).resolve().parents[1]
CUSTOMERS = Path(__file__).with_name("customers.csv")
BATCH = 1_000  # values a request
SHOWN = 3  # customers
WIDE = 132  # characters; on a narrower terminal tokens are cut short

console = Console(width=None if Console().is_terminal else WIDE)


@dataclass(slots=True)
class Column:
    """One column of the file: customers, their values, and what became of them; seconds of both ways."""

    name: str
    subjects: list[str]
    values: list[str]
    tokens: list[str | None] = field(default_factory=list)
    revealed: list[str | None] = field(default_factory=list)
    there: float = 0.0
    back: float = 0.0

    def batches(self) -> Iterator[slice]:
        """Yield the column's slices of at most BATCH values."""
        return (slice(at, at + BATCH) for at in range(0, len(self.values), BATCH))

    def equal(self) -> int:
        """Return how many values came back as the canonical form of the original."""
        canonical, _ = fields.normalize_column(self.name, self.values, {})
        return sum(a is not None and a == b for a, b in zip(canonical, self.revealed, strict=True))


def read(path: Path) -> list[Column]:
    """Return the file's columns, but the customers' numbers; empty cells are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [Column(name, [], []) for name in rows[0] if name != "customer_id"]
    for column in columns:
        filled = [row for row in rows if row[column.name]]
        column.subjects = [row["customer_id"] for row in filled]
        column.values = [row[column.name] for row in filled]
    return columns


def tokenize(client: Client, column: Column, part: slice) -> None:
    """Exchange a part of a column for tokens, each value sealed under its customer's own key."""
    start = time.perf_counter()
    made = client.tokenize_column(column.name, column.values[part], subjects=column.subjects[part])
    column.there += time.perf_counter() - start
    column.tokens += made.tokens


def reveal(client: Client, column: Column, part: slice) -> None:
    """Turn a part of a column's tokens back into values."""
    start = time.perf_counter()
    back = client.reveal_column(column.tokens[part], purpose="service", view="plain")
    column.back += time.perf_counter() - start
    column.revealed += back.values


def each(title: str, columns: list[Column], work: Callable[[Column, slice], None]) -> None:
    """Do `work` on every part of every column: with a bar on a terminal, else with a line a column."""
    total = sum(len(column.values) for column in columns)
    look = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*look, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        for column in columns:
            progress.update(task, description=f"{title} {column.name:<12}")
            for part in column.batches():
                work(column, part)
                progress.advance(task, len(column.values[part]))
            if not console.is_terminal:
                console.print(f"{title} {column.name}: {len(column.values)}")


def show(client: Client, columns: list[Column]) -> None:
    """Print the first customers' values, the tokens that a backend keeps instead, and the masked views."""
    for customer in columns[0].subjects[:SHOWN]:
        table = Table("field", "before", "after", "masked view", title=customer, title_justify="left")
        for column in columns:
            if customer in column.subjects:
                at = column.subjects.index(customer)
                masked = client.reveal_column([column.tokens[at]], purpose="service").values[0]
                token = column.tokens[at] or ""
                shown = token if console.width >= WIDE else f"{token[:16]}…"
                table.add_row(column.name, column.values[at], shown, masked)
        console.print(table)


def report(columns: list[Column]) -> bool:
    """Print counts and rates of every column and of all, and return whether every value came back."""
    table = Table(
        "field", *(title for title in ("values", "tokenized a second", "revealed a second", "equal"))
    )
    lines = [(c.name, len(c.values), c.there, c.back, c.equal()) for c in columns]
    _, counts, there, back, equal = zip(*lines, strict=True)
    lines.append(("all", sum(counts), sum(there), sum(back), sum(equal)))
    for name, count, out, home, same in lines:
        table.add_row(name, f"{count:,}", f"{count / out:,.0f}", f"{count / home:,.0f}", f"{same:,}")
    console.print(table)
    return sum(counts) == sum(equal)


def demonstrate(folder: Path) -> bool:
    """Run the whole way on a fresh service in `folder`, and return whether every value came back."""
    columns = read(CUSTOMERS)
    with (folder / "serve.log").open("wb") as log:
        service = Service(folder, free_port(), log)
        key = service.prepare("demo")["live"]
        with service, Client(service.url, key) as client:
            console.print(f"a fresh strongroom is ready at {service.url}")
            each("tokenize", columns, lambda column, part: tokenize(client, column, part))
            show(client, columns)
            each("reveal", columns, lambda column, part: reveal(client, column, part))
    return report(columns)


def main() -> int:
    """Return 0 if every value came back, 1 otherwise."""
    end_on_signals()
    (ROOT / "var").mkdir(mode=0o700, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=ROOT / "var"))
    try:
        good = demonstrate(folder)
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        return 130  # 128 + SIGINT, as a shell would say
    except Exception:
        console.print(f"the service's log is {folder / 'serve.log'}")
        raise
    if good:
        shutil.rmtree(folder)
    console.print("every value came back" if good else f"NOT every value came back; see {folder}")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
