"""What sealing must know of a customer's subscriptions, and whence it knows it."""

from datetime import UTC, datetime
from typing import Any

from service.gateway import StripeRefused
from service.ledger import mirrors
from service.mirrors import Mirror, mirror


def _subscribe(path: Any, customer: str, meter: Any, *, since: datetime) -> str:
    price = path.stripe.v1.prices.create(
        {
            "currency": "usd",
            "product_data": {"name": meter.display_name},
            "recurring": {"interval": "month", "usage_type": "metered", "meter": meter.id},
            "unit_amount": 1,
        }
    )
    told = {"customer": customer, "items": [{"price": price.id}], "backdate_start_date": int(since.timestamp())}
    made = path.stripe.v1.subscriptions.create(told)
    return str(made.id)


def _tell_by_event(path: Any, subscription: str) -> None:
    now = datetime.now(UTC)
    told = mirror(path.gateway.objects.retrieve("subscription", subscription), kind="subscription", as_of=now)
    assert isinstance(told, Mirror)
    with path.ledger.transaction() as tx:
        mirrors.put_mirrors(tx, "default", [told])


def test_a_subscription_older_than_our_webhooks_is_known_although_an_event_told_of_another(path, an_hour_ago):
    tokens, exports = path.make_meter("tokens"), path.make_meter("exports")
    customer = path.make_customer()
    _subscribe(path, customer, tokens, since=an_hour_ago)
    _tell_by_event(path, _subscribe(path, customer, exports, since=an_hour_ago))
    path.client.usage(customer, "tokens", 1, occurred_at=an_hour_ago)

    path.walk()

    assert path.ask("SELECT is_unbilled FROM meter_event") == [False]
    assert sorted(path.ask("SELECT DISTINCT meter FROM period_edge")) == ["exports", "tokens"]


def test_a_customers_subscriptions_are_listed_once_and_then_told_by_events(path, an_hour_ago):
    customer = path.make_customer()
    _subscribe(path, customer, path.make_meter("tokens"), since=an_hour_ago)
    for number in range(3):
        path.client.usage(customer, "tokens", number + 1, occurred_at=an_hour_ago)
        path.walk()

    assert path.sandbox.audit(path.settings.stripe_secret_key)["by_path"]["GET /v1/subscriptions"] == 1


def test_a_customer_whose_subscriptions_stripe_cannot_tell_holds_up_nobody_else(path, an_hour_ago):
    path.make_meter("tokens")
    known, unreadable = path.make_customer(), path.make_customer()
    path.client.usage(known, "tokens", 1, occurred_at=an_hour_ago)
    path.walk()
    path.fault("error_before", path="/v1/subscriptions")
    path.client.usage(unreadable, "tokens", 2, occurred_at=an_hour_ago)
    path.client.usage(known, "tokens", 4, occurred_at=an_hour_ago)

    path.walk()

    assert path.counted() == {(known, "tokens"): "5"}
    assert path.ask("SELECT value FROM entry WHERE meter_event_id IS NULL") == [2]


def test_a_new_customer_whose_subscriptions_stripe_cannot_tell_is_asked_for_once_a_look(path, an_hour_ago):
    path.make_meter("tokens")
    customer = path.make_customer()
    path.fault("error_before", path="/v1/subscriptions")
    path.client.usage(customer, "tokens", 1, occurred_at=an_hour_ago)
    path.record()

    path.seal()

    asked = path.sandbox.audit(path.settings.stripe_secret_key)["by_path"]
    assert (asked["GET /v1/subscriptions"], path.states()) == (1, {})


def test_a_refusal_to_list_is_not_taken_for_no_subscriptions(path, an_hour_ago, monkeypatch):
    path.make_meter("tokens")
    customer = path.make_customer()

    def refuse(of_customer: str) -> None:
        raise StripeRefused(f"something new about {of_customer}")

    monkeypatch.setattr(path.gateway, "list_subscriptions", refuse)
    path.client.usage(customer, "tokens", 1, occurred_at=an_hour_ago)

    path.walk()

    assert path.states() == {}
    assert path.ask("SELECT value FROM entry WHERE meter_event_id IS NULL") == [1]


def test_a_customer_that_stripe_does_not_know_is_refused_in_stripes_words(path, an_hour_ago):
    path.make_meter("tokens")
    path.client.usage("cus_nobody", "tokens", 1, occurred_at=an_hour_ago)

    path.walk()

    assert path.states() == {"refused": 1}
    assert "cus_nobody" in path.ask("SELECT reason FROM meter_event")[0]
