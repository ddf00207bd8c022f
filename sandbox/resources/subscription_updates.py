"""POST /v1/subscriptions/{id}: everything asked for is read and checked, then items, trial, anchor and end change.

An ended subscription keeps only its metadata and the reasons of its cancellation open to change.
"""

from dataclasses import replace

from sandbox.billing.changes import Terms, extended, restarted, with_items
from sandbox.billing.coupon import Discount
from sandbox.billing.cycle import attend
from sandbox.billing.periods import Interval, boundary
from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.resources import subscription_params as asked
from sandbox.resources.item_changes import changes_of, terms_of
from sandbox.resources.subscription_cancellation import cancellation
from sandbox.resources.subscription_discounts import asked_discounts, redeemed
from sandbox.resources.subscription_payment import payment_method
from sandbox.resources.subscription_settings import invoice_terms
from sandbox.resources.subscriptions import Subscription, answered, existing, told
from sandbox.wire import JsonObject

TRIAL_MAX = Interval(unit="year", count=2)


def update(call: Call) -> JsonObject:
    subscription = existing(call, call.id)
    if subscription.ended_at is not None:
        return _ended_updated(call, subscription)
    return answered(call, attend(call.books, changed(call, subscription)), "customer.subscription.updated")


def changed(call: Call, subscription: Subscription) -> Subscription:
    """With all that the call asks for carried out and billed; told and attended to by the caller."""
    described = _described(call, subscription)
    changes, terms = changes_of(call, subscription), terms_of(call, subscription)
    trial_end, resets = _trial_end(call, subscription), _resets_anchor(call, subscription)
    ending = _ending(call, described, terms=terms)
    call.params.nothing_else()
    redeemed(call.books, ending.discounts)
    with_changes = with_items(call.books, ending, changes, terms=terms)
    return _in_time(call.books, with_changes, trial_end=trial_end, resets=resets, terms=terms)


def refuse_ended(subscription: Subscription) -> None:
    if subscription.ended_at is not None:
        raise _only_of_ended()


def _ended_updated(call: Call, subscription: Subscription) -> JsonObject:
    renamed = replace(
        subscription,
        metadata=call.params.metadata(subscription.metadata),
        cancellation=cancellation(
            call.params, reason=subscription.cancellation.reason, before=subscription.cancellation
        ),
    )
    try:
        call.params.nothing_else()
    except ApiError as refusal:
        raise _only_of_ended() from refusal
    return answered(call, renamed, "customer.subscription.updated")


def _only_of_ended() -> ApiError:
    return ApiError(400, "A canceled subscription can only update its cancellation_details and metadata.")


def _described(call: Call, subscription: Subscription) -> Subscription:
    """With what has no consequence for the current period."""
    params = call.params
    asked.payment_of(params)
    method = asked.collection_method(params, before=subscription.collection_method)
    return replace(
        subscription,
        metadata=params.metadata(subscription.metadata),
        invoice_terms=invoice_terms(call, subscription.customer, before=subscription.invoice_terms),
        description=params.text_or("description", subscription.description),
        default_payment_method=_default_payment_method(call, subscription),
        collection_method=method,
        days_until_due=asked.days_until_due(params, method, before=subscription.days_until_due),
        without_payment_method=asked.without_payment_method(params, before=subscription.without_payment_method),
        discounts=_discounts(call, subscription),
    )


def _default_payment_method(call: Call, subscription: Subscription) -> str | None:
    if "default_payment_method" not in call.params:
        return subscription.default_payment_method
    return payment_method(call, call.params, subscription.customer)


def _discounts(call: Call, subscription: Subscription) -> tuple[Discount, ...]:
    """Others in place of those it has; an empty text takes them away, an empty list changes nothing."""
    if "discounts" in call.params and not call.params.is_group("discounts"):
        return ()
    new = asked_discounts(
        call, currency=subscription.currency, customer=subscription.customer, subscription=subscription.id
    )
    return new or subscription.discounts


def _ending(call: Call, subscription: Subscription, *, terms: Terms) -> Subscription:
    """With its end set, moved or taken back."""
    params = call.params
    asked.check_one_cancellation(params)
    reason = subscription.cancellation.reason
    why = cancellation(params, reason=reason, before=subscription.cancellation)
    at = asked.cancel_at(call, subscription.items, is_flexible=subscription.is_flexible)
    at_period_end = params.is_true("cancel_at_period_end")
    if "cancel_at" not in params and "cancel_at_period_end" not in params:
        return replace(subscription, cancellation=why)
    is_ending = at is not None or at_period_end
    return replace(
        subscription,
        cancel_at=at,
        cancel_at_period_end=at_period_end,
        canceled_at=call.now if is_ending else None,
        cancellation=replace(why, reason="cancellation_requested" if is_ending else None),
        credits_unused=terms.prorates,
    )


def _trial_end(call: Call, subscription: Subscription) -> int | None:
    """When the trial is to end; now at the earliest, None where nothing is asked."""
    if call.params.text("trial_end") == "now":
        return call.now if subscription.is_trial(call.now) else None
    instant = asked.future(call, call.params, "trial_end")
    if instant is not None and instant > boundary(call.now, 1, interval=TRIAL_MAX):
        raise invalid("Invalid timestamp: can be no more than two years in the future.", param="trial_end")
    return instant


def _resets_anchor(call: Call, subscription: Subscription) -> bool:
    wanted = call.params.group("billing_cycle_anchor").choice("type", ("now", "unchanged"))
    if wanted == "now" and subscription.is_trial(call.now):
        raise invalid("The sandbox does not move the anchor of a trial.", param="billing_cycle_anchor")
    return wanted == "now"


def _in_time(
    books: Books, subscription: Subscription, *, trial_end: int | None, resets: bool, terms: Terms
) -> Subscription:
    if trial_end == books.now:
        told(books, subscription, "customer.subscription.trial_will_end")
        return restarted(books, subscription, trial_end=None, prorates=False)
    if trial_end is not None and subscription.is_trial(books.now):
        return extended(subscription, trial_end)
    if trial_end is not None or resets:
        return restarted(books, subscription, trial_end=trial_end, prorates=terms.prorates)
    return subscription
