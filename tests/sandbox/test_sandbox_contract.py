"""Every route, walked with stripe-python, sync and async: each answer has the fields and types that its class promises.

A route without a step in `WALK` fails. A step names the route, the client's method, the ids of its path, its
parameters, and the name under which later steps find its answer.
"""

import asyncio
import typing
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import pytest
import stripe

from sandbox.calls.routes import ROUTES

PLAIN = (str, int, bool)
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
    return {"customer": made["customer"].id, "items": items, "expand": ["customer", "latest_invoice"]}


def of_subscription(made: Any) -> dict[str, Any]:
    return {"subscription": made["subscription"].id}


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
    Step("POST /v1/customers", "v1.customers.create", params=lambda _: {"name": "Ada"}, keep="customer"),
    Step("GET /v1/customers", "v1.customers.list"),
    Step("GET /v1/customers/{id}", "v1.customers.retrieve", "customer"),
    Step("POST /v1/customers/{id}", "v1.customers.update", "customer", lambda _: {"metadata": {"row": "7"}}),
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
    Step("DELETE /v1/customers/{id}", "v1.customers.delete", "customer"),
    Step("GET /v1/events", "v1.events.list", params=lambda _: {"limit": 100}, keep="events"),
    Step("GET /v1/events/{id}", "v1.events.retrieve", "a_happening"),
]


class Made(dict[str, Any]):
    """What the walk has made so far, by the names its steps gave."""

    def keep(self, step: Step, answer: Any) -> None:
        self[step.keep] = answer
        if step.keep == "events":
            self["a_happening"] = answer.data[0]

    def asked(self, step: Step) -> tuple[Any, ...]:
        return (*(self[name].id for name in step.ids.split()), step.params(self))


def walked(client: stripe.StripeClient) -> list[Any]:
    made, answers = Made(), []
    for step in WALK:
        answers.append(attrgetter(step.call)(client)(*made.asked(step)))
        made.keep(step, answers[-1])
    return answers


async def walked_async(client: stripe.StripeClient, http: stripe.HTTPClient) -> list[Any]:
    made, answers = Made(), []
    for step in WALK:
        answers.append(await attrgetter(f"{step.call}_async")(client)(*made.asked(step)))
        made.keep(step, answers[-1])
    await http.close_async()
    return answers


@pytest.fixture(scope="module")
def sync_answers(shared_sandbox: Any) -> Any:
    shop = shared_sandbox.shop()
    answers = walked(shop.client)
    shop.http.close()
    return answers


@pytest.fixture(scope="module")
def async_answers(shared_sandbox: Any) -> Any:
    shop = shared_sandbox.shop()
    shop.http.close()
    shop.http = stripe.AIOHTTPClient(timeout=20)
    return asyncio.run(walked_async(shop.client_of(shop.key), shop.http))


STEPS = pytest.mark.parametrize("number", range(len(WALK)), ids=[f"{step.route} {step.keep}".strip() for step in WALK])


@STEPS
def test_an_answer_has_every_field_that_its_type_requires(sync_answers: Any, number: int) -> None:
    assert broken(sync_answers[number], type(sync_answers[number]).__name__) == []


@STEPS
def test_an_answer_to_the_async_client_has_every_field_too(async_answers: Any, number: int) -> None:
    assert broken(async_answers[number], type(async_answers[number]).__name__) == []


@STEPS
def test_an_answer_is_of_a_type_of_its_own(sync_answers: Any, number: int) -> None:
    assert type(sync_answers[number]) not in {stripe.StripeObject, dict, type(None)}


def test_the_walk_leads_through_every_route() -> None:
    assert {step.route for step in WALK} == {route.name for route in ROUTES}


def test_a_broken_promise_is_noticed() -> None:
    list_object = {"object": "list", "data": [{"object": "customer", "id": 7}], "has_more": False, "url": "/"}
    found = broken(stripe.ListObject.construct_from(list_object, "sk_test"), "list")
    assert {"list.data[0].id is 7", "list.data[0].created is absent"} <= set(found)


def broken(answer: Any, name: str) -> list[str]:
    """The promises of the annotations that an object does not keep, in the objects within it too."""
    if isinstance(answer, list):
        return [wrong for index, member in enumerate(answer) for wrong in broken(member, f"{name}[{index}]")]
    if not isinstance(answer, stripe.StripeObject):
        return []
    if getattr(answer, "deleted", False):
        return [] if answer.id else [f"{name}.id"]
    found: list[str] = []
    for field, kind in type(answer).__annotations__.items():
        if field[0] != "_" and typing.get_origin(kind) is not typing.ClassVar:
            found += _broken_field(answer, field, kind, name=f"{name}.{field}")
    return found


def _broken_field(answer: Any, field: str, kind: Any, *, name: str) -> list[str]:
    if field not in answer or answer[field] is None:
        return [] if type(None) in typing.get_args(kind) else [f"{name} is absent"]
    value = answer[field]
    if kind in PLAIN and type(value) is not kind:
        return [f"{name} is {value!r}"]
    return broken(value, name)
