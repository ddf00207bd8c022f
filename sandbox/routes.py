"""Every endpoint the sandbox knows, by method and path: the contents page of `resources/`."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.call import Call, Endpoint
from sandbox.resources import (
    accounts,
    customers,
    event_summaries,
    events,
    invoice_previews,
    invoices,
    meter_events,
    meters,
    prices,
    products,
    subscriptions,
    webhook_endpoints,
)

Lane = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: str
    endpoint: Endpoint
    lane: Callable[[Call], Lane | None] | None = None
    """What only one call at a time may be about."""
    takes: str = ""
    """The type of stripe-python that defines its parameters, less `Params`: `billing.MeterEventCreate`."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.pattern}"


ROUTES = (
    Route("POST", "/v1/billing/meter_events", meter_events.create, meter_events.lane, takes="billing.MeterEventCreate"),
    Route(
        "GET",
        "/v1/billing/meters/{id}/event_summaries",
        event_summaries.list_page,
        takes="billing.MeterEventSummaryList",
    ),
    Route("POST", "/v1/billing/meters", meters.create, takes="billing.MeterCreate"),
    Route("GET", "/v1/billing/meters", meters.list_page, takes="billing.MeterList"),
    Route("GET", "/v1/billing/meters/{id}", meters.retrieve, takes="billing.MeterRetrieve"),
    Route("POST", "/v1/billing/meters/{id}", meters.update, takes="billing.MeterUpdate"),
    Route("POST", "/v1/billing/meters/{id}/deactivate", meters.deactivate, takes="billing.MeterDeactivate"),
    Route("POST", "/v1/billing/meters/{id}/reactivate", meters.reactivate, takes="billing.MeterReactivate"),
    Route("GET", "/v1/account", accounts.retrieve_own, takes="AccountRetrieveCurrent"),
    Route("POST", "/v1/customers", customers.create, takes="CustomerCreate"),
    Route("GET", "/v1/customers", customers.list_page, takes="CustomerList"),
    Route("GET", "/v1/customers/{id}", customers.retrieve, takes="CustomerRetrieve"),
    Route("POST", "/v1/products", products.create, takes="ProductCreate"),
    Route("GET", "/v1/products", products.list_page, takes="ProductList"),
    Route("GET", "/v1/products/{id}", products.retrieve, takes="ProductRetrieve"),
    Route("POST", "/v1/prices", prices.create, takes="PriceCreate"),
    Route("GET", "/v1/prices", prices.list_page, takes="PriceList"),
    Route("GET", "/v1/prices/{id}", prices.retrieve, takes="PriceRetrieve"),
    Route("POST", "/v1/subscriptions", subscriptions.create, takes="SubscriptionCreate"),
    Route("GET", "/v1/subscriptions", subscriptions.list_page, takes="SubscriptionList"),
    Route("GET", "/v1/subscriptions/{id}", subscriptions.retrieve, takes="SubscriptionRetrieve"),
    Route("POST", "/v1/subscriptions/{id}", subscriptions.update, takes="SubscriptionUpdate"),
    Route("DELETE", "/v1/subscriptions/{id}", subscriptions.cancel, takes="SubscriptionCancel"),
    Route("POST", "/v1/invoices/create_preview", invoice_previews.create_preview, takes="InvoiceCreatePreview"),
    Route("GET", "/v1/invoices", invoices.list_page, takes="InvoiceList"),
    Route("GET", "/v1/invoices/{id}", invoices.retrieve, takes="InvoiceRetrieve"),
    Route("DELETE", "/v1/invoices/{id}", invoices.delete, takes="InvoiceDelete"),
    Route("GET", "/v1/invoices/{id}/lines", invoices.list_lines, takes="InvoiceListLines"),
    Route("POST", "/v1/invoices/{id}/finalize", invoices.finalize, takes="InvoiceFinalizeInvoice"),
    Route("POST", "/v1/invoices/{id}/pay", invoices.pay, takes="InvoicePay"),
    Route("POST", "/v1/invoices/{id}/void", invoices.void, takes="InvoiceVoidInvoice"),
    Route(
        "POST", "/v1/invoices/{id}/mark_uncollectible", invoices.mark_uncollectible, takes="InvoiceMarkUncollectible"
    ),
    Route("GET", "/v1/events", events.list_page, takes="EventList"),
    Route("GET", "/v1/events/{id}", events.retrieve, takes="EventRetrieve"),
    Route("POST", "/v1/webhook_endpoints", webhook_endpoints.create, takes="WebhookEndpointCreate"),
    Route("GET", "/v1/webhook_endpoints", webhook_endpoints.list_page, takes="WebhookEndpointList"),
    Route("GET", "/v1/webhook_endpoints/{id}", webhook_endpoints.retrieve, takes="WebhookEndpointRetrieve"),
    Route("DELETE", "/v1/webhook_endpoints/{id}", webhook_endpoints.delete, takes="WebhookEndpointDelete"),
)

_FIXED = {(route.method, route.pattern): route for route in ROUTES if "{id}" not in route.pattern}
_WITH_ID = [(route, route.pattern.split("/")) for route in ROUTES if "{id}" in route.pattern]


def matched(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """The route of a call and the ids in its path; None where Stripe would not recognize the URL."""
    if fixed := _FIXED.get((method, path)):
        return fixed, ()
    steps = path.split("/")
    for route, pattern in _WITH_ID:
        if route.method == method and len(steps) == len(pattern):
            ids = tuple(step for step, expected in zip(steps, pattern, strict=True) if expected == "{id}")
            if all(expected in ("{id}", step) for step, expected in zip(steps, pattern, strict=True)) and all(ids):
                return route, ids
    return None
