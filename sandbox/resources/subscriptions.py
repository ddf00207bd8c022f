"""Subscriptions: what a customer is billed for, from when, and by which anchor.

Periods are computed from the clock at each look, so a moved clock needs no catching up. A backdated subscription of the
default billing mode (flexible) is anchored at its backdate; a classic one at its creation.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sandbox.call import Call
from sandbox.errors import ApiError, invalid, no_such
from sandbox.pages import is_within, newest_first, page
from sandbox.periods import Period, boundary
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.events import emit
from sandbox.resources.subscription_items import SubscriptionItem, items_from
from sandbox.wire import JsonObject

DAY_S = 86_400
TRIAL_DAYS_MAX = 730
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
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_cycle_anchor_config": None,
    "billing_schedules": [],
    "billing_thresholds": None,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "default_source": None,
    "default_tax_rates": [],
    "discounts": [],
    "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
    "latest_invoice": None,
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
    "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
}
"""What every subscription of the sandbox says alike, so that typed clients find each field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    id: str
    created: int
    livemode: bool
    customer: str
    start_date: int
    anchor: int
    billing_mode: str
    collection_method: str
    days_until_due: int | None
    description: str | None
    default_payment_method: str | None
    metadata: dict[str, str]
    items: tuple[SubscriptionItem, ...]
    trial_end: int | None
    cancel_at_period_end: bool
    canceled_at: int | None
    ended_at: int | None

    @property
    def currency(self) -> str:
        return self.items[0].price.currency

    def status(self, now: int) -> str:
        if self.ended_at is not None:
            return "canceled"
        return "trialing" if self.is_trial(now) else "active"

    def is_trial(self, instant: int) -> bool:
        return self.trial_end is not None and instant < self.trial_end

    def period(self, item: SubscriptionItem, now: int) -> Period:
        """The item's current period; that of an ended subscription is the one it ended in."""
        instant = now if self.ended_at is None else min(now, self.ended_at)
        if self.trial_end is not None and instant < self.trial_end:
            return Period(start=self.start_date, end=self.trial_end)
        return item.period(instant, anchor=self.anchor, start=self.start_date)

    def period_end(self, now: int) -> int:
        return min(self.period(item, now).end for item in self.items)


def create(call: Call) -> JsonObject:
    subscription = _from_params(call)
    call.books.shelf(Subscription)[subscription.id] = subscription
    body = rendered(call, subscription)
    emit(call, "customer.subscription.created", body)
    return body


def retrieve(call: Call) -> JsonObject:
    return rendered(call, existing(call, call.id))


def update(call: Call) -> JsonObject:
    """Changes the little that has no billing consequence here; plan changes come with the billing clock."""
    subscription = existing(call, call.id)
    if "items" in call.params:
        raise invalid("The sandbox does not change the items of a subscription.", param="items")
    changed = replace(
        subscription,
        metadata=subscription.metadata | call.params.texts("metadata"),
        description=call.params.text("description") or subscription.description,
        cancel_at_period_end=(
            call.params.is_true("cancel_at_period_end")
            if "cancel_at_period_end" in call.params
            else subscription.cancel_at_period_end
        ),
    )
    return _shelved(call, changed, "customer.subscription.updated")


def cancel(call: Call) -> JsonObject:
    subscription = existing(call, call.id)
    if subscription.ended_at is not None:
        raise no_such("subscription", call.id)
    ended = replace(subscription, canceled_at=call.now, ended_at=call.now)
    return _shelved(call, ended, "customer.subscription.deleted")


def list_page(call: Call) -> JsonObject:
    return page(call, _wanted(call), lambda subscription: rendered(call, subscription))


def existing(call: Call, identity: str, *, param: str = "id") -> Subscription:
    subscription = call.books.shelf(Subscription).get(identity)
    if subscription is None:
        raise no_such("subscription", identity, param=param)
    return subscription


def rendered(call: Call, subscription: Subscription) -> JsonObject:
    now = call.now
    return UNSET | {
        "id": subscription.id,
        "billing_cycle_anchor": subscription.anchor,
        "billing_mode": {"flexible": None, "type": subscription.billing_mode},
        "cancel_at": subscription.period_end(now) if subscription.cancel_at_period_end else None,
        "cancel_at_period_end": subscription.cancel_at_period_end,
        "canceled_at": subscription.canceled_at,
        "collection_method": subscription.collection_method,
        "created": subscription.created,
        "currency": subscription.currency,
        "customer": subscription.customer,
        "days_until_due": subscription.days_until_due,
        "default_payment_method": subscription.default_payment_method,
        "description": subscription.description,
        "ended_at": subscription.ended_at,
        "items": _items_body(subscription, now),
        "livemode": subscription.livemode,
        "metadata": subscription.metadata,
        "start_date": subscription.start_date,
        "status": subscription.status(now),
        "trial_end": subscription.trial_end,
        "trial_start": subscription.start_date if subscription.trial_end else None,
    }


def _items_body(subscription: Subscription, now: int) -> JsonObject:
    items = [item.render(subscription.period(item, now)) for item in subscription.items]
    return {
        "object": "list",
        "data": items,
        "has_more": False,
        "total_count": len(items),
        "url": f"/v1/subscription_items?subscription={subscription.id}",
    }


def _from_params(call: Call) -> Subscription:
    params = call.params
    customer = existing_customer(call, params.required("customer"), param="customer")
    identity = call.books.ids.new("sub")
    items = items_from(call, identity)
    billing_mode = params.group("billing_mode").choice("type", ("classic", "flexible")) or "flexible"
    start_date = _start_date(call)
    trial_end = _trial_end(call)
    return Subscription(
        id=identity,
        created=call.now,
        livemode=call.books.livemode,
        customer=customer.id,
        start_date=start_date,
        anchor=_anchor(call, items) or trial_end or (start_date if billing_mode == "flexible" else call.now),
        billing_mode=billing_mode,
        collection_method=_collection_method(call),
        days_until_due=params.integer("days_until_due"),
        description=params.text("description"),
        default_payment_method=params.text("default_payment_method"),
        metadata=params.texts("metadata"),
        items=items,
        trial_end=trial_end,
        cancel_at_period_end=params.is_true("cancel_at_period_end"),
        canceled_at=None,
        ended_at=None,
    )


def _start_date(call: Call) -> int:
    backdate = call.params.instant("backdate_start_date")
    if backdate is not None and backdate > call.now:
        raise invalid("`backdate_start_date` must be in the past.", param="backdate_start_date")
    return call.now if backdate is None else backdate


def _anchor(call: Call, items: tuple[SubscriptionItem, ...]) -> int | None:
    anchor = call.params.instant("billing_cycle_anchor")
    if anchor is None:
        return None
    if anchor <= call.now:
        raise invalid("`billing_cycle_anchor` must be a timestamp in the future.", param="billing_cycle_anchor")
    latest = min(boundary(call.now, 1, interval=item.interval) for item in items)
    if anchor > latest:
        raise ApiError(
            400,
            f"`billing_cycle_anchor` cannot be later than next natural billing date ({latest}) for plan.",
            param="billing_cycle_anchor",
        )
    return anchor


def _trial_end(call: Call) -> int | None:
    days, end = call.params.within("trial_period_days", 0, TRIAL_DAYS_MAX), call.params.text("trial_end")
    if days is not None and end is not None:
        raise invalid("You may only specify one of trial_period_days and trial_end.", param="trial_end")
    if end not in (None, "now"):
        return call.params.instant("trial_end")
    return call.now + days * DAY_S if days else None


def _collection_method(call: Call) -> str:
    method = call.params.choice("collection_method", ("charge_automatically", "send_invoice")) or "charge_automatically"
    if "days_until_due" in call.params and method != "send_invoice":
        raise invalid(
            "You can only specify `days_until_due` if `collection_method` is `send_invoice`.",
            param="days_until_due",
        )
    return method


def _shelved(call: Call, subscription: Subscription, kind: str) -> JsonObject:
    call.books.shelf(Subscription)[subscription.id] = subscription
    body = rendered(call, subscription)
    emit(call, kind, body)
    return body


def _wanted(call: Call) -> Iterable[Subscription]:
    params, now = call.params, call.now
    customer, price, status = params.text("customer"), params.text("price"), params.choice("status", STATUSES)
    for subscription in newest_first(call, Subscription):
        if customer not in (None, subscription.customer):
            continue
        if price is not None and price not in {item.price.id for item in subscription.items}:
            continue
        if _has_status(subscription, status, now) and is_within(params, "created", subscription.created):
            yield subscription


def _has_status(subscription: Subscription, wanted: str | None, now: int) -> bool:
    match wanted:
        case None:
            return subscription.ended_at is None
        case "all":
            return True
        case "canceled" | "ended":
            return subscription.ended_at is not None
        case _:
            return subscription.status(now) == wanted
