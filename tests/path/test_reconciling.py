"""Step 5: accepted is what Stripe said of one call, confirmed is what its books say."""

from datetime import timedelta
from decimal import Decimal

import pytest

from local.sandbox import ask_sandbox
from service.figures import is_equal
from service.gateway import KeyRefused, StripeUnavailable

SUMMARIES = "*/event_summaries"


def settings(path, **wanted):
    ask_sandbox(path.sandbox.url, "/_sandbox/settings", {"account": path.stripe_account, **wanted})


def test_hours_are_compared_by_their_sums_with_one_reading_for_all(path, an_hour_ago):
    path.make_meter("tokens")
    customer = path.make_customer()
    for hours in range(5):
        path.client.usage(customer, "tokens", 3, occurred_at=an_hour_ago - timedelta(hours=hours))
    path.record()
    path.seal()
    path.send()

    assert path.reconciler.confirm_due() == 5

    assert path.audit()["by_path"]["GET /v1/billing/meters/{id}/event_summaries"] == 1


@pytest.mark.parametrize("formula", ["sum", "count", "last"])
def test_every_kind_of_meter_is_confirmed(path, an_hour_ago, formula):
    path.make_meter("tokens", formula=formula)
    customer = path.make_customer()
    for minute in (0, 1, 7, 12):
        path.client.usage(customer, "tokens", 3 + minute, occurred_at=an_hour_ago + timedelta(minutes=minute))

    path.walk()

    assert set(path.states()) == {"confirmed"}


def test_more_hours_than_a_page_holds_are_confirmed(path, an_hour_ago):
    path.make_meter("tokens")
    customer = path.make_customer()
    with path.client.batch() as batch:
        for hours in range(0, 250, 7):
            batch.usage(customer, "tokens", 1, occurred_at=an_hour_ago - timedelta(hours=hours))

    path.walk()

    assert path.states() == {"confirmed": 36}
    assert path.audit()["by_path"]["GET /v1/billing/meters/{id}/event_summaries"] >= 3


def test_an_hour_of_which_nothing_shows_yet_takes_one_reading_and_its_minutes_none(path):
    settings(path, summary_lag_s=600)
    path.sealed(5, 6, 7)
    path.send()

    assert path.reconciler.confirm_due() == 0

    assert path.audit()["by_path"]["GET /v1/billing/meters/{id}/event_summaries"] == 1


def test_summaries_that_lag_are_waited_for(path):
    settings(path, summary_lag_s=600)
    path.sealed(5)
    path.walk()
    assert path.states() == {"accepted": 1}

    path.pass_time(minutes=11)
    path.walk()

    assert path.states() == {"confirmed": 1}


def test_an_hour_in_which_something_is_still_to_be_sent_is_looked_at_later(path):
    path.sealed(1)
    path.send()
    path.sealed(2, customer=path.ask("SELECT customer FROM lane")[0])

    assert path.reconciler.confirm_due() == 0

    path.walk()
    assert path.states() == {"confirmed": 2}


def test_a_summary_that_cannot_be_read_now_changes_nothing(path):
    path.sealed(1)
    path.send()
    path.fault("error_before", path=SUMMARIES, times=1)
    with pytest.raises(Exception, match="unknown error"):
        path.reconciler.confirm_due()
    path.pass_time(seconds=path.settings.timing.drain_s + 1)

    path.walk()

    assert path.states() == {"confirmed": 1}


def test_a_lane_that_cannot_be_read_does_not_keep_the_others_waiting(path):
    path.sealed(1)
    path.sealed(2)
    path.send()
    path.fault("error_before", path=SUMMARIES, times=1)

    assert path.reconciler.confirm_due() == 1

    assert path.states() == {"accepted": 1, "confirmed": 1}
    assert path.ask("SELECT confirm_at > ledger_now() FROM lane WHERE confirm_at IS NOT NULL") == [True]


def test_where_no_lane_can_be_read_the_step_waits(path):
    path.sealed(1)
    path.sealed(2)
    path.send()
    path.fault("error_before", path=SUMMARIES, times=2)

    with pytest.raises(StripeUnavailable, match="unknown error"):
        path.reconciler.confirm_due()

    path.pass_time(seconds=path.settings.timing.unread_wait_s)
    assert path.reconciler.confirm_due() == 2


def test_a_key_that_stripe_refuses_ends_the_look_at_once(path):
    path.sealed(1)
    path.sealed(2)
    path.send()
    path.fault("unauthorized", path=SUMMARIES)

    with pytest.raises(KeyRefused):
        path.reconciler.confirm_due()

    assert path.audit()["by_path"]["GET /v1/billing/meters/{id}/event_summaries"] == 1


def test_a_meter_made_again_under_its_name_leaves_the_old_ones_books_alone(path):
    customer = path.sealed(5)
    path.send()
    (old,) = path.gateway.list_meters()
    path.stripe.v1.billing.meters.deactivate(old.stripe_id)
    path.make_meter("tokens")
    path.sealed(6, meter="calls")  # of a new meter, for which all are read again
    path.sealed(7, customer=customer)

    path.walk()

    assert path.states() == {"confirmed": 3}
    assert len(path.ask("SELECT DISTINCT meter_stripe_id FROM meter_event")) == 3


@pytest.mark.parametrize(
    ("counted", "reported"),
    [
        ("0.30000000000000004", "0.3"),
        ("1E+2", "100"),
        ("0", "0.000"),
        ("123456789012345", "123456789012345"),
        ("1234567890123456.8", "1234567890123456.75"),
        ("-0.1", "-0.10"),
    ],
)
def test_a_float_is_equal_as_far_as_a_float_can_tell(counted, reported):
    assert is_equal(Decimal(counted), Decimal(reported))


@pytest.mark.parametrize(
    ("counted", "reported"), [("1", "2"), ("0", "0.000000000001"), ("99999999999999.9", "99999999999999.8")]
)
def test_a_difference_within_15_digits_is_a_difference(counted, reported):
    assert not is_equal(Decimal(counted), Decimal(reported))
