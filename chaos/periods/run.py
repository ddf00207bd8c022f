"""A run: three weeks by the hour, around every edge by the minute, and an outage across the second week's end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from chaos.days.weather import METER_EVENTS
from chaos.periods.judge import Judgement, judge
from chaos.periods.place import DAYS, Place, opened
from chaos.periods.story import Story

DAYS_TOLD = 21.2  # three weeks, and a little of the fourth
DAYS_OF_REST = 3
OUTAGE = (14 - 2 / 24, 14 + 3 / 24)
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
        for now in _instants(place, story, look=plan.look):
            if now <= place.at(DAYS_TOLD):
                story.use(since=before, until=now)
            before = now
            place.go_to(now)
            _weather(place, now)
            while deeds and place.at(deeds[0][0]) <= now:
                deeds.pop(0)[1]()
            place.walk()
        return judge(story)


def _instants(place: Place, story: Story, *, look: timedelta) -> list[datetime]:
    """Every deed and edge, what is around it, and a look every few hours."""
    edges = {place.at(day) for day, _ in story.deeds} | {place.at(day) for day in OUTAGE}
    edges |= {place.at(day) for span in story.spans for day in (span.start, span.end)}
    end = place.at(DAYS_TOLD + DAYS_OF_REST)
    rounds = {place.base + n * look for n in range(int((end - place.base) / look) + 1)}
    around = {edge + offset for edge in edges for offset in AROUND}
    return sorted(instant for instant in edges | rounds | around if place.base <= instant <= end)


def _weather(place: Place, now: datetime) -> None:
    place.works.say_to_stripe("faults", {}, method="DELETE")
    if place.at(OUTAGE[0]) <= now < place.at(OUTAGE[1]):
        place.works.say_to_stripe("faults", dict(AWAY))
