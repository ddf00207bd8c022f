"""Step 2 with Stripe: what must be known of meters and billing periods before entries become meter events."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.sandbox import ask_sandbox
from service.gateway import StripeUnavailable


def test_rows_of_a_meter_that_stripe_does_not_know_wait_and_are_sealed_once_it_appears(path, an_hour_ago):
    customer = path.make_customer()
    path.client.usage(customer, "tokens", 3, occurred_at=an_hour_ago)
    path.walk()
    assert path.states() == {}

    path.make_meter("tokens")
    path.walk()
    assert path.states() == {}, "it is not asked for at every look"
    path.pass_time(seconds=path.settings.timing.meter_reread_s + 1)
    path.walk()

    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "3"}


def listings(path):
    """How often Stripe was asked for its meters."""
    return len([call for call in path.calls("/v1/billing/meters") if call["method"] == "GET"])


def test_a_meter_that_was_made_just_now_is_known_before_a_bucket_is_due(path, an_hour_ago):
    """Of a customer who is known, so that nothing else is asked of Stripe."""
    path.make_meter("tokens")
    customer = path.make_customer()
    path.client.usage(customer, "tokens", 3, occurred_at=an_hour_ago)
    path.walk()
    path.make_meter("exports")
    path.client.usage(customer, "exports", 1)
    path.record()

    assert path.seal() == 0
    assert path.ask("SELECT meter FROM meter ORDER BY meter") == ["exports", "tokens"]
    assert path.ask("SELECT meter FROM unknown_meter") == []


def test_a_meter_that_does_not_exist_is_asked_for_once_an_interval_however_many_lanes_name_it(path):
    before, told = listings(path), []
    for seconds in (0, 0, path.settings.timing.meter_reread_s + 1, 0):
        path.pass_time(seconds=seconds)
        path.client.usage(path.make_customer(), "never_heard_of", 1)
        path.record()
        path.seal()
        told.append(listings(path) - before)

    assert told == [1, 1, 2, 2]


def test_a_list_of_meters_that_stripe_cannot_tell_is_asked_for_again_a_little_later(path):
    path.make_meter("tokens")
    path.fault("error_before", path="/v1/billing/meters")
    path.client.usage(path.make_customer(), "tokens", 1)
    path.record()
    path.seal()
    path.seal()
    untold = path.ask("SELECT meter FROM meter")
    path.pass_time(seconds=path.settings.timing.unread_wait_s + 1)
    ask_sandbox(path.sandbox.url, f"/_sandbox/faults?account={path.stripe_account}", method="DELETE")
    path.seal()

    assert (untold, path.ask("SELECT meter FROM meter")) == ([], ["tokens"])


def test_rows_of_an_inactive_meter_wait_and_are_sealed_once_it_is_active_again(path, an_hour_ago):
    meter, customer = path.make_meter("tokens"), path.make_customer()
    path.stripe.v1.billing.meters.deactivate(meter.id)
    path.client.usage(customer, "tokens", 3, occurred_at=an_hour_ago)
    path.walk()
    assert path.ask("SELECT count(*) FROM entry WHERE meter_event_id IS NULL") == [1]

    path.stripe.v1.billing.meters.reactivate(meter.id)
    path.pass_time(seconds=path.settings.timing.meter_reread_s + 1)
    path.walk()

    assert path.states() == {"confirmed": 1}


def test_rows_of_a_meter_that_overwrites_wait(path, an_hour_ago):
    path.make_meter("tokens", event_time_window="hour")
    path.client.usage(path.make_customer(), "tokens", 3, occurred_at=an_hour_ago)

    path.walk()

    assert path.ask("SELECT count(*) FROM entry WHERE meter_event_id IS NULL") == [1]
    assert path.calls() == []


def test_a_lane_that_waits_for_its_meter_holds_up_no_other(path, an_hour_ago):
    path.make_meter("tokens")
    customer = path.make_customer()
    path.client.usage(customer, "never_heard_of", 1, occurred_at=an_hour_ago)
    path.client.usage(customer, "tokens", 3, occurred_at=an_hour_ago)

    path.walk()

    assert path.counted() == {(customer, "tokens"): "3"}


def test_a_meters_own_payload_keys_reach_stripe(path, an_hour_ago):
    keys = {"customer_mapping": {"type": "by_id", "event_payload_key": "who"}}
    path.make_meter("tokens", **keys, value_settings={"event_payload_key": "how_much"})
    customer = path.make_customer()
    path.client.usage(customer, "tokens", "2.5", occurred_at=an_hour_ago)

    path.walk()

    assert path.states() == {"confirmed": 1}
    assert path.counted() == {(customer, "tokens"): "2.5"}


def test_usage_without_a_subscription_is_sent_and_flagged_as_unbilled(path, an_hour_ago):
    meter = path.make_meter("tokens")
    subscribed, free = path.make_customer(), path.make_customer()
    path.subscribe(subscribed, meter, backdate_start_date=int(an_hour_ago.timestamp()))
    for customer in (subscribed, free):
        path.client.usage(customer, "tokens", 1, occurred_at=an_hour_ago)

    path.walk()

    told = path.ask("SELECT customer, is_unbilled FROM meter_event JOIN lane USING (lane_id)")
    assert dict(told) == {subscribed: False, free: True}


def test_a_bucket_breaks_where_a_subscriptions_period_begins(path, an_hour_ago):
    meter, customer = path.make_meter("tokens"), path.make_customer()
    begins = an_hour_ago + timedelta(minutes=7, seconds=13)
    path.subscribe(customer, meter, backdate_start_date=int(begins.timestamp()))
    for value, seconds in ((1, -1), (2, 0), (4, 100)):
        path.client.usage(customer, "tokens", value, occurred_at=begins + timedelta(seconds=seconds))

    path.walk()

    told = path.ask(
        "SELECT value, stamped_at >= edge FROM meter_event, (SELECT min(edge_at) AS edge FROM period_edge) e"
    )
    assert sorted(told) == [(1, False), (6, True)]


def test_a_refused_key_is_not_taken_for_a_customer_without_subscriptions(path, an_hour_ago):
    path.make_meter("tokens")
    path.client.usage(path.make_customer(), "tokens", 1, occurred_at=an_hour_ago)
    path.record()
    path.fault("unauthorized", path="/v1/subscriptions*")

    with pytest.raises(StripeUnavailable, match="Invalid API Key"):
        path.seal()

    assert path.states() == {}


def test_a_row_of_this_moment_is_confirmed_in_time(path):
    path.make_meter("tokens")
    customer = path.make_customer()
    path.client.usage(customer, "tokens", 1, occurred_at=datetime.now(UTC))
    path.walk()
    assert path.states() == {}

    path.pass_time(seconds=path.settings.timing.bucket_s + 2)
    path.walk()

    assert path.states() == {"confirmed": 1}


def test_a_meter_of_a_formula_that_we_do_not_know_holds_up_its_own_rows_alone(path, an_hour_ago, monkeypatch):
    path.make_meter("tokens")
    path.make_meter("medians")
    customer = path.make_customer()
    told = [replace(m, formula="median") if m.event_name == "medians" else m for m in path.gateway.list_meters()]
    monkeypatch.setattr(path.gateway, "list_meters", lambda: told)
    path.client.usage(customer, "medians", 1, occurred_at=an_hour_ago)
    path.client.usage(customer, "tokens", 2, occurred_at=an_hour_ago)

    path.walk()

    assert path.counted() == {(customer, "tokens"): "2"}
    assert path.ask("SELECT value FROM entry WHERE meter_event_id IS NULL") == [1]
