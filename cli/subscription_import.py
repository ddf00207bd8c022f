"""`meterpost subscriptions import` and `follow`: a file onto the queue, and then what becomes of it."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
from marshmallow import ValidationError

from cli.csv_rows import HeaderRefused
from cli.exits import FAILURE, FINDINGS, INTERRUPTED, OK, Failed
from cli.interrupts import noted
from cli.output import json_option, print_json, print_table, print_words, shown
from cli.subscription_calls import duration_of
from cli.subscription_files import Format, format_of, open_rows
from cli.subscription_follow import KnownElsewhere, Seen, Watched, follow, words_of
from cli.subscription_publish import LOOK_EVERY_S, Imported, Importing, name_of
from cli.subscription_rejects import Rejects, rejects_beside
from cli.subscription_rows import WARNINGS_MAX, Found
from meterpost.rules import read_source
from meterpost.subscription_rules import read_import_name
from service import settings
from service.ledger import LedgerUnavailable

WARNINGS_SHOWN_MAX = 20
IMPORT_EPILOG = """\b
Examples:
  meterpost subscriptions import customers.csv --dry-run
  meterpost subscriptions import customers.csv
  meterpost subscriptions import - --format ndjson --name spring < spring.ndjson
  meterpost subscriptions import customers.rejected.csv

\b
meterpost subscriptions template writes every column with its meaning.
"""
FOLLOW_EPILOG = """\b
Examples:
  meterpost subscriptions follow spring
  meterpost subscriptions follow customers.csv@20260301T120000Z --json
"""


class Ruled(click.ParamType[str]):
    """A text by the client's own rule."""

    def __init__(self, name: str, rule: Any) -> None:
        self.name = name
        self._rule = rule

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(self._rule(str(value)))
        except ValidationError as refused:
            self.fail("; ".join(map(str, refused.messages)), param, ctx)


@click.command("import", epilog=IMPORT_EPILOG, short_help="Have the subscriptions of a file made, each once.")
@click.argument("file", type=click.File("rb"))
@click.option("--format", "kind", type=click.Choice(["csv", "ndjson"]), help="By the file's name if left out.")
@click.option(
    "--source",
    type=Ruled("text", read_source),
    default="csv",
    show_default=True,
    help="Who numbers the row ids, where the file does not say.",
)
@click.option("--name", type=Ruled("text", read_import_name), help="The import's; made of the file's if left out.")
@click.option(
    "--errors", type=click.Path(dir_okay=False, path_type=Path), help="Where rejected rows go: beside FILE if left out."
)
@click.option("--dry-run", "is_dry", is_flag=True, help="Publish nothing; say what is good, bad and doubtful.")
@click.option("--no-wait", "is_left", is_flag=True, help="Return as soon as the queue has the rows.")
@json_option
def import_file(  # one parameter an option of the command
    *,
    file: BinaryIO,
    kind: Format | None,
    source: str,
    name: str | None,
    errors: Path | None,
    is_dry: bool,
    is_left: bool,
    as_json: bool,
) -> int:
    """Have the subscriptions of FILE made at Stripe, or those of stdin with -, each once.

    The rows go onto the queue, and the command watches until nothing of them waits. Ctrl-C is safe at any time, and
    `subscriptions follow NAME` looks again, without the file.

    A row's id is its column row_id, or made of what it says: the same file again, grown or in another order, makes
    only what is new. Bad lines, and what Stripe refused or the guard blocked, go to an error file (FILE.rejected.csv)
    that is corrected and imported as it is. Exit code 1: a row is bad, refused, blocked or in conflict; 3: one is held.
    """
    chosen, file_name = settings.load(), str(getattr(file, "name", ""))
    try:
        opened = open_rows(file, kind or format_of(file_name))
    except HeaderRefused as refused:
        raise click.UsageError(str(refused)) from refused
    imported = Imported(import_name=name or name_of(file_name, now=datetime.now(UTC)))
    importing = Importing(chosen=chosen, file=file, opened=opened, source=source, imported=imported)
    if is_dry:
        importing.dry_run()
        _answer_dry(imported, calls_per_s=chosen.calls_per_s, as_json=as_json)
        return FAILURE if imported.found.bad else OK
    chosen.require("BROKER_URL")
    is_watched = not is_left and importing.can_be_watched()
    with rejects_beside(file_name, opened, path=errors, source=source) as (rejects, path):
        is_stopped = _run(importing, rejects, is_watched=is_watched, tell=_quiet if as_json else _tell_found)
        if rejects.rows:
            imported.rejected, imported.rejected_file = rejects.rows, str(path)
    _answer(imported, is_watched=is_watched, as_json=as_json)
    return INTERRUPTED if is_stopped else _code(imported)


@click.command("follow", epilog=FOLLOW_EPILOG, short_help="Watch what becomes of an import.")
@click.argument("name")
@json_option
def follow_import(*, name: str, as_json: bool) -> int:
    """Watch what becomes of the import NAME, until nothing of it waits.

    `subscriptions imports` lists the names. Ctrl-C is safe at any time; exit codes are those of import.
    """
    chosen = settings.load()
    chosen.require("DATABASE_URL")
    watched = Watched(chosen.account, name)
    watched.look()
    if not watched.seen.states:
        raise Failed(f"the ledger knows no import {name!r}: see meterpost subscriptions imports, or wait for record")
    with noted() as interrupts:
        is_settled = follow(watched, interrupts, interval_s=LOOK_EVERY_S)
    imported = Imported(import_name=name, states=watched.seen.states, is_settled=is_settled)
    if as_json:
        print_json({"import": name, "states": imported.states, "is_settled": is_settled})
    else:
        _tell_states(imported)
    return _code(imported) if is_settled else INTERRUPTED


def _run(importing: Importing, rejects: Rejects, *, is_watched: bool, tell: Callable[[Found], None]) -> bool:
    """Whether Ctrl-C ended it. What the file is found to say is told before the watch, which may take long."""
    name = importing.imported.import_name
    with noted() as interrupts:
        try:
            rows = importing.publish(rejects, interrupts)
        except KeyboardInterrupt:
            print_words(f"stopped within the file: import it again with --name {name}, and nothing is made twice")
            return True
        finally:
            tell(importing.imported.found)
        if not is_watched:
            return False
        importing.watch(rows, interrupts)
        try:
            importing.reject_refused(rejects)
        except LedgerUnavailable as away:
            print_words(f"{away}\nwhat Stripe refused is written later by meterpost subscriptions errors {name}")
        return not importing.imported.is_settled


def _code(imported: Imported) -> int:
    if imported.found.bad or (seen := _seen(imported)).dead:
        return FAILURE
    return FINDINGS if seen.held else OK


def _answer_dry(imported: Imported, *, calls_per_s: int, as_json: bool) -> None:
    seconds = -(-imported.found.calls // calls_per_s)
    if as_json:
        print_json(_json(imported) | {"calls_s": seconds})
        return
    found = imported.found
    _tell_found(found)
    _tell_known(imported)
    print_words(f"{found.rows:,} good rows, {found.bad:,} bad, {found.repeated:,} told twice; nothing was published")
    if found.rows:
        lasts = duration_of(found.calls, calls_per_s=calls_per_s)
        print_words(f"at most {found.calls:,} calls to Stripe, about {lasts} at {calls_per_s:,} calls a second")


def _answer(imported: Imported, *, is_watched: bool, as_json: bool) -> None:
    if as_json:
        print_json(_json(imported))
        return
    _tell_known(imported)
    found, name = imported.found, imported.import_name
    print_words(f"{imported.published:,} rows published as {name}, {found.bad:,} bad, {found.repeated:,} told twice")
    if is_watched:
        _tell_states(imported)
    if imported.rejected_file:
        print_words(f"{imported.rejected:,} rows to correct in {imported.rejected_file}; then import that as it is")
    if imported.is_unfit:
        print_words(f"more of this name has fields without a column here: meterpost subscriptions errors {name}")


def _quiet(found: Found) -> None:
    """JSON tells it, once all is known."""


def _tell_found(found: Found) -> None:
    if found.bad_lines:
        print_table(["#line", "column", "reason"], [(bad.line, bad.column, bad.reason) for bad in found.bad_lines])
    if found.bad > len(found.bad_lines):
        print_words(f"… and {found.bad - len(found.bad_lines):,} more bad rows")
    for one in found.warnings[:WARNINGS_SHOWN_MAX]:
        print_words(f"line {one.line}: {shown(one.warning)}")
    if found.warned > WARNINGS_SHOWN_MAX:
        print_words(f"… and {found.warned - WARNINGS_SHOWN_MAX:,} more warnings (--json has the first {WARNINGS_MAX})")


def _tell_known(imported: Imported) -> None:
    for known, rows in imported.known:
        print_words(f"{rows:,} rows are known already, {_told(known)}: nothing more is made of them")
    if imported.told_otherwise:
        told = f"{imported.told_otherwise:,} rows have the ids of others that say another thing, which counts"
        print_words(f"{told}: give them ids of their own (see meterpost dead list --class row_conflict)")


def _seen(imported: Imported) -> Seen:
    return Seen(
        states=imported.states,
        told_otherwise=imported.told_otherwise,
        quarantined=imported.quarantined,
        on_queue=imported.on_queue,
    )


def _told(known: KnownElsewhere) -> str:
    if not known.state:
        return "as usage, under the same ids"
    return f"{known.state}, {'with ' + shown(known.import_name) if known.import_name else 'with no file'}"


def _tell_states(imported: Imported) -> None:
    name = imported.import_name
    seen = _seen(imported)
    print_words(f"{name}: {words_of(seen)}")
    if not imported.is_settled:
        print_words(f"what is published goes on by itself: meterpost subscriptions follow {name}")
    if seen.states.get("refused"):
        print_words(f"after a repair at Stripe: meterpost subscriptions retry-failed --import {name} --reason …")
    if seen.states.get("blocked"):
        print_words(f"why they are blocked: meterpost subscriptions list --import {name} --state blocked")
    if seen.states.get("incomplete"):
        listed = f"meterpost subscriptions list --import {name} --unpaid"
        print_words(f"what is incomplete has a first invoice to be paid, or ends 23 hours after it began: {listed}")
    if seen.states.get("incomplete_expired"):
        print_words("what is incomplete_expired was never paid, and bills nothing: tell it again under another row_id")
    if seen.held:
        print_words("what is held may have been made: it is looked for at Stripe until that is certain")


def _json(imported: Imported) -> dict[str, object]:
    told = asdict(imported)
    found = told.pop("found")
    known = [asdict(one) | {"rows": rows} for one, rows in imported.known]
    return {"import": told.pop("import_name"), **found, **told, "known": known}
