"""Stretches of an item's time that an invoice may take: usage up to an instant, and what is paid ahead or given back.

Usage is never prorated; of a licensed item's price, the part of the interval counts. A trial's stretch is free.
"""

from fractions import Fraction
from itertools import pairwise

from sandbox.billing.charges import WHOLE, Charge
from sandbox.billing.periods import Period, share
from sandbox.books import Books
from sandbox.resources.subscription_items import SubscriptionItem
from sandbox.resources.subscriptions import Subscription


def used(books: Books, subscription: Subscription, item: SubscriptionItem, *, until: int) -> list[Charge]:
    """The usage of a metered item that no invoice has yet; cut where a trial began, whose part is free."""
    if not item.is_metered or item.billed_until >= until:
        return []
    trial_start = subscription.trial_start
    cut = [trial_start] if trial_start is not None and item.billed_until < trial_start < until else []
    instants = [item.billed_until, *cut, until]
    return [
        _charge(books, subscription, item, period=Period(start=start, end=end)) for start, end in pairwise(instants)
    ]


def ahead(books: Books, subscription: Subscription, item: SubscriptionItem, *, period: Period) -> list[Charge]:
    """What a licensed item costs for a period to come."""
    if item.is_metered:
        return []
    return [_charge(books, subscription, item, period=period, share=_share(subscription, item, period))]


def remaining(books: Books, subscription: Subscription, item: SubscriptionItem, *, since: int) -> list[Charge]:
    """What a licensed item costs from an instant to the end of its current period."""
    if item.is_metered or since >= item.current.end or subscription.is_trial(since):
        return []
    part = _part(subscription, item, since=since)
    return [_charge(books, subscription, item, period=Period(start=since, end=item.current.end), share=part)]


def unused(books: Books, subscription: Subscription, item: SubscriptionItem, *, since: int) -> list[Charge]:
    """What is given back of a licensed item that was paid to the end of its current period."""
    if item.billed_until <= since:
        return []
    return [
        _charge(books, subscription, item, period=charge.period, share=-charge.share)
        for charge in remaining(books, subscription, item, since=since)
    ]


def _part(subscription: Subscription, item: SubscriptionItem, *, since: int) -> Fraction:
    current = item.current
    return _share(subscription, item, current) * Fraction(current.end - since, current.end - current.start)


def _share(subscription: Subscription, item: SubscriptionItem, period: Period) -> Fraction:
    """All of an interval's price for a trial, which is free anyway and no proration."""
    if subscription.is_trial(period.start):
        return WHOLE
    return share(period, anchor=subscription.anchor, interval=item.interval)


def _charge(
    books: Books,
    subscription: Subscription,
    item: SubscriptionItem,
    *,
    period: Period,
    share: Fraction = WHOLE,
) -> Charge:
    is_trial = subscription.is_trial(period.start)
    return Charge(
        subscription=subscription.id,
        customer=subscription.customer,
        item=item,
        period=period,
        is_free=is_trial and not (item.is_metered and books.settings.trial_usage_is_billed),
        share=share,
    )
