"""The judgement: what invoices and open alarms say, beside the story's own sums, to the unit and the cent."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from chaos.periods.alarms import MISSING, Alarm, missing, of_span, open_alarms, units_by_kind
from chaos.periods.invoices import Invoices, key_of
from chaos.periods.place import UNBILLED_CENTS
from chaos.periods.story import BILLED, DISCARDED, FREE, Span, Story

HISTORY = "SELECT kind, count(*), count(cleared_at) FROM alarm GROUP BY kind ORDER BY kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`wrong` is a sentence each; `cents` and `units` what invoices and alarms have together."""

    wrong: list[str]
    rows: int
    units: dict[str, int]
    cents: dict[str, int]
    alarms: dict[str, tuple[int, int]]
    looks: int = 0  # at what final invoices lacked meanwhile


def judge(story: Story) -> Judgement:
    place = story.place
    invoices, alarms, told = Invoices(place=place), open_alarms(place), story.told_by_span()
    invoices.read_on()
    wrong, units, cents, nobodys = list[str](), Counter[str](), Counter[str](), list(alarms)
    for span in story.spans:
        mine = of_span(nobodys, place, span)
        nobodys = [alarm for alarm in nobodys if alarm not in mine]
        units[span.fate] += told[span]
        cents[span.fate] += told[span] * span.cents
        wrong += _wrongs(span, told=told[span], on_invoice=invoices.of(span) or 0, alarms=mine)
    wrong += _strange(story, invoices) + _unbilled(story, alarms)
    wrong += [f"an alarm says {one}, of which nobody knows" for one in nobodys if one.kind not in {"trial", "unbilled"}]
    alarmed = {kind: sum(one.amount_rounded or 0 for one in alarms if one.kind == kind) for kind in MISSING}
    expected = sum(told[span] * span.cents for span in story.spans if span.fate == BILLED)
    if invoices.cents + sum(alarmed.values()) != expected:
        wrong.append(f"invoices have {invoices.cents} cents and alarms {alarmed}, and {expected} are to be billed")
    cents |= alarmed | {"on invoices": invoices.cents}
    history = {kind: (raised, cleared) for kind, raised, cleared in place.ask(HISTORY)}
    return Judgement(wrong=wrong, rows=len(story.used), units=dict(units), cents=dict(cents), alarms=history)


def _wrongs(span: Span, *, told: int, on_invoice: int, alarms: list[Alarm]) -> list[str]:
    units = units_by_kind(alarms)
    lacking, found, expected = missing(units), list[str](), {"trial"}
    if span.fate in {BILLED, FREE}:
        expected |= set(MISSING)
        if told != on_invoice + lacking:
            found.append(f"{told} used, {on_invoice} on an invoice, {lacking} alarmed")
    elif span.fate == DISCARDED:
        expected.add("discarded")
        if units["discarded"] != told or on_invoice:
            found.append(f"{told} used, {units['discarded']} discarded, {on_invoice} billed")
    elif on_invoice:
        found.append(f"{on_invoice} billed of an open period")
    if units["trial"] and (span.fate != FREE or units["trial"] != told):
        found.append(f"{told} used, {units['trial']} told as on trial")
    found += [f"{alarm} is worth something else" for alarm in alarms if not _is_worth(alarm, span)]
    found += [f"alarmed as {kind}" for kind in units if kind not in expected]
    return [f"{span.where}: {sentence}" for sentence in found]


def _is_worth(alarm: Alarm, span: Span) -> bool:
    return alarm.kind == "trial" or alarm.is_worth(0 if span.fate == FREE else span.cents)


def _strange(story: Story, invoices: Invoices) -> list[str]:
    """Lines of which the story knows nothing."""
    known = {key_of(story.place, span) for span in story.spans}
    return [
        f"an invoice has {quantity} units of {key}, of which nobody knows"
        for key, quantity in invoices.units.items()
        if quantity and key not in known
    ]


def _unbilled(story: Story, alarms: list[Alarm]) -> list[str]:
    """Usage outside of every span stands in one alarm a customer, with what it would cost."""
    found = list[str]()
    for name, customer in story.customers.items():
        spans = [(story.place.at(s.start), story.place.at(s.end)) for s in story.spans if s.customer == customer]
        outside = [use.units for use in story.used if use.customer == customer and not _covered(use.at, spans)]
        mine = [alarm for alarm in alarms if (alarm.kind, alarm.customer) == ("unbilled", customer)]
        if sum(outside) != sum(alarm.units for alarm in mine):
            found.append(f"{name}: {sum(outside)} units are nobody's, alarmed are {mine}")
        found += [f"{name}: {one} is worth something else" for one in mine if not one.is_worth(UNBILLED_CENTS)]
    return found


def _covered(at: datetime, spans: list[tuple[datetime, datetime]]) -> bool:
    return any(start <= at < end for start, end in spans)
