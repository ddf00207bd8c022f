"""POST /v1/subscriptions: everything asked for is read and checked, then the subscription begins.

Backdated under flexible billing, it is anchored at its start; under classic billing at its creation. A trial is its
first period and its end the anchor, unless the caller anchors it elsewhere.
"""

from dataclasses import dataclass, replace

from sandbox.billing.beginnings import Beginning, beginning, begun
from sandbox.billing.periods import Interval, Period, boundary
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.parameters.params import Params
from sandbox.resources import subscription_params as asked
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.subscription_additions import asked_additions
from sandbox.resources.subscription_discounts import asked_discounts, redeemed
from sandbox.resources.subscription_payment import payment_behavior, payment_method, refuse_unpaid
from sandbox.resources.subscription_settings import invoice_terms
from sandbox.resources.subscriptions import Cancellation, Subscription, answered
from sandbox.wire import JsonObject

ANCHOR = "billing_cycle_anchor"
DAY_S = 86_400
YEAR = Interval(unit="year", count=1)
TRIAL_DAYS_MAX = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    start: int
    trial_end: int | None
    anchor: int
    anchor_config: dict[str, int | None] | None


def create(call: Call) -> JsonObject:
    customer = existing_customer(call, call.params.required("customer"), param="customer")
    wishes = [asked.wish(call, group) for group in call.params.groups("items")]
    mode = call.params.group("billing_mode").choice("type", ("classic", "flexible")) or "flexible"
    asked.check_together(call, wishes, billing_mode=mode)
    planned = _planned(call, customer.id, wishes=wishes, mode=mode)
    prorates = asked.proration_behavior(call.params) != "none"
    _check_currency(call.params, planned.currency)
    first = replace(
        _to_end(call, beginning(call.books, planned, prorates=prorates)),
        additions=asked_additions(call, currency=planned.currency),
        payment_behavior=payment_behavior(call.params),
    )
    call.params.nothing_else()
    refuse_unpaid(call.books, first)
    redeemed(call.books, planned.discounts)
    return answered(call, begun(call.books, first), "customer.subscription.created")


def _planned(call: Call, customer: str, *, wishes: list[asked.Wish], mode: str) -> Subscription:
    params, identity = call.params, call.books.ids.new("sub")
    dates = _dates(call, wishes, mode=mode)
    method = asked.collection_method(params)
    here = Period(start=dates.start, end=dates.start)
    return Subscription(
        id=identity,
        created=call.now,
        livemode=call.books.livemode,
        customer=customer,
        start_date=dates.start,
        anchor=dates.anchor,
        anchor_config=dates.anchor_config,
        billing_mode=mode,
        collection_method=method,
        days_until_due=asked.days_until_due(params, method),
        description=params.text("description"),
        default_payment_method=payment_method(call, params, customer),
        metadata=params.metadata(),
        invoice_terms=invoice_terms(call, customer),
        items=tuple(
            wish.granted(call.books.ids.new("si"), subscription=identity, current=here, created=call.now)
            for wish in wishes
        ),
        trial_start=None if dates.trial_end is None else call.now,
        trial_end=dates.trial_end,
        without_payment_method=asked.without_payment_method(params),
        cancel_at=None,
        cancel_at_period_end=params.is_true("cancel_at_period_end"),
        discounts=asked_discounts(call, currency=wishes[0].price.currency, customer=customer, subscription=identity),
    )


def _to_end(call: Call, first: Beginning) -> Beginning:
    """With its end, which may be told by its items' periods and so is known only now."""
    asked.check_one_cancellation(call.params)
    planned = first.subscription
    ends = asked.cancel_at(call, planned.items, is_flexible=planned.is_flexible)
    if ends is None and not planned.cancel_at_period_end:
        return first
    ending = replace(
        planned, cancel_at=ends, canceled_at=call.now, cancellation=Cancellation(reason="cancellation_requested")
    )
    return replace(first, subscription=ending)


def _dates(call: Call, wishes: list[asked.Wish], *, mode: str) -> Dates:
    params, now = call.params, call.now
    start, trial_end = _start_date(call), _trial_end(call)
    config = asked.anchor_config(params, {wish.recurring.interval for wish in wishes})
    natural = trial_end or (start if mode == "flexible" else now)
    anchor = asked.first_anchor(config, after=trial_end or now) if config else asked.future(call, params, ANCHOR)
    if anchor is not None:
        _check_anchor(anchor, wishes, since=trial_end or now)
    return Dates(start=start, trial_end=trial_end, anchor=natural if anchor is None else anchor, anchor_config=config)


def _start_date(call: Call) -> int:
    backdate = call.params.instant("backdate_start_date")
    if backdate is not None and backdate > call.now:
        raise invalid("`backdate_start_date` must be in the past.", param="backdate_start_date")
    return call.now if backdate is None else backdate


def _check_anchor(anchor: int, wishes: list[asked.Wish], *, since: int) -> None:
    latest = min(boundary(since, 1, interval=wish.recurring.interval) for wish in wishes)
    if anchor < since:
        raise invalid("`billing_cycle_anchor` cannot be before the end of the trial.", param=ANCHOR)
    if anchor > latest:
        raise ApiError(
            400,
            f"`billing_cycle_anchor` cannot be later than next natural billing date ({latest}) for plan.",
            param=ANCHOR,
        )


def _trial_end(call: Call) -> int | None:
    days, end = call.params.within("trial_period_days", 0, TRIAL_DAYS_MAX), call.params.text("trial_end")
    if days is not None and end is not None:
        raise invalid("You may only specify one of trial_period_days and trial_end.", param="trial_end")
    if end == "now":
        return None
    if end is None:
        return call.now + days * DAY_S if days else None
    instant = asked.future(call, call.params, "trial_end")
    if instant is not None and instant > boundary(call.now, 2, interval=YEAR):
        raise invalid("Invalid timestamp: can be no more than two years in the future.", param="trial_end")
    return instant


def _check_currency(params: Params, currency: str) -> None:
    if params.text("currency") not in (None, currency):
        raise invalid(f"The price specified only supports `{currency}`.", param="currency")
