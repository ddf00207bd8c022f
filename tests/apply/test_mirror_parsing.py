"""Stripe's JSON as mirrors. Pure."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mirrors import KINDS, Mirror, Unreadable, listed, mirror, storable
from service.mirrors.catalog import TierFacts
from service.mirrors.subscriptions import ItemFacts

NOW = datetime(2026, 1, 15, tzinfo=UTC)
JANUARY, FEBRUARY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "id",
    "object",
    "customer",
    "status",
    "items",
    "lines",
    "ended_at",
    "current_period_start",
    "total",
    "currency",
]
FIELDS += ["period_end", "parent", "deleted", "tiers", "unit_amount", "recurring", "quantity", "pricing", "period"]
PERIOD = {"start": 1_767_225_600, "end": 1_769_904_000}
LINE = {"id": "il_1", "amount": 250, "currency": "usd", "period": PERIOD}
DETAILS = {"subscription": "sub_1", "subscription_item": "si_1", "proration": False}
NEW_LINE = LINE | {
    "quantity_decimal": "2.5",
    "pricing": {"price_details": {"price": "price_1", "product": "prod_1"}, "unit_amount_decimal": "100"},
    "parent": {"subscription_item_details": DETAILS, "invoice_item_details": None},
}
OLD_LINE = LINE | DETAILS | {"quantity_decimal": "2.5", "price": {"id": "price_1"}}


def test_a_subscription_is_read_with_its_metered_items(subscription):
    read = mirror(subscription(), kind="subscription", as_of=NOW)

    assert (read.object_id, read.customer, read.facts.status, read.is_wanting) == ("sub_1", "cus_1", "active", False)
    assert read.facts.items == (
        ItemFacts(
            item="si_1",
            price="price_1",
            meter_stripe_id="mtr_1",
            quantity=None,
            period_start=JANUARY,
            period_end=FEBRUARY,
        ),
    )


def test_a_subscription_is_read_with_its_trial_and_its_cancellation(subscription):
    told = {"trial_start": 1_767_225_600, "trial_end": 1_769_904_000, "billing_mode": {"type": "flexible"}}
    told |= {"cancel_at": 1_769_904_000, "cancel_at_period_end": True, "canceled_at": 1_767_225_600}

    facts = mirror(subscription(**told), kind="subscription", as_of=NOW).facts

    assert (facts.trial_start, facts.trial_end, facts.billing_mode) == (JANUARY, FEBRUARY, "flexible")
    assert (facts.cancel_at, facts.cancel_at_period_end, facts.canceled_at) == (FEBRUARY, True, JANUARY)


def test_a_licensed_price_has_no_meter(subscription):
    item = {"id": "si_1", "price": {"id": "price_1", "recurring": {"usage_type": "licensed", "meter": None}}}
    told = subscription(items={"data": [item]}, current_period_start=0, current_period_end=1)

    assert mirror(told, kind="subscription", as_of=NOW).facts.items[0].meter_stripe_id is None


def test_a_subscription_of_an_old_api_version_has_its_period_on_itself_and_its_meter_on_the_plan(subscription):
    item = {"id": "si_1", "plan": {"id": "plan_1", "meter": "mtr_1"}}
    told = subscription(items={"data": [item]}, current_period_start=1_767_225_600, current_period_end=1_769_904_000)

    (read,) = mirror(told, kind="subscription", as_of=NOW).facts.items

    assert (read.price, read.meter_stripe_id, read.period_start, read.period_end) == (
        "plan_1",
        "mtr_1",
        JANUARY,
        FEBRUARY,
    )


def test_expanded_objects_are_read_by_their_ids(subscription):
    told = subscription(customer={"id": "cus_2", "object": "customer"})

    assert mirror(told, kind="subscription", as_of=NOW).customer == "cus_2"


def test_a_listed_subscription_is_as_of_its_creation_so_that_any_event_is_newer(subscription):
    read = listed(subscription(created=1_767_225_600), kind="subscription", read_at=NOW)

    assert (read.as_of, read.read_at) == (JANUARY, NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None},
        {"object": "invoice"},
        {"customer": None},
        {"customer": "cus_\u0000"},
        {"status": 5},
        {"items": None},
        {"items": {"data": [{}]}},
        {"items": {"data": [{"id": "si_1", "price": {"id": "price_1"}}]}},
    ],
)
def test_a_subscription_without_what_a_mirror_needs_is_unreadable_with_the_reason(subscription, fields):
    read = mirror(subscription(**fields), kind="subscription", as_of=NOW)

    assert isinstance(read, Unreadable)
    assert read.reason.startswith("the subscription has no readable")


@pytest.mark.parametrize(
    "fields",
    [{"subscription": "sub_1"}, {"parent": {"subscription_details": {"subscription": "sub_1"}}}],
)
def test_an_invoice_names_its_subscription_in_the_old_way_or_the_new(invoice, fields):
    assert mirror(invoice(**fields), kind="invoice", as_of=NOW).facts.subscription == "sub_1"


def test_a_deleted_invoice_has_no_status(invoice):
    read = mirror(invoice(deleted=True), kind="invoice", as_of=NOW)

    assert (read.is_deleted, read.facts.status, read.is_wanting) == (True, None, False)


@pytest.mark.parametrize("total", [2**63, 1.5, "20000", True, None])
def test_a_total_that_is_no_amount_of_minor_units_is_left_out(invoice, total):
    assert mirror(invoice(total=total), kind="invoice", as_of=NOW).facts.total is None


@pytest.mark.parametrize("told", [NEW_LINE, OLD_LINE], ids=["new", "old"])
def test_a_line_is_read_in_the_old_way_and_the_new(invoice, told):
    (line,) = mirror(invoice(lines={"data": [told]}), kind="invoice", as_of=NOW).facts.lines

    assert (line.line, line.amount, line.quantity, line.price) == ("il_1", 250, Decimal("2.5"), "price_1")
    assert (line.subscription, line.subscription_item, line.is_proration) == ("sub_1", "si_1", False)
    assert (line.period_start, line.period_end) == (JANUARY, FEBRUARY)


@pytest.mark.parametrize(
    "lines", [None, {"data": []} | {"has_more": True}, {"data": [{"id": None}]}], ids=["none", "more", "unreadable"]
)
def test_an_invoice_of_which_not_every_line_is_told_is_wanting(invoice, lines):
    told = invoice(lines=lines)

    assert mirror(told, kind="invoice", as_of=NOW).is_wanting
    assert not mirror(told, kind="invoice", as_of=NOW, read_at=NOW).is_wanting


def test_a_meter_is_read_with_its_formula_and_its_keys(meter):
    facts = mirror(meter("inactive"), kind="billing.meter", as_of=NOW).facts

    assert (facts.event_name, facts.formula, facts.customer_key, facts.value_key, facts.is_active) == (
        "tokens",
        "sum",
        "stripe_customer_id",
        "value",
        False,
    )


def test_a_price_whose_tiers_are_not_told_is_wanting(price):
    assert mirror(price(billing_scheme="tiered"), kind="price", as_of=NOW).is_wanting


def test_a_price_is_read_with_its_tiers_in_exact_decimals(price):
    tiers = [
        {"up_to": 1000, "unit_amount_decimal": "0", "flat_amount": 500},
        {"up_to": None, "unit_amount_decimal": "0.000000000001"},
    ]

    facts = mirror(price(billing_scheme="tiered", tiers=tiers), kind="price", as_of=NOW).facts

    assert facts.tiers == (
        TierFacts(up_to=1000, unit_amount=Decimal(0), flat_amount=Decimal(500)),
        TierFacts(up_to=None, unit_amount=Decimal("1E-12"), flat_amount=None),
    )


def test_a_customer_is_its_own_and_may_be_deleted():
    read = mirror({"id": "cus_1", "object": "customer", "deleted": True}, kind="customer", as_of=NOW)

    assert (read.customer, read.is_deleted) == ("cus_1", True)


def test_what_postgresql_cannot_store_is_taken_out_of_what_is_kept():
    kept = storable({"a\u0000": "b\ud800c", "d": float("inf"), "e": [1, None, True]})

    assert json.loads(kept) == {"a": "bc", "d": None, "e": [1, None, True]}


@given(told=JSON | st.dictionaries(st.sampled_from(FIELDS), JSON), kind=st.sampled_from(sorted(KINDS)))
def test_reading_anything_as_an_object_never_raises(told, kind):
    assert isinstance(mirror(told, kind=kind, as_of=NOW), Mirror | Unreadable)


@given(changes=st.dictionaries(st.sampled_from(FIELDS), JSON), line=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_an_invoice_with_anything_in_its_fields_is_kept_as_json_or_unreadable(invoice, changes, line):
    read = mirror(invoice(lines={"data": [NEW_LINE | line]}) | changes, kind="invoice", as_of=NOW)

    assert isinstance(read, Unreadable) or json.loads(read.facts_json)["lines"] is not None
