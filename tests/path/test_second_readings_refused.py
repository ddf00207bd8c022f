"""What Stripe refuses to tell was not read: it is asked for again, the more rarely the longer that lasts."""

from dataclasses import replace

import pytest

from service.gateway import Gateway, StripeRefused
from service.timing import STANDARD
from workers._second_readings import SecondReader

SPANS = {"hours": "hour", "minutes": None}  # the window in which each is asked for


class Refusing(Gateway):
    """Stripe tells no hours, or no minutes, until it `relents`."""

    def __init__(self, path, window):
        super().__init__(path.settings)
        self.window = window
        self.asked = 0
        self.relents = False

    def read_summaries(self, meter, **asked):
        if asked["window"] != self.window or self.relents:
            return super().read_summaries(meter, **asked)
        self.asked += 1
        raise StripeRefused("No such customer")


@pytest.mark.parametrize("span", SPANS)
def test_a_turn_that_stripe_refuses_to_answer_comes_again(path, span):
    gateway, reader = doubled_and_refused(path, SPANS[span])
    before = path.ask("SELECT read_at FROM confirmed_hour")
    reader.read_again_due()
    assert path.ask("SELECT read_at FROM confirmed_hour") == before
    assert path.ask("SELECT count(*) FROM second_reading") == [0]

    gateway.relents = True
    path.pass_time(seconds=STANDARD.unread_wait_s)

    assert reader.read_again_due() == 1
    assert path.ask("SELECT verdict FROM second_reading WHERE length = '1 minute'") == ["differs"]


def test_what_stripe_refuses_for_days_is_asked_for_ever_more_rarely(path):
    gateway, reader = doubled_and_refused(path, "hour")

    asked = [(reader.read_again_due(), path.pass_time(minutes=10), gateway.asked)[2] for _ in range(6 * 48)]

    assert asked[6 * 3] > 10
    assert asked[-1] < 60


def test_what_stripe_refuses_is_not_asked_for_without_end_before_a_finalization(path):
    gateway, reader = doubled_and_refused(path, "hour")
    path.write(
        "INSERT INTO period_edge SELECT account, customer, meter, ledger_now() - interval '40 minutes' FROM lane"
    )

    _ = [reader.read_again_due() for _ in range(5)]

    assert gateway.asked == 1


def doubled_and_refused(path, window):
    """A confirmed meter event whose last turn has come, and of which Stripe counts two."""
    customer = path.sealed(5)
    path.walk()
    (stamped_at,) = path.ask("SELECT stamped_at FROM meter_event")
    told = {"payload": {"stripe_customer_id": customer, "value": "5"}, "timestamp": int(stamped_at.timestamp())}
    path.stripe.v1.billing.meter_events.create({"event_name": "tokens", **told})
    path.pass_time(hours=47)
    gateway = Refusing(path, window)
    timing = replace(
        path.settings.timing,
        second_readings_s=STANDARD.second_readings_s,
        before_finalization_s=STANDARD.before_finalization_s,
        unread_wait_s=STANDARD.unread_wait_s,
    )
    return gateway, SecondReader(path.ledger, gateway, "default", timing=timing)
