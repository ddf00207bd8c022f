"""`meterpost ratecard`: checks what each metric costs, shows it to support, and creates at Stripe what is missing."""

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from cli.exits import FINDINGS, OK, Failed
from cli.output import json_option, print_json, print_table, print_words
from service import settings
from service.currencies import exact_money, money
from service.gateway import Gateway
from service.limiter import Steady
from service.ratecard import CardRefused, Rate, load
from service.ratecard.applying import Part, State, compare, create_missing
from service.ratecard.words import Example, examples, terms_in_words

CHECK_EPILOG = """\b
Examples:
  meterpost ratecard check examples/ratecard.toml
  meterpost ratecard check ratecard.yaml --json | jq -r '.problems[].path'

Exit codes: 0 it is a rate card, 3 it is none.
"""
SHOW_EPILOG = """\b
Examples:
  meterpost ratecard show examples/ratecard.toml
  meterpost ratecard show examples/ratecard.toml --metric api_requests --usage 250000 --usage 3000000
"""
APPLY_EPILOG = """\b
Examples:
  meterpost ratecard apply examples/ratecard.toml --dry-run
  meterpost ratecard apply examples/ratecard.toml

Exit codes: 0 Stripe has all of the card, 1 Stripe refuses or is away, 3 something differs (with --dry-run: is missing).
"""
DIGITS_MAX = 30  # of a usage that is asked about


class Usage(click.ParamType[Decimal]):
    name = "units"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        text = str(value)
        try:
            usage = Decimal(text)
        except InvalidOperation:
            usage = Decimal(-1)
        if len(text) > DIGITS_MAX or not usage.is_finite() or usage < 0 or "e" in text.lower():
            self.fail(f"{text[:DIGITS_MAX]!r} is no usage; give a number of units such as 250000", param, ctx)
        return usage


FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def command() -> None:
    """What each metric costs: check the rate card, show it, and create at Stripe what is missing.

    A rate card is a file in TOML or YAML; examples/ratecard.toml shows every key. Amounts are in the currency itself
    (dollars, not cents) and read exactly.
    """


@command.command(epilog=CHECK_EPILOG)
@FILE
@json_option
def check(*, file: Path, as_json: bool) -> int:
    """Say every mistake in the rate card FILE, by its path and with what to write instead. Asks nobody."""
    try:
        rates, problems = load(file).rates, []
    except CardRefused as refused:
        rates, problems = (), list(refused.problems)
    if as_json:
        print_json({"ok": not problems, "metrics": len(rates), "problems": problems})
    elif problems:
        print_table(["path", "problem"], [(problem.path, problem.text) for problem in problems])
    else:
        print_words(f"{len(rates)} metrics, no mistakes")
    return FINDINGS if problems else OK


@command.command(epilog=SHOW_EPILOG)
@FILE
@click.option("--metric", help="Only this one.")
@click.option("--usage", "asked", type=Usage(), multiple=True, help="What so many units cost; may be given again.")
@json_option
def show(*, file: Path, metric: str | None, asked: Sequence[Decimal], as_json: bool) -> int:
    """Tell what usage costs by the rate card FILE: nothing, one unit, each edge and the unit behind it.

    The cost is that of one customer's whole usage between two resets, as an invoice asks it.
    """
    card = load(file)
    rates = [rate for rate in card.rates if metric in {None, rate.metric}]
    if not rates:
        raise Failed(f"the card has no metric {metric}; it has {', '.join(card.units)}")
    if as_json:
        print_json({"rates": [_told(rate, asked) for rate in rates]})
        return OK
    print_table(["metric", "#usage", "unit", "", "#cost", "a"], [row for rate in rates for row in _rows(rate, asked)])
    for rate in rates:
        print_words(f"{rate.metric}: {terms_in_words(rate.terms)}")
    return OK


@command.command(epilog=APPLY_EPILOG)
@FILE
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only compare; create nothing.")
@json_option
def apply(*, file: Path, is_dry_run: bool, as_json: bool) -> int:
    """Create the meters, products and prices of the rate card FILE that Stripe does not have.

    A meter is found by its event_name, a price by its lookup_key, so running it again creates nothing more, and a run
    that broke off is finished by the next. Nothing at Stripe is changed: where a price or a meter differs from the
    card, that is said.
    """
    card, chosen = load(file), settings.load()
    chosen.require("STRIPE_SECRET_KEY")
    stripe = Gateway(chosen, limiter=Steady(chosen.calls_per_s))
    parts = list[Part]()
    try:
        for one in compare(card, stripe):
            for part in one.parts if is_dry_run else create_missing(one, stripe):
                parts.append(part)
    finally:  # what was created is told, though Stripe fails at the next
        _answer(parts, as_json=as_json)
    return FINDINGS if any(part.state not in {State.EXISTS, State.CREATED} for part in parts) else OK


def _answer(parts: Sequence[Part], *, as_json: bool) -> None:
    if as_json:
        print_json({"parts": parts})
        return
    print_table(
        ["metric", "part", "name", "state", "id", ""],
        [(part.metric, part.kind, part.name, part.state, part.stripe_id, part.text) for part in parts],
    )


def _rows(rate: Rate, asked: Sequence[Decimal]) -> Iterator[tuple[object, ...]]:
    for one in examples(rate, asked):
        yield rate.metric, one.usage, rate.unit, one.what, money(one.amount, rate.terms.currency), rate.reset


def _told(rate: Rate, asked: Sequence[Decimal]) -> dict[str, object]:
    return {
        "metric": rate.metric,
        "unit": rate.unit,
        "formula": rate.formula,
        "product": rate.product,
        "currency": rate.terms.currency,
        "reset": rate.reset,
        "included": rate.included,
        "lookup_key": rate.lookup_key,
        "terms": terms_in_words(rate.terms),
        "costs": [_cost(one, currency=rate.terms.currency) for one in examples(rate, asked)],
    }


def _cost(one: Example, *, currency: str) -> dict[str, object]:
    """`amount` in the currency's minor unit, as Stripe has it."""
    shown = {"cost": money(one.amount, currency), "exact": exact_money(one.exact, currency)}
    return {"usage": one.usage, "what": one.what, "amount": one.amount, **shown}
