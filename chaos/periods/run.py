"""A run: three weeks by the hour, and around every edge by the minute.

Stripe is away across the second week's end, so that calls are in doubt when invoices become final; and a person lets
nothing be sent across the third's, so that usage waits.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from chaos.days.weather import METER_EVENTS
from chaos.periods.invoices import Invoices
from chaos.periods.judge import Judgement, judge
from chaos.periods.looks import Looks
from chaos.periods.place import DAYS, Place, opened
from chaos.periods.story import Story

DAYS_TOLD = 21.2  # three weeks, and a little of the fourth
DAYS_OF_REST = 3
OUTAGE = (14 - 2 / 24, 14 + 3 / 24)
PAUSE = (21 - 1 / 24, 21 + 4 / 24)
AROUND = tuple(timedelta(minutes=minutes) for minutes in (-6, 1, 6, 31, 70))
AWAY = {"kind": "error_before", "path": METER_EVENTS, "share": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`hold_s`: how long drafts are held, as METERPOST_HOLD_DRAFTS says."""

    seed: int = 1
    hold_s: int = 0
    only: tuple[str, ...] = ()  # of the customers, by name; none named: all
    look: timedelta = timedelta(hours=6)  # at the latest after the one before, where nothing happens


def play(plan: Plan) -> Judgement:
    """Live through it, and judge."""
    assert DAYS_TOLD + DAYS_OF_REST < DAYS, "nothing is of the future"
    with opened(hold_s=plan.hold_s) as place:
        story = Story(place=place, chance=Random(plan.seed))
        story.prepare(plan.only)
        before, deeds = place.base, list(story.deeds)
        looks = Looks(story=story, invoices=Invoices(place=place))
        for now in _instants(place, story, look=plan.look):
            if now <= place.at(DAYS_TOLD):
                story.use(since=before, until=now)
            before = now
            place.go_to(now)
            _weather(place, now)
            while deeds and place.at(deeds[0][0]) <= now:
                deeds.pop(0)[1]()
            looks.invoices.read_on()
            place.walk()
            looks.look(now)
        found = judge(story)
        return replace(found, wrong=[*looks.wrong, *found.wrong], looks=looks.looks)


def _instants(place: Place, story: Story, *, look: timedelta) -> list[datetime]:
    """Every deed and edge, what is around it, and a look every few hours."""
    edges = {place.at(day) for day, _ in story.deeds} | {place.at(day) for day in (*OUTAGE, *PAUSE)}
    edges |= {place.at(day) for span in story.spans for day in (span.start, span.end)}
    end = place.at(DAYS_TOLD + DAYS_OF_REST)
    rounds = {place.base + n * look for n in range(int((end - place.base) / look) + 1)}
    around = {edge + offset for edge in edges for offset in AROUND}
    return sorted(instant for instant in edges | rounds | around if place.base <= instant <= end)


def _weather(place: Place, now: datetime) -> None:
    place.works.say_to_stripe("faults", {}, method="DELETE")
    if place.at(OUTAGE[0]) <= now < place.at(OUTAGE[1]):
        place.works.say_to_stripe("faults", dict(AWAY))
    place.let_send(is_let=not place.at(PAUSE[0]) <= now < place.at(PAUSE[1]))
