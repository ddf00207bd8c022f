"""Nothing that a caller asks for is ignored: what Stripe knows and the sandbox does not act on is refused by name."""

from typing import Any

import pytest
import stripe

from sandbox.calls.routes import ROUTES
from sandbox.parameters.definitions import definition

DUE = {"collection_method": "send_invoice", "days_until_due": 30}
EVENTS = {"url": "http://127.0.0.1:9/", "enabled_events": ["customer.created"]}
OPTIONS = {"currency_options": {"eur": {"unit_amount": 1}}}
UNACTED = {
    "POST /v1/customers": {"balance": 5},
    "GET /v1/customers": {"test_clock": "clock_1"},
    "POST /v1/customers/{id}": {"tax_exempt": "exempt"},
    "POST /v1/tax_ids": {"type": "us_ein", "value": "12-3456789", "owner": {"type": "account", "account": "acct_1"}},
    "GET /v1/tax_ids": {"owner": {"type": "account", "account": "acct_1"}},
    "GET /v1/customers/{id}/payment_methods": {"allow_redisplay": "always"},
    "POST /v1/payment_methods": {"type": "card", "card": {"token": "tok_visa"}, "allow_redisplay": "always"},
    "GET /v1/payment_methods": {"customer_account": "acct_1"},
    "POST /v1/payment_methods/{id}": {"allow_redisplay": "always"},
    "POST /v1/payment_methods/{id}/attach": {"customer": "", "customer_account": "acct_1"},
    "POST /v1/coupons": {"amount_off": 5, "currency": "usd", "currency_options": {"eur": {"amount_off": 4}}},
    "POST /v1/coupons/{id}": {"currency_options": {"eur": {"amount_off": 4}}},
    "POST /v1/products": {"name": "A", "tax_code": "txcd_1"},
    "GET /v1/products": {"shippable": True},
    "POST /v1/products/{id}": {"statement_descriptor": "A"},
    "POST /v1/prices": {"currency": "usd", "unit_amount": 1, "product_data": {"name": "A"}} | OPTIONS,
    "POST /v1/prices/{id}": OPTIONS,
    "POST /v1/subscriptions": {"customer": "", "items": [{"price": ""}], "on_behalf_of": "acct_1"},
    "GET /v1/subscriptions": {"test_clock": "clock_1"},
    "POST /v1/subscriptions/{id}": {"on_behalf_of": "acct_1"},
    "POST /v1/subscription_items": {"subscription": "", "price": "", "tax_rates": ["txr_1"]},
    "POST /v1/subscription_items/{id}": {"tax_rates": ["txr_1"]},
    "POST /v1/invoices/create_preview": {"customer": "", "on_behalf_of": "acct_1"},
    "POST /v1/invoices": {"customer": "", "on_behalf_of": "acct_1"},
    "GET /v1/invoices": {"customer_account": "acct_1"},
    "POST /v1/invoices/{id}": {"on_behalf_of": "acct_1"},
    "POST /v1/invoices/{id}/pay": {"mandate": "mandate_1"},
    "POST /v1/invoiceitems": {"customer": "", "amount": 1, "currency": "usd", "tax_code": "txcd_1"},
    "GET /v1/invoiceitems": {"customer_account": "acct_1"},
    "POST /v1/invoiceitems/{id}": {"tax_code": "txcd_1"},
    "POST /v1/webhook_endpoints": EVENTS | {"connect": True},
}
"""Of each route, the parameters of a call that is right but for the last; empty texts stand for ids of the shop."""
DECIDED_ALL = {
    "POST /v1/billing/meter_events",
    "POST /v2/billing/meter_events",
    "POST /v1/billing/meter_event_adjustments",
    "POST /v2/billing/meter_event_adjustments",
    "GET /v1/billing/meters/{id}/event_summaries",
    "POST /v1/billing/meters",
    "GET /v1/billing/meters",
    "POST /v1/billing/meters/{id}",
    "GET /v1/prices",
    "GET /v1/coupons",
    "POST /v1/customers/{id}/tax_ids",
    "POST /v1/tax_rates",
    "GET /v1/tax_rates",
    "POST /v1/tax_rates/{id}",
    "DELETE /v1/subscriptions/{id}",
    "GET /v1/subscription_items",
    "DELETE /v1/subscription_items/{id}",
    "POST /v1/invoices/{id}/finalize",
    "GET /v1/events",
    "POST /v1/webhook_endpoints/{id}",
    "GET /v2/core/events",
    "POST /v2/core/event_destinations",
    "GET /v2/core/event_destinations",
    "GET /v2/core/event_destinations/{id}",
    "POST /v2/core/event_destinations/{id}",
}
"""Routes that act on all that Stripe takes there, or refuse by a sentence of their own."""


@pytest.fixture(scope="module")
def ids(shared_sandbox: Any) -> Any:
    """What the path of a route, or a parameter, is to name, by the resource's own path."""
    shop = shared_sandbox.shop()
    customer, price = shop.customer(), shop.price(shop.meter())
    invoice = shop.v1.invoices.create({"customer": customer} | DUE)
    item = shop.v1.invoice_items.create({"customer": customer, "amount": 5, "currency": "usd"})
    found = {"/v1/customers": customer, "/v1/prices": price.id, "/v1/products": price.product}
    subscription = shop.subscription(customer, shop.price(price.recurring.meter).id)
    found |= {"/v1/subscriptions": subscription.id, "/v1/subscription_items": subscription["items"].data[0].id}
    card = shop.v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    found |= {"/v1/payment_methods": card.id, "/v1/coupons": shop.v1.coupons.create({"percent_off": 5}).id}
    found |= {"/v1/invoices": invoice.id, "/v1/invoiceitems": item.id, "shop": shop}
    yield found
    shop.http.close()


def named(wanted: dict[str, Any], ids: Any) -> dict[str, Any]:
    filled = {name: value or ids.get(f"/v1/{name}s") for name, value in wanted.items()}
    return filled | ({"items": [{"price": ids["/v1/prices"]}]} if "items" in wanted else {})


@pytest.mark.parametrize("name", list(UNACTED))
def test_what_the_sandbox_does_not_act_on_is_refused_by_name(ids: Any, name: str) -> None:
    method, _, pattern = name.partition(" ")
    path = pattern.replace("{id}", ids.get(pattern.partition("/{id}")[0], "none"))
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        ids["shop"].client.raw_request(method.lower(), path, **named(UNACTED[name], ids))
    assert refusal.value.param.startswith(list(UNACTED[name])[-1])
    assert "The sandbox does not act on" in str(refusal.value)


def test_every_route_with_parameters_has_decided_what_it_acts_on() -> None:
    paging = {"expand", "limit", "starting_after", "ending_before"}
    with_parameters = {route.name for route in ROUTES if definition(route.takes).fields.keys() - paging}
    assert with_parameters == UNACTED.keys() | DECIDED_ALL


@pytest.mark.parametrize("name", ["GET /v1/customers", "GET /v1/prices", "GET /v1/invoices", "GET /v1/events"])
@pytest.mark.parametrize("limit", [0, 101, -1])
def test_a_page_has_one_to_a_hundred_rows(shop: Any, name: str, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.client.raw_request("get", name.partition(" ")[2], limit=limit)
    assert refusal.value.param == "limit"
