"""What calls about subscriptions ask for, read and checked: items, dates, anchors and how invoices are collected.

Read in full before anything is changed, so that a refused call leaves nothing behind.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.billing.periods import Interval, Period, boundary, period_from
from sandbox.calls.call import Call
from sandbox.errors import invalid, missing
from sandbox.parameters.params import Params
from sandbox.resources.prices import Price, Recurring
from sandbox.resources.prices import existing as existing_price
from sandbox.resources.subscription_items import SubscriptionItem

ITEMS_MAX = 20
PRORATIONS = ("always_invoice", "create_prorations", "none")
PAYMENT_BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
WITHOUT_PAYMENT_METHOD = ("cancel", "create_invoice", "pause")
DAYS_UNTIL_DUE_MAX = 3_650
CANCEL_AT_WORDS = ("min_period_end", "max_period_end", "max_billed_until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An item that is asked for."""

    price: Price
    recurring: Recurring
    quantity: int | None
    metadata: dict[str, str]

    def granted(self, identity: str, *, subscription: str, current: Period, created: int) -> SubscriptionItem:
        return SubscriptionItem(
            id=identity,
            created=created,
            subscription=subscription,
            price=self.price,
            recurring=self.recurring,
            quantity=self.quantity,
            metadata=self.metadata,
            current=current,
            billed_until=current.start,
        )


def wish(call: Call, params: Params) -> Wish:
    price = recurring_price(call, params)
    assert price.recurring is not None, "a recurring price has its recurrence"
    return Wish(price=price, recurring=price.recurring, quantity=quantity_of(params, price), metadata=params.metadata())


def items_from(call: Call, subscription: str) -> tuple[SubscriptionItem, ...]:
    """The items that `items` asks for, in their first natural period."""
    wishes = [wish(call, group) for group in call.params.groups("items")]
    check_together(call, wishes, billing_mode="flexible")
    return tuple(
        wished.granted(
            call.books.ids.new("si"),
            subscription=subscription,
            current=period_from(call.now, anchor=call.now, interval=wished.recurring.interval),
            created=call.now,
        )
        for wished in wishes
    )


def recurring_price(call: Call, params: Params) -> Price:
    if params.is_group("price_data"):
        raise invalid(f"The sandbox does not act on `{params.named('price_data')}`.", param=params.named("price_data"))
    price = existing_price(call, params.required("price"), param=params.named("price"))
    if price.recurring is None:
        raise invalid(
            f"The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`: "
            f"{price.id}.",
            param=params.named("price"),
        )
    if not price.active:
        raise invalid(f"The price specified is inactive: {price.id}.", param=params.named("price"))
    return price


def quantity_of(params: Params, price: Price) -> int | None:
    quantity = params.within("quantity", 0, 10**12)
    if not price.is_metered:
        return 1 if quantity is None else quantity
    if quantity is not None:
        raise invalid(
            f"Quantity should not be specified where usage_type is `metered`. Remove `{params.named('quantity')}`.",
            param=params.named("quantity"),
        )
    return None


def check_together(call: Call, items: list[Wish] | list[SubscriptionItem], *, billing_mode: str) -> None:
    """What items of one subscription must have in common."""
    if not items:
        raise missing("items")
    if len(items) > ITEMS_MAX:
        raise invalid(f"A subscription can have at most {ITEMS_MAX} items.", param="items")
    if len({item.price.currency for item in items}) > 1:
        raise invalid("All prices on a subscription must have the same currency.", param="items")
    if billing_mode == "classic" and len({item.recurring.interval for item in items}) > 1:
        raise invalid(
            "Currently, all items of a subscription with `billing_mode=classic` must have the same billing interval.",
            param="items",
        )
    prices = [item.price.id for item in items]
    if call.books.settings.duplicate_prices_are_refused and len(set(prices)) < len(prices):
        twice = next(price for price in prices if prices.count(price) > 1)
        raise invalid(f"Cannot add multiple subscription items with the same plan: {twice}", param="items")


def proration_behavior(params: Params) -> str:
    return params.choice("proration_behavior", PRORATIONS) or "create_prorations"


def payment_of(params: Params) -> None:
    """Checked alone: payments follow the account's switch, so how a failed one is met changes nothing."""
    params.choice("payment_behavior", PAYMENT_BEHAVIORS)
    params.choice("off_session", ("true", "false"))


def collection_method(params: Params, *, before: str = "charge_automatically") -> str:
    return params.choice("collection_method", ("charge_automatically", "send_invoice")) or before


def days_until_due(params: Params, method: str, *, before: int | None = None) -> int | None:
    days = params.within("days_until_due", 0, DAYS_UNTIL_DUE_MAX)
    if method == "send_invoice":
        if days is None and before is None:
            raise invalid(
                "If `collection_method` is `send_invoice`, you must specify `days_until_due`.", param="days_until_due"
            )
        return before if days is None else days
    if days is not None:
        raise invalid(
            "You can only specify `days_until_due` if `collection_method` is `send_invoice`.", param="days_until_due"
        )
    return None


def without_payment_method(params: Params, *, before: str = "create_invoice") -> str:
    if "trial_settings" not in params:
        return before
    end_behavior = params.group("trial_settings").group("end_behavior")
    return end_behavior.choice("missing_payment_method", WITHOUT_PAYMENT_METHOD) or before


def future(call: Call, params: Params, name: str) -> int | None:
    instant = params.instant(name)
    if instant is not None and instant <= call.now:
        raise invalid(
            f"Invalid timestamp: {instant}; must be an integer Unix timestamp in the future.", param=params.named(name)
        )
    return instant


def cancel_at(call: Call, items: tuple[SubscriptionItem, ...], *, is_flexible: bool) -> int | None:
    """An instant, or the word for one of the items' dates, which only flexible billing knows."""
    word = call.params.text("cancel_at")
    if word not in CANCEL_AT_WORDS:
        return future(call, call.params, "cancel_at")
    if not is_flexible:
        raise invalid(f"`cancel_at` can be `{word}` only with `billing_mode=flexible`.", param="cancel_at")
    ends = [item.current.end for item in items]
    match word:
        case "min_period_end":
            return min(ends)
        case "max_period_end":
            return max(ends)
        case _:
            return max(item.billed_until for item in items)


def check_one_cancellation(params: Params) -> None:
    if params.text("cancel_at") is not None and params.is_true("cancel_at_period_end"):
        raise invalid(
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.", param="cancel_at"
        )


def anchor_config(params: Params, intervals: set[Interval]) -> dict[str, int | None] | None:
    """The parts of the day, month and year that an anchor is to fall on."""
    if "billing_cycle_anchor_config" not in params:
        return None
    if "billing_cycle_anchor" in params:
        raise invalid(
            "You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.",
            param="billing_cycle_anchor_config",
        )
    if any(interval.unit not in ("month", "year") for interval in intervals):
        raise invalid(
            "`billing_cycle_anchor_config` can only be used with monthly and yearly prices.",
            param="billing_cycle_anchor_config",
        )
    config = params.group("billing_cycle_anchor_config")
    config.required_integer("day_of_month")
    return {
        "day_of_month": config.within("day_of_month", 1, 31),
        "hour": config.within("hour", 0, 23),
        "minute": config.within("minute", 0, 59),
        "month": config.within("month", 1, 12),
        "second": config.within("second", 0, 59),
    }


def first_anchor(config: dict[str, int | None], *, after: int) -> int:
    """The next instant after this one that the parts describe; parts of the day that are not given stay as they are."""
    since = datetime.fromtimestamp(after, UTC)
    month, day = config["month"] or since.month, config["day_of_month"] or since.day
    begin = since.replace(
        month=1 if config["month"] is None else month,
        day=1,
        hour=_given(config["hour"], since.hour),
        minute=_given(config["minute"], since.minute),
        second=_given(config["second"], since.second),
    )
    return _first_after(after, day, begin=int(begin.timestamp()), is_yearly=config["month"] is not None)


def _given(part: int | None, before: int) -> int:
    return before if part is None else part


def _first_after(after: int, day: int, *, begin: int, is_yearly: bool) -> int:
    every = Interval(unit="year" if is_yearly else "month", count=1)
    index = 0
    while (found := _on_day(boundary(begin, index, interval=every), day)) <= after:
        index += 1
    return found


def _on_day(month_begin: int, day: int) -> int:
    """The day of that month, or its last where it has fewer."""
    begin = datetime.fromtimestamp(month_begin, UTC)
    following = boundary(month_begin, 1, interval=Interval(unit="month", count=1))
    days = (following - month_begin) // 86_400
    return int(begin.replace(day=min(day, days)).timestamp())
