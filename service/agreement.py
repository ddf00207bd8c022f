"""Whether Stripe's books still say what ours do: the invariants that no query of the ledger can tell.

Every confirmed hour of a lane is read again, a call of many hours, and compared with the sum of what was confirmed in
it. Hours in which anything is still open are left to `reconcile`. Nothing is changed, and nothing is concluded: a lag
of the summaries, or a meter event that was cancelled by hand at Stripe, looks alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.figures import NOTHING, is_equal, shown
from service.gateway import Gateway
from service.invariants import Breach
from service.ledger.connection import Transaction, fetch
from service.ledger.second_readings import HoursToRead, Look, confirmed_hours
from service.timing import SENDABLE_AGE_MAX_S

LANES_MAX = 500  # read in one run: at 25 calls a second, twenty seconds of them
REACH = timedelta(seconds=SENDABLE_AGE_MAX_S)
SUMMARIES = "summaries"
SAYS = "Stripe counts in each confirmed hour what was confirmed in it"


@dataclass(frozen=True, slots=True)
class Compared:
    """One lane, and where Stripe's books differ."""

    hours: int
    breaches: list[Breach]


def confirmed_lanes(tx: Transaction, account: str) -> list[HoursToRead]:
    """Those whose newest confirmations are the newest, LANES_MAX at most."""
    return fetch(tx, HoursToRead, "lanes_confirmed", account=account, reach=REACH, lanes_max=LANES_MAX)


def compare(tx: Transaction, gateway: Gateway, lane: HoursToRead) -> Compared:
    """Read one lane's confirmed hours at Stripe. Raises what the gateway's readings raise."""
    looks = [look for look in confirmed_hours(tx, lane, lane.hours) if look.is_plain]
    if not looks:
        return Compared(0, [])
    tx.commit()  # no transaction is open while Stripe answers
    read = gateway.read_summaries(
        lane.meter_stripe_id, customer=lane.customer, start=looks[0].start, end=looks[-1].end, window="hour"
    )
    counted = {summary.start: summary.value for summary in read}
    return Compared(len(looks), list(_breaches(lane, looks, counted)))


def _breaches(lane: HoursToRead, looks: list[Look], counted: dict[datetime, Decimal]) -> Iterator[Breach]:
    for look in looks:
        value = counted.get(look.start, NOTHING)
        if not is_equal(value, look.expected):
            said = f"{lane.customer}, {lane.meter}, {look.start:%Y-%m-%d %H:%M} UTC: Stripe counts {shown(value)}"
            yield Breach(
                invariant=SUMMARIES,
                subject=f"lane {lane.lane_id}",
                said=f"{said}, confirmed is {shown(look.expected)}",
            )
