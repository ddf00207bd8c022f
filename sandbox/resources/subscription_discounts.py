"""Discounts of a subscription: which coupons a call redeems for it, and what becomes of the coupons."""

from collections.abc import Sequence
from dataclasses import replace

from sandbox.billing.coupon import Coupon, Discount
from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.parameters.params import Params
from sandbox.resources.coupons import existing as existing_coupon
from sandbox.resources.events import record

DISCOUNTS_MAX = 20


def asked_discounts(call: Call, *, currency: str, customer: str, subscription: str) -> tuple[Discount, ...]:
    """What `discounts` asks for; the coupons are redeemed once nothing else is wrong."""
    groups = call.params.groups("discounts")
    if len(groups) > DISCOUNTS_MAX:
        raise invalid(f"You may pass at most {DISCOUNTS_MAX} discounts.", param="discounts")
    coupons = [_redeemable(call, group, currency=currency) for group in groups]
    return tuple(
        Discount(
            id=call.books.ids.new("di"),
            coupon=coupon,
            start=call.now,
            end=coupon.ends(call.now),
            customer=customer,
            subscription=subscription,
        )
        for coupon in coupons
    )


def redeemed(books: Books, discounts: Sequence[Discount]) -> None:
    """Counts those that are new."""
    shelf, coupons = books.shelf(Discount), books.shelf(Coupon)
    for discount in discounts:
        if discount.id in shelf:
            continue
        shelf[discount.id] = discount
        before = coupons[discount.coupon.id]
        coupons[before.id] = replace(before, times_redeemed=before.times_redeemed + 1)
        record(books, "customer.discount.created", discount.render())


def _redeemable(call: Call, group: Params, *, currency: str) -> Coupon:
    param = group.named("coupon")
    coupon = existing_coupon(call, group.required("coupon"), param=param)
    if coupon.is_expired(call.now):
        raise ApiError(400, f"Coupon expired: {coupon.id}", param=param, code="coupon_expired")
    if coupon.is_used_up:
        raise ApiError(400, f"Coupon {coupon.id} is used up and cannot be applied.", param=param, code="coupon_expired")
    if coupon.currency not in (None, currency):
        raise ApiError(
            400,
            f"The coupon `{coupon.id}` takes off `{coupon.currency}`, which doesn't match the expected currency: "
            f"`{currency}`.",
            param=param,
        )
    return coupon
