"""Subscriptions: what a customer is billed for, from when, and by which anchor.

Their state is kept here and answered from here; what changes it is in `subscription_creation`, `subscription_updates`
and `subscription_cancellation` for callers, and in `billing/cycle` for the clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.billing.arrears import status_of_arrears
from sandbox.billing.coupon import Discount
from sandbox.billing.discounts import in_force
from sandbox.billing.invoice_terms import NO_TERMS, InvoiceTerms
from sandbox.billing.tax_body import subscription_terms
from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import no_such
from sandbox.pages import newest_first, page
from sandbox.resources.events import Event, record
from sandbox.resources.subscription_items import SubscriptionItem
from sandbox.wire import JsonObject

STATUSES = (
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
)

UNSET: JsonObject = {
    "object": "subscription",
    "application": None,
    "application_fee_percent": None,
    "billing_schedules": [],
    "billing_thresholds": None,
    "default_source": None,
    "next_pending_invoice_item_invoice": None,
    "on_behalf_of": None,
    "pause_collection": None,
    "payment_settings": None,
    "pending_invoice_item_interval": None,
    "pending_setup_intent": None,
    "pending_update": None,
    "schedule": None,
    "test_clock": None,
    "transfer_data": None,
}
"""What every subscription of the sandbox says alike, so that typed clients find each field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Why it was or is to be cancelled."""

    reason: str | None = None
    comment: str | None = None
    feedback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    id: str
    created: int
    livemode: bool
    customer: str
    start_date: int
    anchor: int
    anchor_config: dict[str, int | None] | None
    billing_mode: str
    collection_method: str
    days_until_due: int | None
    description: str | None
    default_payment_method: str | None
    metadata: dict[str, str]
    items: tuple[SubscriptionItem, ...]
    invoice_terms: InvoiceTerms = NO_TERMS
    trial_start: int | None
    trial_end: int | None
    trial_end_told: int | None = None
    """The trial's end of which `customer.subscription.trial_will_end` has told."""
    invoice_told: int | None = None
    """The turn of which `invoice.upcoming` has told."""
    without_payment_method: str
    """What becomes of it where a trial ends and there is nothing to pay with."""
    cancel_at: int | None
    cancel_at_period_end: bool
    credits_unused: bool = True
    """Whether a cancellation within a period gives back what was paid ahead."""
    cancellation: Cancellation = Cancellation()
    canceled_at: int | None = None
    ended_at: int | None = None
    is_paused: bool = False
    is_expired: bool = False
    """Whether it ended because its first invoice was not paid in time."""
    discounts: tuple[Discount, ...] = ()
    latest_invoice: str | None = None

    @property
    def currency(self) -> str:
        return self.items[0].price.currency

    @property
    def day(self) -> int | None:
        """The day of the month that its anchor was described by."""
        return None if self.anchor_config is None else self.anchor_config["day_of_month"]

    @property
    def is_flexible(self) -> bool:
        return self.billing_mode == "flexible"

    @property
    def is_running(self) -> bool:
        return self.ended_at is None and not self.is_paused

    @property
    def period_ends_at(self) -> int:
        """When the first of its items' periods ends."""
        return min(item.current.end for item in self.items)

    @property
    def ends_at(self) -> int | None:
        """When it is to end by itself."""
        return self.period_ends_at if self.cancel_at_period_end else self.cancel_at

    @property
    def turns_at(self) -> int:
        """When something happens to it next: a period ends, or it does."""
        return self.period_ends_at if self.ends_at is None else min(self.period_ends_at, self.ends_at)

    def status(self, books: Books) -> str:
        if self.ended_at is not None:
            return "incomplete_expired" if self.is_expired else "canceled"
        if self.is_paused:
            return "paused"
        arrears = status_of_arrears(books, self.id)
        if self.is_trial(books.now) and arrears != "incomplete":
            return "trialing"
        return arrears or "active"

    def is_trial(self, instant: int) -> bool:
        return (
            self.trial_end is not None and self.trial_start is not None and self.trial_start <= instant < self.trial_end
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionsOfCustomer:
    """The subscriptions a customer ever had, so that no list of them looks at everybody's."""

    ids: tuple[str, ...] = ()


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return rendered(call, existing(call, call.id))


def list_page(call: Call) -> JsonObject:
    body = page(call, _wanted(call), lambda subscription: rendered(call, subscription))
    call.params.nothing_else()
    return body


def existing(call: Call, identity: str, *, param: str = "id") -> Subscription:
    subscription = call.books.shelf(Subscription).get(identity)
    if subscription is None:
        raise no_such("subscription", identity, param=param)
    return subscription


def shelved(books: Books, subscription: Subscription) -> Subscription:
    shelf, theirs = books.shelf(Subscription), books.shelf(SubscriptionsOfCustomer)
    if subscription.id not in shelf:
        before = theirs.get(subscription.customer, SubscriptionsOfCustomer())
        theirs[subscription.customer] = SubscriptionsOfCustomer(ids=(*before.ids, subscription.id))
    shelf[subscription.id] = subscription
    return subscription


def answered(call: Call, subscription: Subscription, kind: str) -> JsonObject:
    """Tells of what a caller did to it; the answer to that caller."""
    body = rendered(call, shelved(call.books, subscription))
    record(call.books, kind, body)
    return body


def told(books: Books, subscription: Subscription, kind: str) -> Event:
    """Tells of what time did to it."""
    return record(books, kind, subscription_body(books, shelved(books, subscription)))


def rendered(call: Call, subscription: Subscription) -> JsonObject:
    return subscription_body(call.books, subscription)


def subscription_body(books: Books, subscription: Subscription) -> JsonObject:
    cancellation = subscription.cancellation
    return (
        UNSET
        | subscription_terms(books, subscription.invoice_terms)
        | {
            "id": subscription.id,
            "billing_cycle_anchor": subscription.anchor,
            "billing_cycle_anchor_config": subscription.anchor_config,
            "billing_mode": {"flexible": None, "type": subscription.billing_mode},
            "cancel_at": subscription.ends_at,
            "cancel_at_period_end": subscription.cancel_at_period_end,
            "canceled_at": subscription.canceled_at,
            "cancellation_details": {
                "comment": cancellation.comment,
                "feedback": cancellation.feedback,
                "reason": cancellation.reason,
            },
            "collection_method": subscription.collection_method,
            "created": subscription.created,
            "currency": subscription.currency,
            "customer": subscription.customer,
            "days_until_due": subscription.days_until_due,
            "default_payment_method": subscription.default_payment_method,
            "description": subscription.description,
            "discounts": [discount.id for discount in in_force(books, subscription.discounts, at=books.now)],
            "ended_at": subscription.ended_at,
            "items": _items_body(subscription),
            "latest_invoice": subscription.latest_invoice,
            "livemode": subscription.livemode,
            "metadata": subscription.metadata,
            "start_date": subscription.start_date,
            "status": subscription.status(books),
            "trial_end": subscription.trial_end,
            "trial_settings": {"end_behavior": {"missing_payment_method": subscription.without_payment_method}},
            "trial_start": subscription.trial_start,
        }
    )


def _items_body(subscription: Subscription) -> JsonObject:
    return {
        "object": "list",
        "data": [item.render() for item in subscription.items],
        "has_more": False,
        "total_count": len(subscription.items),
        "url": f"/v1/subscription_items?subscription={subscription.id}",
    }


def _wanted(call: Call) -> Iterable[Subscription]:
    params = call.params
    customer, price, status = params.text("customer"), params.text("price"), params.choice("status", STATUSES)
    method, created = params.text("collection_method"), params.bounds("created")
    seen_until = call.now - call.books.settings.subscription_list_lag_s
    for subscription in _of_customer(call, customer):
        if subscription.created > seen_until or method not in (None, subscription.collection_method):
            continue
        if price is not None and price not in {item.price.id for item in subscription.items}:
            continue
        if _has_status(call.books, subscription, status) and (created is None or created.hold(subscription.created)):
            yield subscription


def _of_customer(call: Call, customer: str | None) -> Iterable[Subscription]:
    """Newest first; without a customer everybody's."""
    if customer is None:
        return newest_first(call, Subscription)
    theirs = call.books.shelf(SubscriptionsOfCustomer).get(customer, SubscriptionsOfCustomer())
    return [call.books.shelf(Subscription)[identity] for identity in reversed(theirs.ids)]


def _has_status(books: Books, subscription: Subscription, wanted: str | None) -> bool:
    match wanted:
        case None:
            return subscription.status(books) != "canceled"
        case "all":
            return True
        case "ended":
            return subscription.ended_at is not None
        case _:
            return subscription.status(books) == wanted
