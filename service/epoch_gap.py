"""What a restored ledger has forgotten: its books against Stripe's, lane by lane.

One call a lane for the days that Stripe still takes meter events of; where a day differs, its hours, then halves down
to the minute. What a minute counts beyond what is known, and beyond what may count by what is in doubt, is *external*:
told by a call that the ledger has forgotten. Nothing is changed at Stripe.

Stripe's summaries lag, and what they do not show yet cannot be found. What the ledger knows to be accepted is the
canary: while some of that does not show, a comparison `lags`, and is not to be relied on.

A sum that agrees hides only what cancels out within it: a forgotten amount and one of the same size that is known and
does not count. So a span is looked into also where it agrees, if anything accepted in it is not confirmed yet.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

from service.figures import NOTHING, is_equal
from service.gateway import Gateway
from service.ledger.comparing import Found, Known, LaneToCompare, known_spans
from service.ledger.connection import Transaction
from service.meters import Meter
from service.mirrors import Mirror, listed
from service.mirrors.subscriptions import SubscriptionFacts

DAYS = 35  # Stripe takes no older meter events, so no forgotten call was about an older time
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ADDING = frozenset({"sum", "count"})  # a `last` meter keeps one value, which told again is the same
DOUBTFUL_MAX = 10  # in one minute, of which each selection is tried; of more, all or none


class Comparison:
    """One lane's books on one meter, read side by side."""

    def __init__(self, tx: Transaction, gateway: Gateway, lane: LaneToCompare) -> None:
        self._tx = tx
        self._gateway = gateway
        self._lane = lane
        self.lags = False

    def find(self, *, now: datetime) -> list[Found]:
        """All that Stripe counts of the last 35 days and the ledger does not know."""
        end = now.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        start = end - (DAYS + 1) * DAY
        days = self._differing(start, end, length=DAY)
        hours = [hour for day in days for hour in self._differing(day, day + DAY, length=HOUR)]
        return [found for hour in hours for found in self._find_in(hour)]

    def _differing(self, start: datetime, end: datetime, *, length: timedelta) -> Iterator[datetime]:
        """The starts of the days or hours to look into."""
        window = "day" if length == DAY else "hour"
        read = self._gateway.read_summaries(
            self._lane.meter_stripe_id, customer=self._lane.customer, start=start, end=end, window=window
        )
        counted = {summary.start: summary.value for summary in read}
        known = self._known(start, end, length=length)
        for span in sorted(counted.keys() | known.keys()):
            if differs(counted.get(span, NOTHING), known.get(span)):
                yield span

    def _find_in(self, hour: datetime) -> list[Found]:
        minutes = self._known(hour, hour + HOUR, length=MINUTE)
        return list(self._halve(hour, hour + HOUR, minutes))

    def _halve(self, start: datetime, end: datetime, minutes: dict[datetime, Known]) -> Iterator[Found]:
        counted = self._counted(start, end)
        if not differs(counted, together(known for at, known in minutes.items() if start <= at < end)):
            return
        if end - start == MINUTE:
            # Known after it was counted: what was sent while the hour was looked into is no forgotten call's.
            known = self._known(start, end, length=MINUTE).get(start)
            self.lags |= lags(counted, known)
            if rest := unexplained(counted, known):
                yield Found(minute=start, value=rest)
            return
        middle = start + (end - start) // 2 // MINUTE * MINUTE
        yield from self._halve(start, middle, minutes)
        yield from self._halve(middle, end, minutes)

    def _counted(self, start: datetime, end: datetime) -> Decimal:
        read = self._gateway.read_summaries(
            self._lane.meter_stripe_id, customer=self._lane.customer, start=start, end=end, window=None
        )
        return sum((summary.value for summary in read), NOTHING)

    def _known(self, start: datetime, end: datetime, *, length: timedelta) -> dict[datetime, Known]:
        return known_spans(self._tx, self._lane, length=length, start=start, end=end)


def forgotten_lanes(
    told: Iterable[dict[str, Any]], meters: Iterable[Meter], known: Iterable[LaneToCompare], *, read_at: datetime
) -> list[LaneToCompare]:
    """Lanes that the ledger does not know and that active subscriptions bill; nobody pays for any other."""
    adding = {meter.stripe_id: meter.event_name for meter in meters if meter.formula in ADDING}
    seen = {(lane.customer, lane.meter_stripe_id) for lane in known}
    found = (listed(one, kind="subscription", read_at=read_at) for one in told)
    subscribed = {
        (facts.customer, item.meter_stripe_id)
        for facts in (one.facts for one in found if isinstance(one, Mirror))
        if isinstance(facts, SubscriptionFacts)
        for item in facts.items
        if item.meter_stripe_id in adding
    }
    return [
        LaneToCompare(lane_id=None, customer=customer, meter=adding[stripe_id], meter_stripe_id=stripe_id)
        for customer, stripe_id in sorted(subscribed - seen)
    ]


def differs(counted: Decimal, known: Known | None) -> bool:
    """Whether a span has to be looked into."""
    if known is None:
        return counted != NOTHING
    return known.is_unsettled or not is_equal(counted, known.counted)


def together(parts: Iterable[Known]) -> Known | None:
    """Several spans as one; None: nothing is known of any."""
    found = list(parts)
    if not found:
        return None
    return Known(
        start=min(part.start for part in found),
        counted=sum((part.counted for part in found), NOTHING),
        doubtful=[value for part in found for value in part.doubtful],
        is_unsettled=any(part.is_unsettled for part in found),
    )


def unexplained(counted: Decimal, known: Known | None) -> Decimal:
    """What a minute counts beyond what is known, zero where what is in doubt, or a lag, explains it."""
    if known is None:
        return counted
    rest = counted - known.counted
    is_explained = is_equal(counted, known.counted) or any(is_equal(rest, one) for one in _selections(known.doubtful))
    return NOTHING if is_explained or lags(counted, known) else rest


def lags(counted: Decimal, known: Known | None) -> bool:
    """Whether a minute does not show what Stripe accepted in it; of a credit it does not show, it counts more."""
    return (
        known is not None
        and known.is_unsettled
        and not is_equal(counted, known.counted)
        and (counted < known.counted or counted == NOTHING)
    )


def _selections(doubtful: list[Decimal]) -> Iterator[Decimal]:
    if len(doubtful) > DOUBTFUL_MAX:
        yield sum(doubtful, NOTHING)
        return
    for size in range(1, len(doubtful) + 1):
        yield from (sum(chosen, NOTHING) for chosen in combinations(doubtful, size))
