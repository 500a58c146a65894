"""`strongroom passwords import`: a CSV file of another system's password hashes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from api.cli import columnwise, csvfile, hashfile, outfile
from api.cli.connection import online
from api.cli.failure import REFUSED_ROWS, going_on
from api.cli.files import OUTPUT, SOURCE, delimiter_option, encoding_option
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, PasswordsImported


@click.command("import")
@online
@click.argument("source", metavar="FILE", type=SOURCE)
@click.option("--login", metavar="COLUMN", help="Column with an opaque token of each login.")
@click.option("--login-name", metavar="COLUMN", help="Column with login names.")
@click.option("--subject", metavar="COLUMN", help="Column with your own id of each person.")
@click.option(
    "--hash", "hashes", metavar="COLUMN", default="hash", show_default=True, help="Column with hashes."
)
@click.option(
    "--salt", metavar="COLUMN", help='Column with salts; default "salt", if there is one; "" for none.'
)
@click.option("--layout", metavar="EXPR", help="What was hashed how, such as md5(md5(password)+salt).")
@click.option(
    "--wrap", is_flag=True, help="Put Argon2id over each hash now; takes the time of a log-in each."
)
@click.option(
    "--report", "output", type=OUTPUT, help="CSV file for refused rows: line, code, detail; mode 0600."
)
@click.option("--force", is_flag=True, help="Replace the report if it exists.")
@encoding_option
@delimiter_option
def take(
    screen: Screen, client: Client, /, *, source: str, hashes: str, salt: str | None, layout: str | None,
    wrap: bool, output: Path | None, force: bool, encoding: str | None, delimiter: str, **said: str | None,
) -> None:  # fmt: skip
    """Take password hashes of another system from a CSV FILE ("-" for standard input).

    \b
    strongroom passwords import users.csv --login-name account --hash password_hash --report refused.csv

    The first line names the columns; without an option, the column login, login_name or subject says whose a hash
    is. A row that is refused is told by line and reason, and all others go through. A login that has a password
    keeps it, so an import that broke off goes on when it is run again. Each hash is verified as it is, and made anew
    by the next log-in.
    """
    if output is not None:
        outfile.check(output, force, source)
    options: dict[str, Any] = {"layout": layout, "wrap": wrap}

    def send(columns: Mapping[str, list[str | None]], done: Callable[[int], None]) -> PasswordsImported:
        given: dict[str, Any] = dict(columns)
        return client.import_passwords(given.pop("hashes"), progress=done, **given, **options)

    again = "the same command goes on: what was taken is told as there already"
    with going_on(again if source != "-" else None):
        total = csvfile.count(source, encoding, delimiter) if source != "-" else None
        with csvfile.opened(source, encoding, delimiter) as file:
            columns = hashfile.find(file, said, hashes, salt)
            with _written(output, force) as out, columnwise.bar(source, total) as bar:
                report = hashfile.run(file, columns, send, out=out, progress=bar)
    _tell(screen, source, report, output)
    if report.refused:
        sys.exit(REFUSED_ROWS)


@contextmanager
def _written(output: Path | None, force: bool) -> Iterator[TextIO | None]:
    if output is None:
        yield None
        return
    with outfile.created(output, force) as out:
        yield out


def _tell(screen: Screen, source: str, report: hashfile.Report, output: Path | None) -> None:
    refused = report.refused.total()
    if screen.json:
        screen.data({
            "rows": report.rows, "imported": report.imported, "there_already": report.there,
            "refused": dict(report.refused.most_common()), "report": str(output) if output else None,
            "seconds": round(report.seconds, 3),
        })  # fmt: skip
        return
    for item in report.first:
        screen.note(f"{source}:{item.line}: {item.detail} ({item.code})")
    if refused > len(report.first):
        screen.note(f"… and {refused - len(report.first)} more; --report writes them all")
    counts = ", ".join(f"{code} {count}" for code, count in report.refused.most_common())
    done = (
        f"rows: {report.rows}, imported: {report.imported}, there already: {report.there}, refused: {refused}"
    )
    screen.say(done + (f" ({counts})" if counts else "") + (f" -> {output}" if output else ""))
