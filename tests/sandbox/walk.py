"""A walk along every route of the sandbox: what is asked at each step, and which earlier answers it asks with.

A step names the route, the client's method, the ids of its path, its parameters, and the name under which later steps
find its answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

EVENTS = ["customer.created"]
THIN = ["v1.billing.meter.error_report_triggered"]


@dataclass(frozen=True)
class Step:
    route: str
    call: str
    ids: str = ""
    params: Callable[[Any], dict[str, Any]] = lambda _: {}
    keep: str = ""


def metered(made: Any) -> dict[str, Any]:
    recurring = {"interval": "month", "usage_type": "metered", "meter": made["meter"].id}
    tiers = [{"up_to": 10, "unit_amount": 1, "flat_amount": 5}, {"up_to": "inf", "unit_amount_decimal": "0.5"}]
    tiered = {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers, "expand": ["tiers"]}
    return {"currency": "usd", "product": made["product"].id, "recurring": recurring} | tiered


def licensed(made: Any) -> dict[str, Any]:
    packages = {"divide_by": 10, "round": "up"}
    recurring = {"interval": "month"}
    wanted = {"currency": "usd", "product": made["product"].id, "unit_amount": 700, "recurring": recurring}
    return wanted | {"transform_quantity": packages}


def usage(made: Any) -> dict[str, Any]:
    return {"event_name": "calls", "payload": {"stripe_customer_id": made["customer"].id, "value": "12.5"}}


def summed(made: Any) -> dict[str, Any]:
    start = made["event"].timestamp // 3_600 * 3_600
    return {"customer": made["customer"].id, "start_time": start, "end_time": start + 3_600}


def subscribed(made: Any) -> dict[str, Any]:
    items = [{"price": made["price"].id}, {"price": made["licensed"].id, "quantity": 2}]
    words = {"description": "Hi", "footer": "Bye", "custom_fields": [{"name": "PO", "value": "1"}]}
    chosen = {"invoice_settings": words | {"account_tax_ids": [made["own_tax_id"].id]}}
    taxes = {"default_tax_rates": [made["tax_rate"].id]}
    fee = {"currency": "usd", "product": made["product"].id, "unit_amount": 4_900}
    first = {"add_invoice_items": [{"price_data": fee}], "discounts": [{"coupon": made["coupon"].id}]}
    paid = {"default_payment_method": made["card"].id, "payment_behavior": "error_if_incomplete"}
    expand = ["customer", "latest_invoice.discounts", "discounts.source.coupon", "default_payment_method"]
    wanted = {"customer": made["customer"].id, "items": items, "expand": expand}
    return wanted | chosen | taxes | first | paid


def automatic(made: Any) -> dict[str, Any]:
    wanted = {"customer": made["customer"].id, "items": [{"price": made["licensed"].id}]}
    return wanted | {"automatic_tax": {"enabled": True}, "expand": ["latest_invoice"]}


def of_customer(made: Any) -> dict[str, Any]:
    owner = {"type": "customer", "customer": made["customer"].id}
    return {"type": "eu_vat", "value": "DE123456789", "owner": owner}


def of_subscription(made: Any) -> dict[str, Any]:
    return {"subscription": made["subscription"].id}


def theirs(made: Any) -> dict[str, Any]:
    return {"customer": made["customer"].id}


def added(made: Any) -> dict[str, Any]:
    return of_subscription(made) | {"price": made["another"].id}


def cancelled(event: Any) -> dict[str, Any]:
    return {"type": "cancel", "event_name": "calls", "cancel": {"identifier": event.identifier}}


def invoiced(made: Any) -> dict[str, Any]:
    due = {"collection_method": "send_invoice", "days_until_due": 30}
    return {"customer": made["customer"].id, "pending_invoice_items_behavior": "include"} | due


def charged(made: Any) -> dict[str, Any]:
    return {"customer": made["customer"].id, "amount": 900, "currency": "usd"}


def thin(_: Any) -> dict[str, Any]:
    endpoint = {"url": "http://127.0.0.1:9/"}
    wanted = {"name": "Thin", "type": "webhook_endpoint", "event_payload": "thin", "enabled_events": THIN}
    return wanted | {"webhook_endpoint": endpoint, "include": ["webhook_endpoint.url"]}


ADA = {"name": "Ada", "address": {"country": "DE"}}
EIN = {"type": "us_ein", "value": "12-3456789"}
RATE = {"display_name": "VAT", "percentage": "19.5", "inclusive": False}
BELOW = "/v1/customers/{id}/tax_ids"
CARD = {"type": "card", "card": {"token": "tok_visa"}}
CARDS, COUPONS = "/v1/payment_methods", "/v1/coupons"
COUPON = {"percent_off": 12.5, "duration": "repeating", "duration_in_months": 3, "name": "Spring"}
METERS, DESTINATIONS = "/v1/billing/meters", "/v2/core/event_destinations"
METER = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
ENDPOINT = {"url": "http://127.0.0.1:9/", "enabled_events": EVENTS}
V2 = "v2.core.event_destinations"
WALK = [
    Step("GET /v1/account", "v1.accounts.retrieve_current", keep="account"),
    Step("GET /v1/accounts/{id}", "v1.accounts.retrieve", "account"),
    Step("POST /v1/webhook_endpoints", "v1.webhook_endpoints.create", params=lambda _: ENDPOINT, keep="endpoint"),
    Step("GET /v1/webhook_endpoints", "v1.webhook_endpoints.list"),
    Step("GET /v1/webhook_endpoints/{id}", "v1.webhook_endpoints.retrieve", "endpoint"),
    Step(
        "POST /v1/webhook_endpoints/{id}",
        "v1.webhook_endpoints.update",
        "endpoint",
        lambda _: {"description": "Ours"},
    ),
    Step("DELETE /v1/webhook_endpoints/{id}", "v1.webhook_endpoints.delete", "endpoint"),
    Step(f"POST {DESTINATIONS}", f"{V2}.create", params=thin, keep="destination"),
    Step(f"GET {DESTINATIONS}", f"{V2}.list"),
    Step(f"GET {DESTINATIONS}/{{id}}", f"{V2}.retrieve", "destination"),
    Step(f"POST {DESTINATIONS}/{{id}}", f"{V2}.update", "destination", lambda _: {"name": "Renamed"}),
    Step(f"POST {DESTINATIONS}/{{id}}/disable", f"{V2}.disable", "destination"),
    Step(f"POST {DESTINATIONS}/{{id}}/enable", f"{V2}.enable", "destination"),
    Step(f"POST {DESTINATIONS}/{{id}}/ping", f"{V2}.ping", "destination", keep="ping"),
    Step("GET /v2/core/events", "v2.core.events.list"),
    Step("GET /v2/core/events/{id}", "v2.core.events.retrieve", "ping"),
    Step(f"DELETE {DESTINATIONS}/{{id}}", f"{V2}.delete", "destination"),
    Step("POST /v1/customers", "v1.customers.create", params=lambda _: ADA, keep="customer"),
    Step("GET /v1/customers", "v1.customers.list"),
    Step("GET /v1/customers/{id}", "v1.customers.retrieve", "customer"),
    Step("POST /v1/customers/{id}", "v1.customers.update", "customer", lambda _: {"metadata": {"row": "7"}}),
    Step(f"POST {BELOW}", "v1.customers.tax_ids.create", "customer", lambda _: EIN, keep="tax_id"),
    Step(f"GET {BELOW}", "v1.customers.tax_ids.list", "customer", lambda _: {"expand": ["data.customer"]}),
    Step(f"GET {BELOW}/{{id}}", "v1.customers.tax_ids.retrieve", "customer tax_id"),
    Step("POST /v1/tax_ids", "v1.tax_ids.create", params=lambda _: EIN, keep="own_tax_id"),
    Step("POST /v1/tax_ids", "v1.tax_ids.create", params=of_customer, keep="another_tax_id"),
    Step("GET /v1/tax_ids", "v1.tax_ids.list"),
    Step("GET /v1/tax_ids/{id}", "v1.tax_ids.retrieve", "own_tax_id"),
    Step("DELETE /v1/tax_ids/{id}", "v1.tax_ids.delete", "another_tax_id"),
    Step("POST /v1/tax_rates", "v1.tax_rates.create", params=lambda _: RATE, keep="tax_rate"),
    Step("GET /v1/tax_rates", "v1.tax_rates.list"),
    Step("GET /v1/tax_rates/{id}", "v1.tax_rates.retrieve", "tax_rate"),
    Step("POST /v1/tax_rates/{id}", "v1.tax_rates.update", "tax_rate", lambda _: {"jurisdiction": "DE"}),
    Step(f"POST {CARDS}", "v1.payment_methods.create", params=lambda _: CARD, keep="card"),
    Step(f"POST {CARDS}/{{id}}/attach", "v1.payment_methods.attach", "card", theirs),
    Step(f"GET {CARDS}", "v1.payment_methods.list", params=lambda _: {"expand": ["data.customer"]}),
    Step("GET /v1/customers/{id}/payment_methods", "v1.customers.payment_methods.list", "customer"),
    Step(f"GET {CARDS}/{{id}}", "v1.payment_methods.retrieve", "card"),
    Step(f"POST {CARDS}/{{id}}", "v1.payment_methods.update", "card", lambda _: {"metadata": {"row": "7"}}),
    Step(f"POST {COUPONS}", "v1.coupons.create", params=lambda _: COUPON, keep="coupon"),
    Step(f"GET {COUPONS}", "v1.coupons.list"),
    Step(f"GET {COUPONS}/{{id}}", "v1.coupons.retrieve", "coupon"),
    Step(f"POST {COUPONS}/{{id}}", "v1.coupons.update", "coupon", lambda _: {"name": "Summer"}),
    Step("POST /v1/products", "v1.products.create", params=lambda _: {"name": "Calls"}, keep="product"),
    Step("GET /v1/products", "v1.products.list"),
    Step("GET /v1/products/{id}", "v1.products.retrieve", "product"),
    Step("POST /v1/products/{id}", "v1.products.update", "product", lambda _: {"unit_label": "call"}),
    Step(f"POST {METERS}", "v1.billing.meters.create", params=lambda _: METER, keep="meter"),
    Step(f"GET {METERS}", "v1.billing.meters.list"),
    Step(f"GET {METERS}/{{id}}", "v1.billing.meters.retrieve", "meter"),
    Step(f"POST {METERS}/{{id}}", "v1.billing.meters.update", "meter", lambda _: {"display_name": "All calls"}),
    Step(f"POST {METERS}/{{id}}/deactivate", "v1.billing.meters.deactivate", "meter"),
    Step(f"POST {METERS}/{{id}}/reactivate", "v1.billing.meters.reactivate", "meter"),
    Step("POST /v1/prices", "v1.prices.create", params=metered, keep="price"),
    Step("POST /v1/prices", "v1.prices.create", params=licensed, keep="licensed"),
    Step("POST /v1/prices", "v1.prices.create", params=licensed, keep="another"),
    Step("GET /v1/prices", "v1.prices.list", params=lambda _: {"expand": ["data.tiers"]}),
    Step("GET /v1/prices/{id}", "v1.prices.retrieve", "price", lambda _: {"expand": ["product"]}),
    Step("POST /v1/prices/{id}", "v1.prices.update", "price", lambda _: {"nickname": "By the call"}),
    Step("POST /v1/billing/meter_events", "v1.billing.meter_events.create", params=usage, keep="event"),
    Step("POST /v2/billing/meter_events", "v2.billing.meter_events.create", params=usage, keep="event_v2"),
    Step(f"GET {METERS}/{{id}}/event_summaries", "v1.billing.meters.event_summaries.list", "meter", summed),
    Step(
        "POST /v1/billing/meter_event_adjustments",
        "v1.billing.meter_event_adjustments.create",
        params=lambda made: cancelled(made["event"]),
    ),
    Step(
        "POST /v2/billing/meter_event_adjustments",
        "v2.billing.meter_event_adjustments.create",
        params=lambda made: cancelled(made["event_v2"]),
    ),
    Step("POST /v1/subscriptions", "v1.subscriptions.create", params=subscribed, keep="subscription"),
    Step("POST /v1/subscriptions", "v1.subscriptions.create", params=automatic, keep="automatic"),
    Step("GET /v1/subscriptions", "v1.subscriptions.list", params=lambda _: {"expand": ["data.customer"]}),
    Step("GET /v1/subscriptions/{id}", "v1.subscriptions.retrieve", "subscription"),
    Step("POST /v1/subscriptions/{id}", "v1.subscriptions.update", "subscription", lambda _: {"metadata": {"a": "b"}}),
    Step("POST /v1/subscription_items", "v1.subscription_items.create", params=added, keep="si"),
    Step("GET /v1/subscription_items", "v1.subscription_items.list", params=of_subscription),
    Step("GET /v1/subscription_items/{id}", "v1.subscription_items.retrieve", "si"),
    Step("POST /v1/subscription_items/{id}", "v1.subscription_items.update", "si", lambda _: {"quantity": 3}),
    Step("DELETE /v1/subscription_items/{id}", "v1.subscription_items.delete", "si"),
    Step("POST /v1/invoices/create_preview", "v1.invoices.create_preview", params=of_subscription),
    Step("POST /v1/invoiceitems", "v1.invoice_items.create", params=charged, keep="item"),
    Step("GET /v1/invoiceitems", "v1.invoice_items.list"),
    Step("GET /v1/invoiceitems/{id}", "v1.invoice_items.retrieve", "item"),
    Step("POST /v1/invoiceitems/{id}", "v1.invoice_items.update", "item", lambda _: {"description": "Setup"}),
    Step("POST /v1/invoices", "v1.invoices.create", params=invoiced, keep="paid"),
    Step("POST /v1/invoiceitems", "v1.invoice_items.create", params=charged),
    Step("POST /v1/invoices", "v1.invoices.create", params=invoiced, keep="void"),
    Step("POST /v1/invoiceitems", "v1.invoice_items.create", params=charged),
    Step("POST /v1/invoices", "v1.invoices.create", params=invoiced, keep="given_up"),
    Step("POST /v1/invoices", "v1.invoices.create", params=invoiced, keep="draft"),
    Step("POST /v1/invoiceitems", "v1.invoice_items.create", params=charged, keep="unused_item"),
    Step("DELETE /v1/invoiceitems/{id}", "v1.invoice_items.delete", "unused_item"),
    Step("POST /v1/invoices/{id}", "v1.invoices.update", "draft", lambda _: {"description": "Ours"}),
    Step("DELETE /v1/invoices/{id}", "v1.invoices.delete", "draft"),
    Step("POST /v1/invoices/{id}/finalize", "v1.invoices.finalize_invoice", "paid"),
    Step("POST /v1/invoices/{id}/finalize", "v1.invoices.finalize_invoice", "void"),
    Step("POST /v1/invoices/{id}/finalize", "v1.invoices.finalize_invoice", "given_up"),
    Step("POST /v1/invoices/{id}/pay", "v1.invoices.pay", "paid", lambda _: {"paid_out_of_band": True}),
    Step("POST /v1/invoices/{id}/void", "v1.invoices.void_invoice", "void"),
    Step("POST /v1/invoices/{id}/mark_uncollectible", "v1.invoices.mark_uncollectible", "given_up"),
    Step("GET /v1/invoices", "v1.invoices.list"),
    Step("GET /v1/invoices/{id}", "v1.invoices.retrieve", "paid", lambda _: {"expand": ["customer"]}),
    Step("GET /v1/invoices/{id}/lines", "v1.invoices.line_items.list", "paid"),
    Step("DELETE /v1/subscriptions/{id}", "v1.subscriptions.cancel", "subscription"),
    Step("POST /v1/products", "v1.products.create", params=lambda _: {"name": "Unused"}, keep="unused"),
    Step("DELETE /v1/products/{id}", "v1.products.delete", "unused"),
    Step(f"DELETE {BELOW}/{{id}}", "v1.customers.tax_ids.delete", "customer tax_id"),
    Step(f"DELETE {COUPONS}/{{id}}", "v1.coupons.delete", "coupon"),
    Step(f"POST {CARDS}/{{id}}/detach", "v1.payment_methods.detach", "card"),
    Step("DELETE /v1/customers/{id}", "v1.customers.delete", "customer"),
    Step("GET /v1/events", "v1.events.list", params=lambda _: {"limit": 100}, keep="events"),
    Step("GET /v1/events/{id}", "v1.events.retrieve", "a_happening"),
]
