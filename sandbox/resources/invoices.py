"""Invoices: so far the preview, which rates the current period's usage as the next invoice would.

Usage counts at the prices' tiers, in Decimal; a negative total is billed as 0. Licensed items are billed ahead, for the
period that follows.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from sandbox.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.periods import Period
from sandbox.rating import RatedLine
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.event_summaries import counted, seen_until
from sandbox.resources.meters import existing as existing_meter
from sandbox.resources.products import existing as existing_product
from sandbox.resources.subscription_items import SubscriptionItem
from sandbox.resources.subscriptions import Subscription
from sandbox.resources.subscriptions import existing as existing_subscription
from sandbox.usage import aggregated
from sandbox.wire import JsonObject, decimal_text

UNBUILT = ("subscription_details", "schedule", "schedule_details", "invoice_items")

UNSET: JsonObject = {
    "object": "invoice",
    "account_country": "US",
    "account_tax_ids": None,
    "amount_overpaid": 0,
    "amount_paid": 0,
    "amount_shipping": 0,
    "application": None,
    "attempt_count": 0,
    "attempted": False,
    "auto_advance": False,
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "status": None},
    "automatically_finalizes_at": None,
    "billing_reason": "upcoming",
    "custom_fields": None,
    "customer_address": None,
    "customer_phone": None,
    "customer_shipping": None,
    "customer_tax_exempt": "none",
    "customer_tax_ids": [],
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "due_date": None,
    "ending_balance": 0,
    "footer": None,
    "issuer": {"type": "self"},
    "last_finalization_error": None,
    "metadata": {},
    "next_payment_attempt": None,
    "number": None,
    "on_behalf_of": None,
    "payment_settings": {
        "default_mandate": None,
        "payment_method_options": None,
        "payment_method_types": None,
    },
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "receipt_number": None,
    "starting_balance": 0,
    "statement_descriptor": None,
    "status": "draft",
    "status_transitions": {
        "finalized_at": None,
        "marked_uncollectible_at": None,
        "paid_at": None,
        "voided_at": None,
    },
    "test_clock": None,
    "total_discount_amounts": [],
    "total_pretax_credit_amounts": [],
    "total_taxes": [],
    "webhooks_delivered_at": None,
}
"""What every preview says alike: nothing paid, nothing taxed, not attempted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    item: SubscriptionItem
    period: Period
    rated: RatedLine


def create_preview(call: Call) -> JsonObject:
    subscription = _subscription(call)
    lines = [line for item in subscription.items for line in _item_lines(call, subscription, item)]
    return _body(call, subscription, lines)


def _subscription(call: Call) -> Subscription:
    """The subscription asked for, or the customer's whose period ends first."""
    for name in UNBUILT:
        if name in call.params:
            raise invalid(f"The sandbox does not preview with `{name}`.", param=name)
    if identity := call.params.text("subscription"):
        return _still_running(existing_subscription(call, identity, param="subscription"))
    customer = existing_customer(call, call.params.required("customer"), param="customer").id
    running = [
        subscription
        for subscription in call.books.shelf(Subscription).values()
        if subscription.customer == customer and subscription.ended_at is None
    ]
    if not running:
        raise _nothing_upcoming(customer)
    return min(running, key=lambda subscription: subscription.period_end(call.now))


def _still_running(subscription: Subscription) -> Subscription:
    if subscription.ended_at is not None:
        raise _nothing_upcoming(subscription.customer)
    return subscription


def _nothing_upcoming(customer: str) -> ApiError:
    return ApiError(404, f"No upcoming invoices for customer: '{customer}'", code="invoice_upcoming_none")


def _item_lines(call: Call, subscription: Subscription, item: SubscriptionItem) -> list[Line]:
    current = subscription.period(item, call.now)
    if item.recurring.meter is None:
        ahead = item.period(current.end, anchor=subscription.anchor, start=subscription.start_date)
        return [Line(item=item, period=ahead, rated=rated) for rated in item.price.rated(Decimal(item.quantity or 0))]
    meter = existing_meter(call, item.recurring.meter)
    readings = counted(call.books, meter, subscription.customer, period=current, until=seen_until(call.books))
    quantity = max(Decimal(0), aggregated(readings, meter.formula))
    rated_lines = item.price.rated(quantity)
    if subscription.is_trial(call.now) and not call.books.settings.trial_usage_is_billed:
        rated_lines = [replace(rated, amount=0) for rated in rated_lines]
    return [Line(item=item, period=current, rated=rated) for rated in rated_lines]


def _body(call: Call, subscription: Subscription, lines: list[Line]) -> JsonObject:
    total = sum(line.rated.amount for line in lines)
    identity = f"upcoming_in_{call.books.ids.letters('upcoming', subscription.id)}"
    customer = existing_customer(call, subscription.customer)
    periods = [subscription.period(item, call.now) for item in subscription.items]
    return UNSET | {
        "id": identity,
        "account_name": call.books.account,
        "amount_due": total,
        "amount_remaining": total,
        "collection_method": subscription.collection_method,
        "created": periods[0].end,
        "currency": subscription.currency,
        "customer": customer.id,
        "customer_email": customer.email,
        "customer_name": customer.name,
        "lines": {
            "object": "list",
            "data": [_line_body(call, line, invoice=identity) for line in lines],
            "has_more": False,
            "total_count": len(lines),
            "url": f"/v1/invoices/upcoming/lines?subscription={subscription.id}",
        },
        "livemode": subscription.livemode,
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": subscription.metadata,
                "subscription": subscription.id,
            },
            "type": "subscription_details",
        },
        "period_end": max(period.end for period in periods),
        "period_start": min(period.start for period in periods),
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
    }


def _line_body(call: Call, line: Line, *, invoice: str) -> JsonObject:
    rated, item = line.rated, line.item
    return {
        "id": f"il_tmp_{call.books.ids.letters('line', item.id, str(rated.tier), str(line.period.start))}",
        "object": "line_item",
        "amount": rated.amount,
        "currency": item.price.currency,
        "description": _description(call, line),
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": item.price.livemode,
        "metadata": item.metadata,
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": item.subscription,
                "subscription_item": item.id,
            },
            "type": "subscription_item_details",
        },
        "period": {"end": line.period.end, "start": line.period.start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": item.price.id, "product": item.price.product},
            "type": "price_details",
            "unit_amount_decimal": decimal_text(rated.unit_amount),
        },
        "quantity": int(rated.quantity),
        "quantity_decimal": decimal_text(rated.quantity),
        "subscription": item.subscription,
        "subtotal": rated.amount,
        "taxes": [],
    }


def _description(call: Call, line: Line) -> str:
    name = existing_product(call, line.item.price.product).name
    tier = f" (Tier {line.rated.tier})" if line.rated.tier else ""
    return f"{decimal_text(line.rated.quantity)} × {name}{tier}"  # noqa: RUF001 - Stripe's own sign
