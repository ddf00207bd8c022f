"""Plan changes: what leaving, coming and changed items cost between two periods.

Flexible billing bills usage at the price in force when it was used: of a metered item that goes or changes, the usage
so far becomes invoice items that wait for the next invoice. Classic billing loses it. Licensed items are prorated by
the second. An interval that changes begins a period of its own, under classic billing for the whole subscription.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandbox.billing.charges import Charge
from sandbox.billing.invoice_pending import pending
from sandbox.billing.invoicing import bill_at_once, pend
from sandbox.billing.periods import Period, period_from
from sandbox.billing.stretches import ahead, remaining, unused, used
from sandbox.books import Books
from sandbox.resources.subscription_items import SubscriptionItem
from sandbox.resources.subscriptions import Subscription, shelved


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An item as it was and as it is to be; None where it comes or goes."""

    before: SubscriptionItem | None
    after: SubscriptionItem | None
    clears_usage: bool = False

    @property
    def is_plan_change(self) -> bool:
        """Whether it costs something: more than other metadata."""
        if self.before is None or self.after is None:
            return True
        return (self.before.price.id, self.before.quantity) != (self.after.price.id, self.after.quantity)

    @property
    def changes_interval(self) -> bool:
        return self.before is not None and self.after is not None and self.before.interval != self.after.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the change is prorated, and as of when."""

    behavior: str
    since: int

    @property
    def prorates(self) -> bool:
        return self.behavior != "none"


def with_items(books: Books, subscription: Subscription, changes: Sequence[Change], *, terms: Terms) -> Subscription:
    """With its items changed, and what that costs waiting for the next invoice or on one of its own."""
    placed = [_placed(books, subscription, change) for change in changes]
    if terms.prorates:
        for charge in _owed(books, subscription, placed, terms=terms):
            pend(books, subscription, charge)
    changed = shelved(books, replace(subscription, items=_items(subscription, placed)))
    if not changed.is_flexible and any(change.changes_interval for change in placed):
        return restarted(books, changed, trial_end=None, prorates=False)
    if terms.behavior == "always_invoice" and pending(books, changed):
        return _billed(books, changed, [])
    return changed


def restarted(books: Books, subscription: Subscription, *, trial_end: int | None, prorates: bool) -> Subscription:
    """From now on in new periods, or in a trial; what was used and what is paid ahead is invoiced at once."""
    charges = [charge for item in subscription.items for charge in used(books, subscription, item, until=books.now)]
    for item in subscription.items if prorates else ():
        for charge in unused(books, subscription, item, since=books.now):
            pend(books, subscription, charge)
    begun = replace(
        _anchored(books, subscription, trial_end=trial_end),
        items=tuple(_restarted_item(books, item, trial_end=trial_end) for item in subscription.items),
    )
    charges += [charge for item in begun.items for charge in ahead(books, begun, item, period=item.current)]
    return _billed(books, shelved(books, begun), charges) if charges or pending(books, begun) else begun


def extended(subscription: Subscription, trial_end: int) -> Subscription:
    """Its trial, which is its current period, ends at another time."""
    items = tuple(
        replace(
            item,
            day=None,
            current=Period(start=item.current.start, end=trial_end),
            billed_until=item.billed_until if item.is_metered else trial_end,
        )
        for item in subscription.items
    )
    return replace(subscription, trial_end=trial_end, anchor=trial_end, anchor_config=None, items=items)


def _placed(books: Books, subscription: Subscription, change: Change) -> Change:
    """The change with the period that its new item is in, and from when on that is to be billed."""
    after, now = change.after, books.now
    if after is None or not change.is_plan_change:
        return change
    if change.before is None or change.changes_interval:
        after = replace(after, day=subscription.day)
        after = replace(after, current=_period_from_now(books, subscription, after))
    return replace(change, after=replace(after, billed_until=now if after.is_metered else after.current.end))


def _period_from_now(books: Books, subscription: Subscription, item: SubscriptionItem) -> Period:
    if subscription.is_trial(books.now) and subscription.trial_end is not None:
        return Period(start=books.now, end=subscription.trial_end)
    return period_from(books.now, anchor=subscription.anchor, interval=item.interval)


def _owed(books: Books, subscription: Subscription, changes: Sequence[Change], *, terms: Terms) -> list[Charge]:
    charges: list[Charge] = []
    for change in changes:
        if not change.is_plan_change:
            continue
        if change.before is not None:
            charges += unused(books, subscription, change.before, since=terms.since)
            if subscription.is_flexible and not change.clears_usage:
                charges += used(books, subscription, change.before, until=books.now)
        if change.after is not None and (subscription.is_flexible or not change.changes_interval):
            since = max(change.after.current.start, terms.since)
            charges += remaining(books, subscription, change.after, since=since)
    return charges


def _items(subscription: Subscription, changes: Sequence[Change]) -> tuple[SubscriptionItem, ...]:
    """The changed items at their places, the new ones after them."""
    changed = {change.before.id: change.after for change in changes if change.before is not None}
    kept = [changed.get(item.id, item) for item in subscription.items]
    come = [change.after for change in changes if change.before is None]
    return tuple(item for item in (*kept, *come) if item is not None)


def _anchored(books: Books, subscription: Subscription, *, trial_end: int | None) -> Subscription:
    now = books.now
    if trial_end is not None:
        return replace(subscription, anchor=trial_end, anchor_config=None, trial_start=now, trial_end=trial_end)
    was_trial = subscription.is_trial(now)
    return replace(subscription, anchor=now, anchor_config=None, trial_end=now if was_trial else subscription.trial_end)


def _restarted_item(books: Books, item: SubscriptionItem, *, trial_end: int | None) -> SubscriptionItem:
    now = books.now
    whole = period_from(now, anchor=now, interval=item.recurring.interval)
    current = whole if trial_end is None else Period(start=now, end=trial_end)
    return replace(item, day=None, current=current, billed_until=now if item.is_metered else current.end)


def _billed(books: Books, subscription: Subscription, charges: Sequence[Charge]) -> Subscription:
    invoice = bill_at_once(books, subscription, charges, reason="subscription_update")
    return shelved(books, replace(subscription, latest_invoice=invoice.id))
