"""The endpoints of single subscription items: the same changes as `items` of their subscription, one at a time."""

from sandbox.billing.changes import Change, with_items
from sandbox.billing.cycle import attend
from sandbox.calls.call import Call
from sandbox.errors import no_such
from sandbox.pages import page
from sandbox.resources import subscription_params as asked
from sandbox.resources.item_changes import added, changed, checked, deleted, terms_of
from sandbox.resources.subscription_items import SubscriptionItem
from sandbox.resources.subscription_updates import refuse_ended
from sandbox.resources.subscriptions import Subscription, answered
from sandbox.resources.subscriptions import existing as existing_subscription
from sandbox.wire import JsonObject


def create(call: Call) -> JsonObject:
    subscription = existing_subscription(call, call.params.required("subscription"), param="subscription")
    refuse_ended(subscription)
    change = added(call, call.params, subscription)
    after = _carried_out(call, subscription, change)
    return after.items[-1].render()


def retrieve(call: Call) -> JsonObject:
    _, item = _existing(call)
    call.params.nothing_else()
    return item.render()


def update(call: Call) -> JsonObject:
    subscription, item = _existing(call)
    refuse_ended(subscription)
    after = _carried_out(call, subscription, changed(call, call.params, item))
    return next(found for found in after.items if found.id == item.id).render()


def delete(call: Call) -> JsonObject:
    subscription, item = _existing(call)
    refuse_ended(subscription)
    _carried_out(call, subscription, deleted(call.params, item))
    return {"id": item.id, "object": "subscription_item", "deleted": True}


def list_page(call: Call) -> JsonObject:
    subscription = existing_subscription(call, call.params.required("subscription"), param="subscription")
    body = page(call, subscription.items, SubscriptionItem.render)
    call.params.nothing_else()
    return body


def _carried_out(call: Call, subscription: Subscription, change: Change) -> Subscription:
    terms = terms_of(call, subscription)
    asked.payment_of(call.params)
    checked(call, subscription, [change])
    call.params.nothing_else()
    after = attend(call.books, with_items(call.books, subscription, [change], terms=terms))
    answered(call, after, "customer.subscription.updated")
    return after


def _existing(call: Call) -> tuple[Subscription, SubscriptionItem]:
    for subscription in call.books.shelf(Subscription).values():
        for item in subscription.items:
            if item.id == call.id:
                return subscription, item
    raise no_such("subscription_item", call.id)
