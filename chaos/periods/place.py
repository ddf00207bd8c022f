"""A whole meterpost in one process, as for days, with Stripe's events, alarms and drafts, and a clock that is set.

Stripe's clock stands still between two instants, so that what is asked of it happens when the story says.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chaos.days.works import ACCOUNT, SENDING_AND_READING, Works
from chaos.days.works import TIMING as TIMING_OF_DAYS
from chaos.days.works import opened as opened_works
from service.gateway import Gateway
from service.ledger.actions import Order
from service.ledger.pauses import ALL_METERS, pause, resume
from service.rating import Terms
from workers._catching_up import CatchUp
from workers._holding import DraftKeeper
from workers._watching import Watcher
from workers.apply import Applier

METER = "tokens"
UNBILLED_CENTS = 5  # a unit, by the rate card: what nobody bills would cost
OFF_S = 97  # after a midnight, so that no edge of a period is one of a bucket
DAYS = 28  # behind the wall clock, so that nothing is of the future, nor too old to be sent
TIMING = replace(TIMING_OF_DAYS, catch_up_s=1, watch_s=0.0, unread_wait_s=1, backoff_max_s=60, lane_backoff_max_s=1)
CARD = {METER: Terms(currency="usd", unit_amount=Decimal(UNBILLED_CENTS))}
HEARING = ("catch up", "apply")
STEPS = (*HEARING, "record", "seal", *SENDING_AND_READING, "hold", *HEARING, "watch")


@dataclass(kw_only=True)
class Place:
    """`base` is the story's first instant, within a bucket."""

    works: Works
    base: datetime
    meter_id: str = ""

    def at(self, days: float) -> datetime:
        return self.base + timedelta(seconds=round(days * 86_400))

    def go_to(self, instant: datetime) -> None:
        """Both clocks show this instant; Stripe does on the way what falls due."""
        self.works.say_to_stripe("clock", {"to": int(instant.timestamp()), "frozen": True})
        with self.works.ledger.transaction() as tx:
            tx.execute("UPDATE ledger_clock SET ahead_by = %s - statement_timestamp()", [instant])

    def walk(self) -> None:
        """Every step, in the order of its work, until it finds nothing."""
        self.works.walk(STEPS)

    def make_meter(self) -> None:
        asked: Any = {"display_name": METER, "event_name": METER, "default_aggregation": {"formula": "sum"}}
        self.meter_id = self.v1.billing.meters.create(asked).id

    def read_events_on(self) -> None:
        """From the story's beginning: the ledger was pinned by the wall clock, which is later."""
        with self.works.ledger.transaction() as tx:
            for stream in ("v1", "v2"):
                told = [ACCOUNT, stream, self.base - timedelta(hours=2)]
                tx.execute("INSERT INTO event_cursor (account, stream, read_to) VALUES (%s, %s, %s)", told)

    def make_price(self, cents: int) -> str:
        recurring = {"interval": "week", "usage_type": "metered", "meter": self.meter_id}
        asked: Any = {"currency": "usd", "unit_amount": cents, "product_data": {"name": METER}, "recurring": recurring}
        return str(self.v1.prices.create(asked).id)

    def let_send(self, *, is_let: bool) -> None:
        """As a person does it who pauses the account and resumes it; asked twice it changes nothing."""
        act = resume if is_let else pause
        with self.works.ledger.transaction() as tx:
            act(tx, ACCOUNT, ALL_METERS, order=Order(actor="ada", reason="an incident"))

    @property
    def v1(self) -> Any:
        return self.works.stripe.v1

    def ask(self, question: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.works.ask(question, *parameters)


@contextmanager
def opened(*, hold_s: int) -> Iterator[Place]:
    """`hold_s`: as METERPOST_HOLD_DRAFTS says."""
    with opened_works(days=DAYS) as works:
        works.steps |= _more_steps(works, hold_s=hold_s)
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        place = Place(works=works, base=today - timedelta(days=DAYS - 1, seconds=-OFF_S))
        place.go_to(place.base - timedelta(hours=1))
        place.make_meter()
        place.read_events_on()
        yield place


def _more_steps(works: Works, *, hold_s: int) -> Any:
    ledger, gateway = works.ledger, Gateway(works.settings)
    applier = Applier(ledger, gateway, timing=TIMING, chance=random.Random(7))
    return {
        "catch up": CatchUp(ledger, gateway, ACCOUNT, timing=TIMING).catch_up_due,
        "apply": lambda: applier.apply_due(ACCOUNT),
        "hold": DraftKeeper(ledger, gateway, ACCOUNT, timing=TIMING, hold_s=hold_s).keep_due,
        "watch": lambda: min(0, Watcher(ledger, gateway, ACCOUNT, timing=TIMING, card=CARD.get).watch_due()),
    }
