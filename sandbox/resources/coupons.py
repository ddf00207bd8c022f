"""Coupons: what is taken off, how long, and how often it may be redeemed."""

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from sandbox.billing.coupon import Coupon
from sandbox.billing.currencies import known
from sandbox.billing.periods import Interval, boundary
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, missing, no_such
from sandbox.pages import newest_first, page
from sandbox.parameters.params import Params
from sandbox.resources.events import record
from sandbox.resources.products import existing as existing_product
from sandbox.wire import JsonObject

DURATIONS = ("forever", "once", "repeating")
ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
ID_LENGTH = 8
NAME_MAX = 40
SHOWN_MAX = 100
COUNT_MAX = 10**9
MONTHS_MAX = 1_200
PERCENT_MAX = 100
REDEEM_MAX = Interval(unit="year", count=5)


def create(call: Call) -> JsonObject:
    params = call.params
    percent, amount = _percent_off(params), _amount_off(params)
    duration = params.choice("duration", DURATIONS) or "once"
    coupon = Coupon(
        id=_identity(call),
        created=call.now,
        livemode=call.books.livemode,
        name=params.text("name", length_max=NAME_MAX),
        percent_off=percent,
        amount_off=amount,
        currency=_currency(params, amount),
        duration=duration,
        months=_months(params, duration),
        max_redemptions=params.within("max_redemptions", 1, COUNT_MAX),
        redeem_by=_redeem_by(call),
        products=_products(call),
        metadata=params.metadata(),
    )
    params.nothing_else()
    return _told(call, coupon, "coupon.created")


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return existing(call, call.id).render(call.now)


def update(call: Call) -> JsonObject:
    params, before = call.params, existing(call, call.id)
    name = params.text("name", length_max=NAME_MAX) if "name" in params else before.name
    coupon = replace(before, name=name, metadata=params.metadata(before.metadata))
    params.nothing_else()
    return _told(call, coupon, "coupon.updated")


def delete(call: Call) -> JsonObject:
    """Nobody redeems it any more; those who have it keep it."""
    coupon = existing(call, call.id)
    call.params.nothing_else()
    del call.books.shelf(Coupon)[coupon.id]
    record(call.books, "coupon.deleted", coupon.render(call.now))
    return {"id": coupon.id, "object": "coupon", "deleted": True}


def list_page(call: Call) -> JsonObject:
    body = page(call, _wanted(call), lambda coupon: coupon.render(call.now))
    call.params.nothing_else()
    return body


def existing(call: Call, identity: str, *, param: str = "id") -> Coupon:
    coupon = call.books.shelf(Coupon).get(identity)
    if coupon is None:
        raise no_such("coupon", identity, param=param)
    return coupon


def _told(call: Call, coupon: Coupon, kind: str) -> JsonObject:
    call.books.shelf(Coupon)[coupon.id] = coupon
    body = coupon.render(call.now)
    record(call.books, kind, body)
    return body


def _identity(call: Call) -> str:
    identity = call.params.text("id")
    if identity is None:
        return call.books.ids.new("coupon").removeprefix("coupon_")[:ID_LENGTH]
    if not ID.fullmatch(identity):
        raise invalid(f"Invalid coupon id: {identity[:SHOWN_MAX]}", param="id")
    if identity in call.books.shelf(Coupon):
        raise ApiError(400, "Coupon already exists.", param="id", code="resource_already_exists")
    return identity


def _percent_off(params: Params) -> Decimal | None:
    percent = params.decimal("percent_off")
    if percent is not None and "amount_off" in params:
        raise invalid("You may only specify one of these parameters: amount_off, percent_off.", param="percent_off")
    if percent is None and "amount_off" not in params:
        raise missing("percent_off")
    if percent is not None and not 0 < percent <= PERCENT_MAX:
        raise invalid("Invalid percent_off: must be greater than 0 and at most 100", param="percent_off")
    return percent


def _amount_off(params: Params) -> int | None:
    amount = params.integer("amount_off")
    if amount is not None and amount <= 0:
        raise invalid("Invalid positive integer", param="amount_off", code="parameter_invalid_integer")
    return amount


def _currency(params: Params, amount: int | None) -> str | None:
    currency = params.text("currency")
    if currency is not None:
        currency = known(currency, param="currency")
    if amount is None:
        return None
    if currency is None:
        raise missing("currency")
    return currency


def _months(params: Params, duration: str) -> int | None:
    months = params.within("duration_in_months", 1, MONTHS_MAX)
    if duration == "repeating" and months is None:
        raise missing("duration_in_months")
    if duration != "repeating" and months is not None:
        raise invalid(
            "You can only specify `duration_in_months` if `duration` is `repeating`.", param="duration_in_months"
        )
    return months


def _redeem_by(call: Call) -> int | None:
    instant = call.params.instant("redeem_by")
    if instant is not None and not call.now < instant <= boundary(call.now, 1, interval=REDEEM_MAX):
        raise invalid("`redeem_by` must be in the future, and within five years.", param="redeem_by")
    return instant


def _products(call: Call) -> tuple[str, ...]:
    if "applies_to" not in call.params:
        return ()
    listed = call.params.group("applies_to").listed("products")
    return tuple(existing_product(call, product, param="applies_to[products]").id for product in listed)


def _wanted(call: Call) -> Iterable[Coupon]:
    created = call.params.bounds("created")
    return (coupon for coupon in newest_first(call, Coupon) if created is None or created.hold(coupon.created))
