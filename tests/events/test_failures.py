"""Each failure of an event is kept with its reason, and a replay takes the normal path."""

import random

import pytest

from service.gateway import StripeRefused
from service.ledger.actions import Order
from service.ledger.answers import Ordered
from service.ledger.event_replays import replay_event
from service.ledger.event_story import tell_event
from service.letters import read_letter_id
from service.timing import FAST
from workers.apply import Applier

FAILURES = "SELECT n, reason FROM event_failure ORDER BY n"


@pytest.fixture
def apply(shop):
    """Apply what is due, as if all waits were over."""
    applier = Applier(shop.ledger, shop.gateway, timing=FAST, chance=random.Random(7))

    def applied():
        shop.ask("UPDATE event SET due_at = ledger_now() WHERE state = 'received'")
        applier.apply_due("default")

    return applied


@pytest.fixture
def deaf(monkeypatch):
    """Stripe refuses to tell of error reports."""

    def refuse(_, event_id):
        raise StripeRefused(f"no event {event_id} for you")

    monkeypatch.setattr("service.gateway.Gateway.fetch_event", refuse)
    return monkeypatch.undo


@pytest.fixture
def replay(shop):
    def replayed(event_id):
        with shop.ledger.transaction() as tx:
            letter = read_letter_id(f"ev-{event_id}")
            return replay_event(Ordered(tx=tx, letter=letter, order=Order(actor="ada", reason="a test says so")))

    return replayed


def test_each_failure_is_kept_with_its_reason(shop, apply, deaf):
    report = shop.make_thin()
    shop.catch_up_all()
    apply()
    apply()

    assert shop.ask(FAILURES) == [(1, f"no event {report} for you"), (2, f"no event {report} for you")]


def test_the_first_hundred_failures_are_kept(shop, apply, deaf, monkeypatch):
    monkeypatch.setattr("service.ledger.events.FAILURES_KEPT_MAX", 2)
    shop.make_thin()
    shop.catch_up_all()
    for _ in range(4):
        apply()

    assert [n for n, _ in shop.ask(FAILURES)] == [1, 2]
    assert shop.ask("SELECT failures FROM event") == [(4,)]


def test_a_failed_event_is_applied_when_it_is_replayed(shop, apply, replay):
    (event_id,) = shop.make_customers(1)
    shop.catch_up_all()
    shop.ask("UPDATE event SET state = 'failed', due_at = NULL, failures = 10, reason = 'a test says so'")

    assert replay(event_id).after == "received"
    apply()
    assert shop.ask("SELECT state, failures, reason FROM event") == [("applied", 0, None)]


def test_an_applied_event_that_is_replayed_leaves_the_mirror_as_it_was(shop, apply, replay):
    (event_id,) = shop.make_customers(1)
    shop.catch_up_all()
    apply()
    before = shop.ask("SELECT object_id, as_of, object FROM mirror"), shop.ask("SELECT * FROM effect")
    replay(event_id)
    apply()

    assert (shop.ask("SELECT object_id, as_of, object FROM mirror"), shop.ask("SELECT * FROM effect")) == before
    assert shop.ask("SELECT state FROM event") == [("applied",)]


def test_an_event_tells_the_invoices_and_meter_events_of_its_customer(shop, apply):
    meter = shop.stripe.v1.billing.meters.create(
        {"display_name": "Tokens", "event_name": "tokens", "default_aggregation": {"formula": "sum"}}
    )
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    price = {"currency": "usd", "unit_amount": 1, "product_data": {"name": "Tokens"}, "recurring": recurring}
    made, customer = shop.stripe.v1.prices.create(price), shop.stripe.v1.customers.create({"name": "Ada"})
    shop.stripe.v1.subscriptions.create({"customer": customer.id, "items": [{"price": made.id}]})
    shop.catch_up_all()
    apply()
    ((event_id, invoices),) = shop.ask(
        "SELECT event_id, (SELECT count(*) FROM invoice) FROM event WHERE type = 'customer.subscription.created'"
    )

    with shop.ledger.transaction() as tx:
        assert len(tell_event(tx, event_id).invoices) == invoices
