"""What calls ask to be changed of a subscription's items: read into changes, and checked as a whole."""

from collections.abc import Sequence
from dataclasses import replace

from sandbox.billing.changes import Change, Terms
from sandbox.billing.periods import Period
from sandbox.calls.call import Call
from sandbox.errors import invalid, no_such
from sandbox.parameters.params import Params
from sandbox.resources import subscription_params as asked
from sandbox.resources.subscription_items import SubscriptionItem
from sandbox.resources.subscriptions import Subscription


def changes_of(call: Call, subscription: Subscription) -> list[Change]:
    """Of `items`: those with an id are changed or deleted, the others added."""
    changes = [_change(call, subscription, group) for group in call.params.groups("items")]
    changed = [change.before.id for change in changes if change.before is not None]
    if len(set(changed)) < len(changed):
        raise invalid("Duplicate subscription item id in `items`.", param="items")
    return checked(call, subscription, changes)


def checked(call: Call, subscription: Subscription, changes: list[Change]) -> list[Change]:
    """The refusal of what would be left of the items, and of changes no period can hold."""
    left = _left(subscription, changes)
    if not left:
        raise invalid(
            "A subscription must have at least one active plan. In order to cancel a subscription, please use the "
            "cancel API endpoint.",
            param="items",
        )
    if changes:
        asked.check_together(call, left, billing_mode=subscription.billing_mode)
    return changes


def added(call: Call, params: Params, subscription: Subscription) -> Change:
    here = Period(start=call.now, end=call.now)
    wish = asked.wish(call, params)
    identity = call.books.ids.new("si")
    item = wish.granted(identity, subscription=subscription.id, current=here, created=call.now)
    return Change(before=None, after=item)


def changed(call: Call, params: Params, item: SubscriptionItem) -> Change:
    metadata = params.metadata(item.metadata)
    if "price" not in params or params.text("price") == item.price.id:
        quantity = asked.quantity_of(params, item.price) if "quantity" in params else item.quantity
        return Change(before=item, after=replace(item, quantity=quantity, metadata=metadata))
    wish = asked.wish(call, params)
    after = replace(item, price=wish.price, recurring=wish.recurring, quantity=wish.quantity, metadata=metadata)
    return Change(before=item, after=after)


def deleted(params: Params, item: SubscriptionItem) -> Change:
    clears = params.is_true("clear_usage")
    if clears and not item.is_metered:
        raise invalid("`clear_usage` is allowed only where usage_type is `metered`.", param=params.named("clear_usage"))
    return Change(before=item, after=None, clears_usage=clears)


def terms_of(call: Call, subscription: Subscription) -> Terms:
    """The proration asked for; its date must lie in the current period."""
    behavior = asked.proration_behavior(call.params)
    date = call.params.instant("proration_date")
    earliest = max(item.current.start for item in subscription.items)
    if date is not None and not earliest <= date <= subscription.period_ends_at:
        raise invalid("`proration_date` must be within the current billing period.", param="proration_date")
    return Terms(behavior=behavior, since=call.now if date is None else date)


def _change(call: Call, subscription: Subscription, params: Params) -> Change:
    identity = params.text("id")
    if identity is None:
        return added(call, params, subscription)
    item = next((item for item in subscription.items if item.id == identity), None)
    if item is None:
        raise no_such("subscription_item", identity, param=params.named("id"))
    return deleted(params, item) if params.is_true("deleted") else changed(call, params, item)


def _left(subscription: Subscription, changes: Sequence[Change]) -> list[SubscriptionItem]:
    touched = {change.before.id for change in changes if change.before is not None}
    kept = [item for item in subscription.items if item.id not in touched]
    return kept + [change.after for change in changes if change.after is not None]
