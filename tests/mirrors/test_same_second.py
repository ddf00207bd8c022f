"""All words of one second, in every order: the mirror ends as Stripe has it, whatever the kind of object."""

from itertools import permutations

import pytest


def test_all_120_orders_of_five_events_of_one_subscription_within_one_second_end_in_the_same_mirror(shop):
    subscription = shop.make_subscription()
    for step in range(3):
        shop.v1.subscriptions.update(subscription, {"metadata": {"step": str(step)}})
    shop.v1.subscriptions.cancel(subscription)
    told = shop.told(subscription)

    orders = shop.tell(permutations(told))

    assert (len(told), len({event.created_at for event in told}), orders) == (5, 1, 120)
    assert shop.mirrored("subscription", subscription) == [shop.at_stripe("subscription", subscription)]
    assert shop.unapplied() == []


def test_all_orders_of_an_invoice_with_a_dozen_lines_end_in_the_same_mirror(shop):
    invoice = shop.make_invoice(lines=12)
    shop.v1.invoices.update(invoice, {"description": "for twelve things"})
    shop.v1.invoices.finalize_invoice(invoice)
    shop.v1.invoices.pay(invoice)
    told = shop.told(invoice)[:4]

    shop.tell(permutations(told))

    (mirrored,) = shop.mirrored("invoice", invoice)
    assert mirrored == shop.at_stripe("invoice", invoice)
    assert (mirrored["status"], len(mirrored["lines"]["data"])) == ("paid", 12)


def test_all_orders_of_a_meter_that_comes_and_goes_end_in_the_same_mirror_and_the_same_meter(shop):
    meter = shop.make_meter()
    shop.v1.billing.meters.deactivate(meter)
    shop.v1.billing.meters.reactivate(meter)
    shop.v1.billing.meters.deactivate(meter)
    told = shop.told(meter)

    orders = shop.tell(permutations(told))

    assert shop.mirrored("billing.meter", meter) == [shop.at_stripe("billing.meter", meter)]
    assert shop.ask("SELECT is_active, count(*) FROM meter GROUP BY 1") == [(False, orders)]


def test_all_orders_of_a_price_with_tiers_end_in_the_same_mirror(shop):
    price = shop.v1.prices.create(
        {
            "currency": "usd",
            "recurring": {"interval": "month", "usage_type": "metered", "meter": shop.make_meter()},
            "product_data": {"name": "Tokens"},
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": [{"up_to": 1000, "unit_amount_decimal": "0"}, {"up_to": "inf", "unit_amount_decimal": "0.1"}],
        }
    ).id
    for active in (False, True):
        shop.v1.prices.update(price, {"active": active, "nickname": f"{active}"})

    shop.tell(permutations(shop.told(price)))

    assert shop.mirrored("price", price) == [shop.at_stripe("price", price)]


def test_all_orders_of_a_customer_who_is_deleted_end_deleted_and_the_deletion_needs_no_asking(shop):
    customer = shop.make_customer()
    for step in range(2):
        shop.v1.customers.update(customer, {"metadata": {"step": str(step)}})
    shop.v1.customers.delete(customer)

    orders = shop.tell(permutations(shop.told(customer)))

    assert shop.ask("SELECT is_deleted, count(*) FROM mirror GROUP BY 1") == [(True, orders)]
    assert shop.unapplied() == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_was_read_because_of_a_tie_is_kept_as_a_fact_with_the_event_and_its_mark(shop, order):
    customer = shop.make_customer()
    shop.v1.customers.update(customer, {"name": "Ada Lovelace"})
    told = shop.told(customer)

    shop.tell([[told[place] for place in order]])

    assert shop.ask("SELECT event_id, object_id, object ->> 'name', applied_at IS NOT NULL FROM object_reading") == [
        (told[order[1]].event_id, customer, "Ada Lovelace", True)
    ]
