"""How a subscription begins: its items' first periods, and what its first invoice takes.

Flexible billing bills a backdated start at once, a line for each natural period that has gone by; classic billing is
anchored at its creation, and leaves the usage before it to the next cycle's invoice. A first invoice is final at once,
unless it is sent to be paid later; metered items alone make none under flexible billing and one of 0 under classic.
What a caller adds, such as a fee for setting up, makes one in either, even in a trial.
"""

from dataclasses import dataclass, replace

from sandbox.billing.charges import Charge
from sandbox.billing.cycle import attend
from sandbox.billing.first_payment import expiring, first_billed
from sandbox.billing.periods import Period, elapsed_periods, period_from, share
from sandbox.billing.setup_fees import Addition, added
from sandbox.billing.stretches import ahead
from sandbox.books import Books
from sandbox.errors import ApiError
from sandbox.resources.subscription_items import SubscriptionItem
from sandbox.resources.subscriptions import Subscription, shelved

LINES_MAX = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A subscription as it begins, with the charges of its first invoice."""

    subscription: Subscription
    charges: list[Charge]
    additions: tuple[Addition, ...] = ()
    payment_behavior: str = "allow_incomplete"


def beginning(books: Books, subscription: Subscription, *, prorates: bool) -> Beginning:
    """The refusal of a start that is too long ago; nothing is changed yet."""
    begun = [_item_begun(books, subscription, item, prorates=prorates) for item in subscription.items]
    charges = [charge for _, item_charges in begun for charge in item_charges]
    if len(charges) > LINES_MAX:
        raise ApiError(
            400,
            f"Backdating is not supported where the first invoice has more than {LINES_MAX} line items.",
            param="backdate_start_date",
        )
    return Beginning(subscription=replace(subscription, items=tuple(item for item, _ in begun)), charges=charges)


def begun(books: Books, beginning: Beginning) -> Subscription:
    """Shelves it, bills what is due from the first, and attends to it from now on."""
    subscription = attend(books, shelved(books, beginning.subscription))
    added(books, subscription, beginning.additions)
    if not beginning.charges and not beginning.additions:
        return subscription
    invoice = first_billed(books, subscription, beginning.charges, behavior=beginning.payment_behavior)
    return expiring(books, shelved(books, replace(subscription, latest_invoice=invoice.id)))


def _item_begun(
    books: Books, subscription: Subscription, item: SubscriptionItem, *, prorates: bool
) -> tuple[SubscriptionItem, list[Charge]]:
    item = replace(item, day=subscription.day)
    elapsed = _elapsed(books, subscription, item)
    placed = replace(item, current=_current(books, subscription, item))
    if placed.is_metered:
        return _metered(books, subscription, placed, elapsed=elapsed)
    return _licensed(books, subscription, placed, elapsed=elapsed if prorates else [], prorates=prorates)


def _current(books: Books, subscription: Subscription, item: SubscriptionItem) -> Period:
    """The period it is in: a trial, a whole one, or what is left until the anchor."""
    now = books.now
    if subscription.trial_end is not None:
        return Period(start=now, end=subscription.trial_end)
    if not subscription.is_flexible:
        return period_from(now, anchor=subscription.anchor, interval=item.interval)
    elapsed = _elapsed(books, subscription, item)
    since = elapsed[-1].end if elapsed else subscription.start_date
    return period_from(since, anchor=subscription.anchor, interval=item.interval)


def _elapsed(books: Books, subscription: Subscription, item: SubscriptionItem) -> list[Period]:
    """The backdated periods that are over; all of the backdated time where a trial, or classic billing, begins now."""
    start, now = subscription.start_date, books.now
    if start >= now:
        return []
    if not subscription.is_flexible:
        return [Period(start=start, end=now)]
    anchor = start if subscription.trial_end is not None else subscription.anchor
    past = elapsed_periods(start, now, anchor=anchor, interval=item.interval)
    since = past[-1].end if past else start
    return [*past, Period(start=since, end=now)] if subscription.trial_end is not None and since < now else past


def _metered(
    books: Books, subscription: Subscription, item: SubscriptionItem, *, elapsed: list[Period]
) -> tuple[SubscriptionItem, list[Charge]]:
    if not subscription.is_flexible:
        return replace(item, billed_until=subscription.start_date), [_nothing_yet(books, subscription, item)]
    since = elapsed[-1].end if elapsed else subscription.start_date
    if books.settings.backdated_usage_is_billed == "until_now" and since < books.now:
        elapsed, since = [*elapsed, Period(start=since, end=books.now)], books.now
    return replace(item, billed_until=since), [_charge(subscription, item, period) for period in elapsed]


def _licensed(
    books: Books, subscription: Subscription, item: SubscriptionItem, *, elapsed: list[Period], prorates: bool
) -> tuple[SubscriptionItem, list[Charge]]:
    past = [_past(subscription, item, period) for period in elapsed]
    first = ahead(books, subscription, item, period=item.current)
    if not prorates and any(charge.is_proration for charge in first):
        return replace(item, billed_until=item.current.start), past
    return replace(item, billed_until=item.current.end), [*past, *first]


def _past(subscription: Subscription, item: SubscriptionItem, period: Period) -> Charge:
    """Backdated time of a licensed item: whole intervals under flexible billing, one prorated line under classic."""
    anchor = subscription.anchor if subscription.is_flexible and subscription.trial_end is None else period.start
    part = share(period, anchor=anchor, interval=item.interval)
    return replace(_charge(subscription, item, period), share=part)


def _nothing_yet(books: Books, subscription: Subscription, item: SubscriptionItem) -> Charge:
    """Classic billing's first line of a metered item, at 0; a flat fee is not due yet either."""
    charge = _charge(subscription, item, Period(start=books.now, end=books.now))
    is_flat = any(tier.flat_amount for tier in item.price.tiers)
    return replace(charge, is_free=is_flat or subscription.trial_end is not None)


def _charge(subscription: Subscription, item: SubscriptionItem, period: Period) -> Charge:
    return Charge(subscription=subscription.id, customer=subscription.customer, item=item, period=period)
