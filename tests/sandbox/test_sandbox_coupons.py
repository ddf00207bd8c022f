"""Coupons: what they take off of a subscription's invoices, for how long, and which are refused."""

from typing import Any

import pytest
import stripe


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


@pytest.fixture
def price(shop: Any) -> str:
    return str(shop.price(shop.meter(), unit_amount=10).id)


def coupon(shop: Any, **terms: Any) -> str:
    return str(shop.v1.coupons.create(terms or {"percent_off": 25, "duration": "forever"}).id)


def used_for_four_months(january: Any, price: str, **terms: Any) -> str:
    """The id of a subscription with 100 units in each of four months of 2026, at 10 each."""
    shop = january.shop
    customer = shop.customer()
    made = shop.subscription(customer, price, discounts=[{"coupon": coupon(shop, **terms)}])
    for day in (3, 34, 62, 93):
        january.go(day)
        january.use(customer, 100, day=day)
    january.go(121)
    return str(made.id)


def totals(january: Any, subscription: str) -> list[int]:
    return [invoice.total for invoice in january.invoices(subscription)]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"percent_off": 25, "duration": "once"}, [750, 1_000, 1_000, 1_000]),
        ({"percent_off": 25, "duration": "forever"}, [750, 750, 750, 750]),
        ({"percent_off": 25, "duration": "repeating", "duration_in_months": 3}, [750, 750, 1_000, 1_000]),
        ({"amount_off": 300, "currency": "usd", "duration": "forever"}, [700, 700, 700, 700]),
        ({"amount_off": 5_000, "currency": "usd", "duration": "once"}, [0, 1_000, 1_000, 1_000]),
    ],
)
def test_a_coupon_takes_off_for_its_duration(january: Any, price: str, terms: Any, expected: list[int]) -> None:
    assert totals(january, used_for_four_months(january, price, **terms)) == expected


def test_a_coupon_of_some_months_may_cover_what_was_in_service_in_them(january: Any, price: str) -> None:
    january.shop.settings(repeating_coupon_covers="service")
    terms = {"percent_off": 25, "duration": "repeating", "duration_in_months": 3}
    assert totals(january, used_for_four_months(january, price, **terms)) == [750, 750, 750, 1_000]


def test_what_is_taken_off_once_waits_for_something_to_take_it_off(january: Any, shop: Any, price: str) -> None:
    customer = shop.customer()
    once = [{"coupon": coupon(shop, percent_off=50, duration="once")}]
    made = shop.subscription(customer, price, discounts=once, billing_mode={"type": "classic"})
    january.use(customer, 100, day=0)
    january.go(33)
    assert totals(january, made.id) == [0, 500]
    assert shop.v1.subscriptions.retrieve(made.id).discounts == []


def test_an_invoice_tells_its_discounts(january: Any, shop: Any, price: str) -> None:
    subscription = used_for_four_months(january, price, percent_off=25, duration="forever")
    (discount,) = shop.v1.subscriptions.retrieve(subscription).discounts
    invoice = january.invoices(subscription)[0]
    (line,) = invoice.lines.data
    assert (invoice.subtotal, invoice.total, invoice.discounts) == (1_000, 750, [discount])
    assert [(part.amount, part.discount) for part in invoice.total_discount_amounts] == [(250, discount)]
    assert (line.amount, line.subtotal, line.discount_amounts[0].amount) == (1_000, 1_000, 250)


def test_a_discount_can_be_expanded(shop: Any, price: str) -> None:
    terms = coupon(shop)
    made = shop.subscription(
        shop.customer(), price, discounts=[{"coupon": terms}], expand=["discounts", "discounts.source.coupon"]
    )
    (discount,) = made.discounts
    assert (discount.subscription, discount.end, discount.source.coupon.id) == (made.id, None, terms)


def test_discounts_are_taken_of_what_those_before_them_left(january: Any, shop: Any) -> None:
    both = [{"coupon": coupon(shop)}, {"coupon": coupon(shop, amount_off=100, currency="usd", duration="once")}]
    made = shop.subscription(shop.customer(), january.seats(monthly=1_000), discounts=both)
    (invoice,) = january.invoices(made.id)
    assert [part.amount for part in invoice.total_discount_amounts] == [250, 100]
    assert invoice.total == 650


def test_a_discount_of_several_lines_is_rounded_once(january: Any, shop: Any) -> None:
    items = [{"price": january.seats(monthly=33)} for _ in range(3)]
    terms = {"customer": shop.customer(), "items": items, "discounts": [{"coupon": coupon(shop, percent_off=50)}]}
    (invoice,) = january.invoices(shop.v1.subscriptions.create(terms).id)
    assert sorted(line.discount_amounts[0].amount for line in invoice.lines.data) == [16, 17, 17]
    assert invoice.total == 49


def test_a_coupon_may_be_for_some_products_alone(january: Any, shop: Any) -> None:
    seats = january.seats(monthly=1_000)
    terms = {"percent_off": 10, "applies_to": {"products": [shop.v1.prices.retrieve(seats).product]}}
    items = [{"price": seats}, {"price": january.seats(monthly=500)}]
    wanted = {"customer": shop.customer(), "items": items, "discounts": [{"coupon": coupon(shop, **terms)}]}
    (invoice,) = january.invoices(shop.v1.subscriptions.create(wanted).id)
    assert (invoice.total, [len(line.discount_amounts) for line in invoice.lines.data]) == (1_400, [1, 0])


def test_a_preview_shows_what_a_coupon_takes_off(january: Any, shop: Any, price: str) -> None:
    customer = shop.customer()
    made = shop.subscription(customer, price, discounts=[{"coupon": coupon(shop)}])
    january.use(customer, 100, day=0)
    assert shop.v1.invoices.create_preview({"subscription": made.id}).total == 750
    assert shop.v1.subscriptions.retrieve(made.id).discounts == made.discounts


def test_discounts_may_be_replaced_and_taken_away(shop: Any, price: str) -> None:
    made = shop.subscription(shop.customer(), price, discounts=[{"coupon": coupon(shop)}])
    other = [{"coupon": coupon(shop, percent_off=10)}]
    assert shop.v1.subscriptions.update(made.id, {"metadata": {"a": "b"}}).discounts == made.discounts
    assert shop.v1.subscriptions.update(made.id, {"discounts": other}).discounts not in ([], made.discounts)
    assert shop.v1.subscriptions.update(made.id, {"discounts": ""}).discounts == []


def test_a_coupon_counts_who_redeems_it(shop: Any, price: str) -> None:
    terms = coupon(shop, percent_off=10, max_redemptions=1)
    shop.subscription(shop.customer(), price, discounts=[{"coupon": terms}])
    found = shop.v1.coupons.retrieve(terms)
    assert (found.times_redeemed, found.valid) == (1, False)
    with pytest.raises(stripe.InvalidRequestError, match="used up"):
        shop.subscription(shop.customer(), price, discounts=[{"coupon": terms}])


def test_who_has_a_deleted_coupon_keeps_it(january: Any, shop: Any) -> None:
    terms = coupon(shop)
    made = shop.subscription(shop.customer(), january.seats(monthly=1_000), discounts=[{"coupon": terms}])
    shop.v1.coupons.delete(terms)
    january.go(32)
    assert totals(january, made.id) == [750, 750]
    assert shop.v1.coupons.list().data == []


def test_a_coupon_is_refused_after_its_last_day(january: Any, shop: Any, price: str) -> None:
    terms = coupon(shop, percent_off=10, redeem_by=january.at(1))
    january.go(2)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.subscription(shop.customer(), price, discounts=[{"coupon": terms}])
    assert (refusal.value.code, refusal.value.param) == ("coupon_expired", "discounts[0][coupon]")


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        ({"discounts": [{"coupon": "none"}]}, "discounts[0][coupon]"),
        ({"discounts": [{"promotion_code": "promo_1"}]}, "discounts[0][coupon]"),
        ({"discounts": [{"coupon": "euros"}]}, "discounts[0][coupon]"),
        ({"coupon": "euros"}, "coupon"),
    ],
)
def test_a_discount_that_cannot_be_is_refused(shop: Any, price: str, wanted: Any, param: str) -> None:
    coupon(shop, id="euros", amount_off=5, currency="eur")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.subscription(shop.customer(), price, **wanted)
    assert (refusal.value.http_status, refusal.value.param) == (400, param)
    assert shop.v1.coupons.retrieve("euros").times_redeemed == 0


@pytest.mark.parametrize(
    ("terms", "param"),
    [
        ({"duration": "once"}, "percent_off"),
        ({"percent_off": 0}, "percent_off"),
        ({"percent_off": 101}, "percent_off"),
        ({"percent_off": 5, "amount_off": 5, "currency": "usd"}, "percent_off"),
        ({"amount_off": 5}, "currency"),
        ({"amount_off": -5, "currency": "usd"}, "amount_off"),
        ({"percent_off": 5, "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": 5, "duration_in_months": 3}, "duration_in_months"),
        ({"percent_off": 5, "redeem_by": 1_000_000_000}, "redeem_by"),
        ({"percent_off": 5, "applies_to": {"products": ["prod_none"]}}, "applies_to[products]"),
        ({"percent_off": 5, "id": "TAKEN"}, "id"),
    ],
)
def test_a_coupon_that_makes_no_sense_is_refused(shop: Any, terms: Any, param: str) -> None:
    coupon(shop, id="TAKEN", percent_off=1)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.coupons.create(terms)
    assert (refusal.value.http_status, refusal.value.param) == (400, param)


def test_a_coupon_may_be_renamed(shop: Any) -> None:
    made = shop.v1.coupons.update(coupon(shop), {"name": "Spring", "metadata": {"of": "us"}})
    assert (made.name, made.metadata["of"], made.percent_off) == ("Spring", "us", 25.0)
    assert [found.id for found in shop.v1.coupons.list().data] == [made.id]
