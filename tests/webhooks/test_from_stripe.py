"""The way of Stripe's word: from the sandbox over a real socket through the door and `apply` into the mirror."""

import random
import time
from threading import Event

import pytest
import stripe

from service import settings
from service.event_types import THIN_TYPES
from service.gateway import API_VERSION, Gateway
from service.ledger import Ledger
from service.timing import FAST
from workers.apply import Applier

PATIENCE_S = 20.0
POLL_S = 0.02


@pytest.fixture
def shop(sandbox_server, door, listener, start_gunicorn, monkeypatch):
    """A Stripe account whose endpoint is the deployed door."""
    key = sandbox_server.new_account()
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox_server.url)
    client = stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": sandbox_server.url})
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/stripe/webhook"
    endpoint = client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", endpoint.secret)
    start_gunicorn()
    return client


@pytest.fixture
def thin_shop(sandbox_server, door, listener, start_gunicorn, monkeypatch):
    """The same with a destination for thin events alone."""
    key = sandbox_server.new_account()
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox_server.url)
    client = stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": sandbox_server.url})
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/stripe/webhook"
    asked = {"name": "thin", "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": [*THIN_TYPES]}
    secret = {"include": ["webhook_endpoint.signing_secret"], "webhook_endpoint": {"url": url}}
    made = client.v2.core.event_destinations.create(asked | secret)
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", made.webhook_endpoint.signing_secret)
    start_gunicorn()
    return client


@pytest.fixture
def applied(door):
    """Apply until this many events are; False when they are not within our patience."""
    ledger = Ledger(door.database_url)
    applier = Applier(ledger, Gateway(settings.load()), timing=FAST, chance=random.Random(7))

    def wait(wanted):
        deadline = time.monotonic() + PATIENCE_S
        while door.ask("SELECT count(*) FROM event WHERE state = 'applied'") != [(wanted,)]:
            if time.monotonic() > deadline:
                return False
            applier.apply_due("default")
            Event().wait(POLL_S)
        return True

    yield wait
    ledger.close()


@pytest.fixture
def make_subscription(shop):
    def make():
        formula = {"formula": "sum"}
        meter = shop.v1.billing.meters.create(
            {"display_name": "Tokens", "event_name": "tokens", "default_aggregation": formula}
        )
        recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
        price = shop.v1.prices.create(
            {"currency": "usd", "unit_amount": 1, "recurring": recurring, "product_data": {"name": "Tokens"}}
        )
        customer = shop.v1.customers.create({"name": "Ada"})
        return shop.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})

    return make


def test_a_subscription_made_and_ended_at_once_is_mirrored_as_stripe_has_it(shop, door, make_subscription, applied):
    made = make_subscription()
    ended = shop.v1.subscriptions.cancel(made.id)

    assert applied(5)  # with its meter, price and customer
    assert door.ask("SELECT subscription, status, extract(epoch FROM ended_at)::bigint FROM subscription") == [
        (made.id, "canceled", ended.ended_at)
    ]


def test_an_error_report_comes_to_a_destination_of_its_own_and_is_fetched(thin_shop, door, sandbox_server, applied):
    formula = {"default_aggregation": {"formula": "sum"}, "display_name": "Tokens", "event_name": "tokens"}
    meter = thin_shop.v1.billing.meters.create(formula)
    customer = thin_shop.v1.customers.create({"name": "Ada"}).id
    sandbox_server.fault(kind="rejected_later", code="meter_event_invalid_value", path="/v1/billing/meter_events")
    sent = {"event_name": "tokens", "payload": {"stripe_customer_id": customer, "value": "1"}}
    thin_shop.v1.billing.meter_events.create(sent | {"identifier": "row-1"})

    sandbox_server.clock(advance=11)

    assert applied(1)
    assert door.ask("SELECT meter_stripe_id, told, code FROM error_report JOIN error_sample USING (event_id)") == [
        (meter.id, "row-1", "meter_event_invalid_value")
    ]
