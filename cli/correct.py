"""`meterpost correct`: a row or a meter event is taken back, or says another amount, once and on the books."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import click
from marshmallow import ValidationError

from cli.exits import OK, Failed
from cli.late import dry_run_option
from cli.ledger import committing, writing
from cli.letters import line_of
from cli.ordering import order_of, order_options
from cli.output import instant, json_option, print_json, print_words, shown
from meterpost.rules import read_value
from service import settings
from service.correcting import Change
from service.currencies import money as in_words
from service.ledger.actions import Order
from service.ledger.answers import Acted, Declined
from service.ledger.connection import Transaction
from service.ledger.correcting import Corrected, Money, Preview, Target, correct
from service.ledger.story import RecordedRow, rows_called
from service.ledger.unbilled_worth import unbilled_money
from service.letters import Kind, NoLetter, read_letter_id
from service.ratecard.chosen import terms_by
from service.settings import Settings

EPILOG = """\b
Examples:
  meterpost correct export-17 --reason "a test export, INC-42" --dry-run
  meterpost correct me-123 --to 250 --reason "counted twice by the shop"
  meterpost correct export-17 --source exports --by -5 --reason "agreed with the customer"
"""


class UnitsParameter(click.ParamType[Decimal]):
    name = "units"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            return value if isinstance(value, Decimal) else read_value(str(value))
        except ValidationError as refused:
            self.fail("; ".join(map(str, refused.messages)), param, ctx)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person named."""

    text: str
    source: str | None


@click.command(epilog=EPILOG)
@click.argument("target")
@click.option("--by", type=UnitsParameter(), help="Add so many units, or with a minus take them away.")
@click.option("--to", type=UnitsParameter(), help="Make it say so many units.")
@click.option("--source", help="Whose row, where several sources number alike.")
@dry_run_option
@order_options
@json_option
def command(  # one parameter an option of the command
    *,
    target: str,
    by: Decimal | None,
    to: Decimal | None,
    source: str | None,
    is_dry: bool,
    reason: str,
    actor: str | None,
    as_json: bool,
) -> int:
    """Take TARGET back, or change how much it says. TARGET is a row's id, or a meter event (me-123).

    What Stripe received within a day and is taken back as a whole is cancelled there. All else is a row of the source
    meterpost beside it: at its own time while its invoice is open, in the period of now once that is final. Asked twice
    it is done once; second thoughts are a correction of that row.
    """
    if by is not None and to is not None:
        raise click.UsageError("say --by or --to, not both")
    chosen, wanted = settings.load(), Wanted(text=target, source=source)
    with writing() as tx:
        change, order = Change(by=by, to=to), order_of(actor, reason)
        corrected = _correct(tx, wanted, change, order=order, chosen=chosen, is_dry=is_dry)
    if isinstance(corrected.answer, Declined):
        raise Failed(f"{target}: {corrected.answer.text}")
    if as_json:
        told = {"done": isinstance(corrected.answer, Acted), "dry_run": is_dry, "answer": corrected.answer}
        print_json(told | {"preview": corrected.preview})
        return OK
    _print(corrected, is_dry=is_dry)
    return OK


def _correct(
    tx: Transaction, wanted: Wanted, change: Change, *, order: Order, chosen: Settings, is_dry: bool
) -> Corrected:
    with committing(tx, is_dry=is_dry):
        target = _target(tx, wanted)
        is_only_writer = chosen.is_only_writer
        corrected = correct(tx, target, change, order=order, is_only_writer=is_only_writer, timing=chosen.timing)
        return _with_money(tx, target, corrected, chosen=chosen)


def _with_money(tx: Transaction, target: Target, corrected: Corrected, *, chosen: Settings) -> Corrected:
    """What no subscription bills has no period, and is worth what its alarm says."""
    preview = corrected.preview
    if preview is None or preview.period_start is not None:
        return corrected
    units = {"before": preview.units_before, "after": preview.units_after}
    money = unbilled_money(tx, target, **units, card=terms_by(chosen))
    return replace(corrected, preview=replace(preview, money=money))


def _target(tx: Transaction, wanted: Wanted) -> Target:
    """Raises Failed where it names no row, or several."""
    if (meter_event_id := _meter_event(wanted)) is not None:
        return Target(name=f"me-{meter_event_id}", meter_event_id=meter_event_id)
    called = rows_called(tx, wanted.text)
    rows = [row for row in called if wanted.source in {None, row.source}]
    if called and not rows:
        raise Failed(f"the ledger knows no row {wanted.text} of {wanted.source}, but one of {_or(called)}")
    if not rows:
        raise Failed(f"the ledger knows no row {wanted.text}: it may still be on the queue (see meterpost row show)")
    if len(rows) > 1:
        raise Failed(f"several sources have a row {wanted.text}: add --source {_or(rows)}")
    return Target(name=f"entry-{rows[0].entry_id}", entry_id=rows[0].entry_id)


def _meter_event(wanted: Wanted) -> int | None:
    try:
        letter = read_letter_id(wanted.text)
    except NoLetter:
        return None
    return letter.number if letter.kind is Kind.METER_EVENT and wanted.source is None else None


def _or(rows: list[RecordedRow]) -> str:
    return " or ".join(sorted({row.source for row in rows}))


def _print(corrected: Corrected, *, is_dry: bool) -> None:
    if corrected.preview is not None:
        click.echo("\n".join(_lines(corrected.preview)))
    print_words(line_of(corrected.answer))
    if is_dry:
        print_words("a dry run: nothing was changed")


def _lines(preview: Preview) -> Iterator[str]:
    yield f"way:     {preview.way}, counted at {instant(preview.counts_at)}"
    yield f"why:     {shown(preview.why)}"
    yield f"units:   {shown(preview.units_before)} → {shown(preview.units_after)}"
    if preview.period_start is not None and preview.period_end is not None:
        span = f"{instant(preview.period_start)} to {instant(preview.period_end)}"
        yield f"period:  {shown(preview.period_before)} → {shown(preview.period_after)} units, {span}"
    else:
        yield "period:  no subscription is known to bill it"
    whose = "the period's usage" if preview.period_start is not None else "these units alone, which nobody bills yet"
    yield f"money:   {_money(preview.money, whose)}"
    if preview.warning:
        yield f"warning: {preview.warning}"


def _money(money: Money | None, whose: str) -> str:
    if money is None:
        return "no price is known"
    before, after = (in_words(amount, money.currency) for amount in (money.before, money.after))
    return f"{before} → {after} for {whose}"
