"""Stripe's JSON as mirrors. Pure."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mirrors import (
    InvoiceMirror,
    ItemMirror,
    SubscriptionMirror,
    Unreadable,
    invoice_mirror,
    listed_subscription,
    storable,
    subscription_mirror,
)

NOW = datetime(2026, 1, 15, tzinfo=UTC)
JANUARY, FEBRUARY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
SUBSCRIPTION_FIELDS = ["id", "object", "customer", "status", "items", "ended_at", "current_period_start"]
INVOICE_FIELDS = ["id", "object", "customer", "status", "total", "currency", "period_end", "parent", "deleted"]


def test_a_subscription_is_read_with_its_metered_items(subscription):
    read = subscription_mirror(subscription(), as_of=NOW)

    assert (read.subscription, read.customer, read.status, read.are_items_complete) == (
        "sub_1",
        "cus_1",
        "active",
        True,
    )
    assert read.items == (
        ItemMirror(item="si_1", price="price_1", meter_stripe_id="mtr_1", period_start=JANUARY, period_end=FEBRUARY),
    )


def test_a_licensed_price_has_no_meter(subscription):
    item = {"id": "si_1", "price": {"id": "price_1", "recurring": {"usage_type": "licensed", "meter": None}}}
    told = subscription(items={"data": [item]}, current_period_start=0, current_period_end=1)

    assert subscription_mirror(told, as_of=NOW).items[0].meter_stripe_id is None


def test_a_subscription_of_an_old_api_version_has_its_period_on_itself_and_its_meter_on_the_plan(subscription):
    item = {"id": "si_1", "plan": {"id": "plan_1", "meter": "mtr_1"}}
    told = subscription(items={"data": [item]}, current_period_start=1_767_225_600, current_period_end=1_769_904_000)

    assert subscription_mirror(told, as_of=NOW).items == (
        ItemMirror(item="si_1", price="plan_1", meter_stripe_id="mtr_1", period_start=JANUARY, period_end=FEBRUARY),
    )


def test_expanded_objects_are_read_by_their_ids(subscription):
    read = subscription_mirror(subscription(customer={"id": "cus_2", "object": "customer"}), as_of=NOW)

    assert read.customer == "cus_2"


def test_a_listed_subscription_is_as_of_its_creation_so_that_any_event_is_newer(subscription):
    read = listed_subscription(subscription(created=1_767_225_600), read_at=NOW)

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
    read = subscription_mirror(subscription(**fields), as_of=NOW)

    assert isinstance(read, Unreadable)
    assert read.reason.startswith("the subscription has no readable")


@pytest.mark.parametrize(
    "fields",
    [{"subscription": "sub_1"}, {"parent": {"subscription_details": {"subscription": "sub_1"}}}],
)
def test_an_invoice_names_its_subscription_in_the_old_way_or_the_new(invoice, fields):
    assert invoice_mirror(invoice(**fields), as_of=NOW).subscription == "sub_1"


def test_a_deleted_invoice_has_no_status(invoice):
    assert invoice_mirror(invoice(deleted=True), as_of=NOW).status is None


@pytest.mark.parametrize("total", [2**63, 1.5, "20000", True, None])
def test_a_total_that_is_no_amount_of_minor_units_is_left_out(invoice, total):
    assert invoice_mirror(invoice(total=total), as_of=NOW).total is None


def test_what_postgresql_cannot_store_is_taken_out_of_what_is_kept():
    kept = storable({"a\u0000": "b\ud800c", "d": float("inf"), "e": [1, None, True]})

    assert json.loads(kept) == {"a": "bc", "d": None, "e": [1, None, True]}


@given(told=JSON | st.dictionaries(st.sampled_from(SUBSCRIPTION_FIELDS), JSON))
def test_reading_anything_as_a_subscription_never_raises(told):
    assert isinstance(subscription_mirror(told, as_of=NOW), SubscriptionMirror | Unreadable)


@given(changes=st.dictionaries(st.sampled_from(INVOICE_FIELDS), JSON))
def test_reading_an_invoice_with_anything_in_its_fields_never_raises(invoice, changes):
    assert isinstance(invoice_mirror(invoice(**changes), as_of=NOW), InvoiceMirror | Unreadable)
