"""The judgement: what invoices and open alarms say, beside the story's own sums, to the unit and the cent."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from chaos.periods.place import Place
from chaos.periods.story import BILLED, DISCARDED, FREE, Span, Story

ALARMS = """
SELECT kind, customer, stretch_start, units, coalesce(amount, 0) FROM alarm WHERE cleared_at IS NULL AND kind = ANY(%s)
"""
HISTORY = "SELECT kind, count(*), count(cleared_at) FROM alarm GROUP BY kind ORDER BY kind"
KINDS = ["unbilled", "discarded", "late", "straddling", "differs", "closing", "trial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`wrong` is a sentence each; `cents` and `units` what invoices and alarms have together."""

    wrong: list[str]
    rows: int
    units: dict[str, int]
    cents: dict[str, int]
    alarms: dict[str, tuple[int, int]]


def judge(story: Story) -> Judgement:
    place = story.place
    billed, cents_billed = _billed(place)
    alarmed = _alarmed(place)
    wrong, units, cents = list[str](), Counter[str](), Counter[str]()
    for span in story.spans:
        told = _told(story, span)
        on_invoice, on_alarm = billed.pop(_key(place, span), 0), _alarm(alarmed, place, span)
        units[span.fate] += told
        cents[span.fate] += told * span.cents
        wrong += _wrongs(span, told=told, on_invoice=on_invoice, on_alarm=on_alarm)
    wrong += [
        f"an invoice has {quantity} units of {key}, of which nobody knows"
        for key, quantity in billed.items()
        if quantity
    ]
    wrong += _unbilled(story, alarmed)
    wrong += [f"an alarm says {alarm}, of which nobody knows" for alarm in alarmed if alarm["kind"] != "trial"]
    expected = sum(_told(story, span) * span.cents for span in story.spans if span.fate == BILLED)
    missing = {kind: int(sum(row[-1] for row in place.ask(ALARMS, [kind]))) for kind in ("late", "differs")}
    if cents_billed + sum(missing.values()) != expected:
        wrong.append(f"invoices have {cents_billed} cents and alarms {missing}, and {expected} are to be billed")
    cents |= missing | {"on invoices": cents_billed}
    history = {kind: (raised, cleared) for kind, raised, cleared in place.ask(HISTORY)}
    return Judgement(wrong=wrong, rows=len(story.used), units=dict(units), cents=dict(cents), alarms=history)


def _wrongs(span: Span, *, told: int, on_invoice: int, on_alarm: list[dict[str, Any]]) -> list[str]:
    units = {alarm["kind"]: int(alarm["units"]) for alarm in on_alarm}
    where = f"{span.customer} days {span.start:g} to {span.end:g} at {span.cents}"
    if span.fate in {BILLED, FREE}:
        missing = units.pop("late", 0) + units.pop("differs", 0)
        is_whole = told == on_invoice + missing
        found = [] if is_whole else [f"{where}: {told} used, {on_invoice} on an invoice, {missing} alarmed"]
    elif span.fate == DISCARDED:
        found = [f"{where}: {told} used, {units} discarded"] if units.pop("discarded", 0) != told or on_invoice else []
    else:
        found = [f"{where}: {on_invoice} billed of an open period"] if on_invoice else []
    amounts = [f"{where}: {alarm} is worth something else" for alarm in on_alarm if not _is_worth(alarm, span)]
    return [*found, *amounts, *(f"{where}: alarmed as {kind}" for kind in units if kind != "trial")]


def _is_worth(alarm: dict[str, Any], span: Span) -> bool:
    cents = 0 if span.fate == FREE else span.cents
    return bool(alarm["kind"] == "trial" or alarm["amount"] == alarm["units"] * cents)


def _told(story: Story, span: Span) -> int:
    start, end = story.place.at(span.start), story.place.at(span.end)
    return sum(use.units for use in story.used if use.customer == span.customer and start <= use.at < end)


def _unbilled(story: Story, alarmed: list[dict[str, Any]]) -> list[str]:
    """Usage outside of every span stands in one alarm a customer."""
    found = list[str]()
    for name, customer in story.customers.items():
        spans = [(story.place.at(s.start), story.place.at(s.end)) for s in story.spans if s.customer == customer]
        outside = [use.units for use in story.used if use.customer == customer and not _covered(use.at, spans)]
        mine = [alarm for alarm in alarmed if (alarm["kind"], alarm["customer"]) == ("unbilled", customer)]
        if sum(outside) != sum(int(alarm["units"]) for alarm in mine):
            found.append(f"{name}: {sum(outside)} units are nobody's, alarmed are {mine}")
        for alarm in mine:
            alarmed.remove(alarm)
    return found


def _covered(at: datetime, spans: list[tuple[datetime, datetime]]) -> bool:
    return any(start <= at < end for start, end in spans)


def _key(place: Place, span: Span) -> tuple[str, int, int]:
    return span.customer, span.cents, int(place.at(span.start).timestamp())


def _billed(place: Place) -> tuple[Counter[tuple[str, int, int]], int]:
    """Units by customer, price and start, and the cents of all final invoices, as Stripe lists them."""
    billed, cents = Counter[tuple[str, int, int]](), 0
    for invoice in place.v1.invoices.list({"limit": 100}).auto_paging_iter():
        if invoice.status == "draft":
            continue
        cents += invoice.total
        for line in invoice.lines.data:
            if line.period.start < line.period.end:
                price = int(Decimal(line.pricing.unit_amount_decimal))
                billed[invoice.customer, price, line.period.start] += int(line.quantity)
    return billed, cents


def _alarmed(place: Place) -> list[dict[str, Any]]:
    names = ("kind", "customer", "start", "units", "amount")
    return [dict(zip(names, row, strict=True)) for row in place.ask(ALARMS, KINDS)]


def _alarm(alarmed: list[dict[str, Any]], place: Place, span: Span) -> list[dict[str, Any]]:
    """The alarms of this span, taken out of all."""
    mine = [one for one in alarmed if (one["customer"], one["start"]) == (span.customer, place.at(span.start))]
    for one in mine:
        alarmed.remove(one)
    return mine
