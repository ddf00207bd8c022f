"""Every endpoint the sandbox knows, by method and path: the contents page of `resources/`."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.calls.call import Call, Endpoint
from sandbox.resources import (
    accounts,
    core_events,
    coupons,
    customers,
    deletions,
    event_destinations,
    event_summaries,
    events,
    invoice_drafts,
    invoice_items,
    invoice_previews,
    invoices,
    meter_event_adjustments,
    meter_events,
    meters,
    payment_methods,
    prices,
    products,
    subscription_cancellation,
    subscription_creation,
    subscription_item_calls,
    subscription_updates,
    subscriptions,
    tax_ids,
    tax_rates,
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
        "POST",
        "/v2/billing/meter_events",
        meter_events.create_v2,
        meter_events.lane,
        takes="v2.billing.MeterEventCreate",
    ),
    Route(
        "POST",
        "/v1/billing/meter_event_adjustments",
        meter_event_adjustments.create,
        takes="billing.MeterEventAdjustmentCreate",
    ),
    Route(
        "POST",
        "/v2/billing/meter_event_adjustments",
        meter_event_adjustments.create_v2,
        takes="v2.billing.MeterEventAdjustmentCreate",
    ),
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
    Route("GET", "/v1/accounts/{id}", accounts.retrieve, takes="AccountRetrieve"),
    Route("POST", "/v1/customers", customers.create, takes="CustomerCreate"),
    Route("GET", "/v1/customers", customers.list_page, takes="CustomerList"),
    Route("GET", "/v1/customers/{id}", customers.retrieve, takes="CustomerRetrieve"),
    Route("POST", "/v1/customers/{id}", customers.update, takes="CustomerUpdate"),
    Route("DELETE", "/v1/customers/{id}", deletions.delete_customer, takes="CustomerDelete"),
    Route("POST", "/v1/customers/{id}/tax_ids", tax_ids.create_of_customer, takes="CustomerTaxIdCreate"),
    Route("GET", "/v1/customers/{id}/tax_ids", tax_ids.list_of_customer, takes="CustomerTaxIdList"),
    Route("GET", "/v1/customers/{id}/tax_ids/{id}", tax_ids.retrieve_of_customer, takes="CustomerTaxIdRetrieve"),
    Route("DELETE", "/v1/customers/{id}/tax_ids/{id}", tax_ids.delete_of_customer, takes="CustomerTaxIdDelete"),
    Route("POST", "/v1/tax_ids", tax_ids.create, takes="TaxIdCreate"),
    Route("GET", "/v1/tax_ids", tax_ids.list_page, takes="TaxIdList"),
    Route("GET", "/v1/tax_ids/{id}", tax_ids.retrieve, takes="TaxIdRetrieve"),
    Route("DELETE", "/v1/tax_ids/{id}", tax_ids.delete, takes="TaxIdDelete"),
    Route("POST", "/v1/tax_rates", tax_rates.create, takes="TaxRateCreate"),
    Route("GET", "/v1/tax_rates", tax_rates.list_page, takes="TaxRateList"),
    Route("GET", "/v1/tax_rates/{id}", tax_rates.retrieve, takes="TaxRateRetrieve"),
    Route("POST", "/v1/tax_rates/{id}", tax_rates.update, takes="TaxRateUpdate"),
    Route("POST", "/v1/products", products.create, takes="ProductCreate"),
    Route("GET", "/v1/products", products.list_page, takes="ProductList"),
    Route("GET", "/v1/products/{id}", products.retrieve, takes="ProductRetrieve"),
    Route("POST", "/v1/products/{id}", products.update, takes="ProductUpdate"),
    Route("DELETE", "/v1/products/{id}", deletions.delete_product, takes="ProductDelete"),
    Route("POST", "/v1/prices", prices.create, takes="PriceCreate"),
    Route("GET", "/v1/prices", prices.list_page, takes="PriceList"),
    Route("GET", "/v1/prices/{id}", prices.retrieve, takes="PriceRetrieve"),
    Route("POST", "/v1/prices/{id}", prices.update, takes="PriceUpdate"),
    Route("POST", "/v1/coupons", coupons.create, takes="CouponCreate"),
    Route("GET", "/v1/coupons", coupons.list_page, takes="CouponList"),
    Route("GET", "/v1/coupons/{id}", coupons.retrieve, takes="CouponRetrieve"),
    Route("POST", "/v1/coupons/{id}", coupons.update, takes="CouponUpdate"),
    Route("DELETE", "/v1/coupons/{id}", coupons.delete, takes="CouponDelete"),
    Route("POST", "/v1/payment_methods", payment_methods.create, takes="PaymentMethodCreate"),
    Route("GET", "/v1/payment_methods", payment_methods.list_page, takes="PaymentMethodList"),
    Route("GET", "/v1/payment_methods/{id}", payment_methods.retrieve, takes="PaymentMethodRetrieve"),
    Route("POST", "/v1/payment_methods/{id}", payment_methods.update, takes="PaymentMethodUpdate"),
    Route("POST", "/v1/payment_methods/{id}/attach", payment_methods.attach, takes="PaymentMethodAttach"),
    Route("POST", "/v1/payment_methods/{id}/detach", payment_methods.detach, takes="PaymentMethodDetach"),
    Route(
        "GET",
        "/v1/customers/{id}/payment_methods",
        payment_methods.list_of_customer,
        takes="CustomerPaymentMethodList",
    ),
    Route("POST", "/v1/subscriptions", subscription_creation.create, takes="SubscriptionCreate"),
    Route("GET", "/v1/subscriptions", subscriptions.list_page, takes="SubscriptionList"),
    Route("GET", "/v1/subscriptions/{id}", subscriptions.retrieve, takes="SubscriptionRetrieve"),
    Route("POST", "/v1/subscriptions/{id}", subscription_updates.update, takes="SubscriptionUpdate"),
    Route("DELETE", "/v1/subscriptions/{id}", subscription_cancellation.cancel, takes="SubscriptionCancel"),
    Route("POST", "/v1/subscription_items", subscription_item_calls.create, takes="SubscriptionItemCreate"),
    Route("GET", "/v1/subscription_items", subscription_item_calls.list_page, takes="SubscriptionItemList"),
    Route("GET", "/v1/subscription_items/{id}", subscription_item_calls.retrieve, takes="SubscriptionItemRetrieve"),
    Route("POST", "/v1/subscription_items/{id}", subscription_item_calls.update, takes="SubscriptionItemUpdate"),
    Route("DELETE", "/v1/subscription_items/{id}", subscription_item_calls.delete, takes="SubscriptionItemDelete"),
    Route("POST", "/v1/invoices/create_preview", invoice_previews.create_preview, takes="InvoiceCreatePreview"),
    Route("POST", "/v1/invoices", invoice_drafts.create, takes="InvoiceCreate"),
    Route("GET", "/v1/invoices", invoices.list_page, takes="InvoiceList"),
    Route("GET", "/v1/invoices/{id}", invoices.retrieve, takes="InvoiceRetrieve"),
    Route("POST", "/v1/invoices/{id}", invoice_drafts.update, takes="InvoiceUpdate"),
    Route("DELETE", "/v1/invoices/{id}", invoices.delete, takes="InvoiceDelete"),
    Route("GET", "/v1/invoices/{id}/lines", invoices.list_lines, takes="InvoiceListLines"),
    Route("POST", "/v1/invoices/{id}/finalize", invoices.finalize, takes="InvoiceFinalizeInvoice"),
    Route("POST", "/v1/invoices/{id}/pay", invoices.pay, takes="InvoicePay"),
    Route("POST", "/v1/invoices/{id}/void", invoices.void, takes="InvoiceVoidInvoice"),
    Route(
        "POST", "/v1/invoices/{id}/mark_uncollectible", invoices.mark_uncollectible, takes="InvoiceMarkUncollectible"
    ),
    Route("POST", "/v1/invoiceitems", invoice_items.create, takes="InvoiceItemCreate"),
    Route("GET", "/v1/invoiceitems", invoice_items.list_page, takes="InvoiceItemList"),
    Route("GET", "/v1/invoiceitems/{id}", invoice_items.retrieve, takes="InvoiceItemRetrieve"),
    Route("POST", "/v1/invoiceitems/{id}", invoice_items.update, takes="InvoiceItemUpdate"),
    Route("DELETE", "/v1/invoiceitems/{id}", invoice_items.delete, takes="InvoiceItemDelete"),
    Route("GET", "/v1/events", events.list_page, takes="EventList"),
    Route("GET", "/v1/events/{id}", events.retrieve, takes="EventRetrieve"),
    Route("POST", "/v1/webhook_endpoints", webhook_endpoints.create, takes="WebhookEndpointCreate"),
    Route("GET", "/v1/webhook_endpoints", webhook_endpoints.list_page, takes="WebhookEndpointList"),
    Route("GET", "/v1/webhook_endpoints/{id}", webhook_endpoints.retrieve, takes="WebhookEndpointRetrieve"),
    Route("POST", "/v1/webhook_endpoints/{id}", webhook_endpoints.update, takes="WebhookEndpointUpdate"),
    Route("DELETE", "/v1/webhook_endpoints/{id}", webhook_endpoints.delete, takes="WebhookEndpointDelete"),
    Route("GET", "/v2/core/events", core_events.list_page, takes="v2.core.EventList"),
    Route("GET", "/v2/core/events/{id}", core_events.retrieve, takes="v2.core.EventRetrieve"),
    Route("POST", "/v2/core/event_destinations", event_destinations.create, takes="v2.core.EventDestinationCreate"),
    Route("GET", "/v2/core/event_destinations", event_destinations.list_page, takes="v2.core.EventDestinationList"),
    Route(
        "GET", "/v2/core/event_destinations/{id}", event_destinations.retrieve, takes="v2.core.EventDestinationRetrieve"
    ),
    Route(
        "POST", "/v2/core/event_destinations/{id}", event_destinations.update, takes="v2.core.EventDestinationUpdate"
    ),
    Route(
        "DELETE", "/v2/core/event_destinations/{id}", event_destinations.delete, takes="v2.core.EventDestinationDelete"
    ),
    Route(
        "POST",
        "/v2/core/event_destinations/{id}/enable",
        event_destinations.enable,
        takes="v2.core.EventDestinationEnable",
    ),
    Route(
        "POST",
        "/v2/core/event_destinations/{id}/disable",
        event_destinations.disable,
        takes="v2.core.EventDestinationDisable",
    ),
    Route(
        "POST", "/v2/core/event_destinations/{id}/ping", event_destinations.ping, takes="v2.core.EventDestinationPing"
    ),
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
